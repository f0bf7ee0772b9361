import { choose, type Choice, type ChoiceQuestion } from './choose.ts';
import type { SpotMemory, SpotObservation, SpotReason } from './types.ts';

export interface SpotChoice {
  /** As things are expected to be once the chosen markets have settled. */
  question: ChoiceQuestion;
  aim: Choice;
  /** On demand: what has to be there until spot is ready and safe enough; and as if all that is asked for were ready. */
  kept: number;
  onDemand: number;
  risk: number;
  floor: number;
}

/** Why these numbers, each reason with what led to it. */
export function spotReasons(
  choice: SpotChoice,
  observation: SpotObservation,
  before: SpotMemory | null,
  memory: SpotMemory,
): SpotReason[] {
  const { question, aim, kept, onDemand, risk, floor } = choice;
  const { wanted } = observation;
  const reasons: SpotReason[] = [];
  const counts = [...aim.spot.values()];
  const spot = counts.reduce((sum, count) => sum + count, 0);
  const ready = observation.spot.reduce((sum, count) => sum + count.ready, 0);
  if (floor > 0) reasons.push({ code: 'spot-floor', onDemand: floor, wanted });
  if (spot > 0) reasons.push({ code: 'spot-spread', spot, markets: counts.length, largest: Math.max(...counts) });
  const extra = spot + aim.onDemand - wanted;
  if (extra > 0 && spot > 0) {
    const without = choose({ ...question, extra: 0, onDemand: { ...question.onDemand, most: aim.onDemand } });
    reasons.push({ code: 'spot-extra', extra, riskWithout: without.risk, risk: aim.risk });
  }
  if (onDemand > floor) {
    const usable = question.markets.filter(({ most, have }) => most > have).length;
    const paused = question.markets.length - usable;
    reasons.push({ code: 'spot-fallback', onDemand: onDemand - floor, usable, paused, risk });
  }
  if (kept > onDemand) reasons.push({ code: 'spot-bridge', onDemand: kept - onDemand, ready, wanted });
  reasons.push(...pauseReasons(observation, before, memory));
  const missing = wanted - ready - observation.onDemand.ready;
  if (missing > 0) reasons.push({ code: 'spot-short', missing, wanted });
  return reasons;
}

function pauseReasons({ nowMs, events }: SpotObservation, before: SpotMemory | null, memory: SpotMemory): SpotReason[] {
  return memory.markets.flatMap(({ id, pausedUntilMs, storms, refusals }): SpotReason[] => {
    const types = events.filter(({ market }) => market === id).map(({ type }) => type);
    const pauseMs = pausedUntilMs - nowMs;
    if (pauseMs <= 0 || types.length === 0) return [];
    if (types.includes('refused')) return [{ code: 'spot-refused', market: id, pauseMs, refusals }];
    const since = before?.markets.find((one) => one.id === id)?.heldSinceMs ?? nowMs;
    return [{ code: 'spot-storm', market: id, heldMs: nowMs - since, pauseMs, storms }];
  });
}

/** The reason in a sentence. */
export function spotSentence(reason: SpotReason): string {
  switch (reason.code) {
    case 'spot-floor':
      return `${reason.onDemand} of ${reason.wanted} are always on demand.`;
    case 'spot-spread':
      return `${reason.spot} on spot in ${count(reason.markets, 'market')}, at most ${reason.largest} in one.`;
    case 'spot-extra':
      return `${reason.extra} more than wanted: without them fewer than wanted would be ready ${part(reason.riskWithout)} of the time, with them ${part(reason.risk)}.`;
    case 'spot-fallback':
      return `${reason.onDemand} more on demand: ${reason.usable} of ${count(reason.usable + reason.paused, 'market')} can be asked for spot, and with that fewer than wanted would be ready ${part(reason.risk)} of the time.`;
    case 'spot-bridge':
      return `${reason.onDemand} on demand stay until spot is ready and has held for a while: ${reason.ready} of ${reason.wanted} are ready on spot.`;
    case 'spot-storm':
      return `${reason.market} was lost after ${minutes(reason.heldMs)}, ${count(reason.storms, 'time')} in a row: nothing is asked for there for ${minutes(reason.pauseMs)}.`;
    case 'spot-refused':
      return `${reason.market} had none, ${count(reason.refusals, 'time')} in a row: it is not asked for ${minutes(reason.pauseMs)}.`;
    case 'spot-short':
      return `${reason.missing} of ${reason.wanted} are missing.`;
  }
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
const part = (share: number): string => `${Number((100 * share).toPrecision(2))} %`;
const minutes = (ms: number): string => `${Math.round(ms / 6000) / 10} min`;
