import type { Reason } from '../../explain/reasons.ts';
import { applyBehavior, behaviorHorizonMs, rememberChange, rememberRecommendation } from '../behavior.ts';
import { applyBounds } from '../bounds.ts';
import {
  applyEventFactor,
  type CalendarMemory,
  calendarFloors,
  isCalendarTrigger,
  nextCalendarChangeMs,
  takeCalendarReading,
} from '../calendar.ts';
import { shareAmongClasses } from '../classShares.ts';
import { noFlow } from '../noFlow.ts';
import { sanitizeReading } from '../sanitizeReading.ts';
import type { ClassObservation, DecideResult, Memory, Observation } from '../types.ts';
import { addHeadroom, firstClassState } from './classState.ts';
import { settleClass, stepClass } from './classStep.ts';
import { firstPricedMemory, type PricedMemory, readPricedMemory, writePricedMemory } from './pricedMemory.ts';
import { foresee } from './foresight.ts';
import { latePriceSeconds, scaleByShare } from './latePrice.ts';
import { answerReasons } from './pricedReasons.ts';
import type { PricedDecisionSpec } from './pricedSpec.ts';
import { type PricedTuning, pricedTuning } from './tuning.ts';

const nobody: ClassObservation = { ready: 0, starting: 0, draining: 0, failed: 0, inFlight: 0, held: 0 };
/** Slots of a replica whose class has no limit. */
const slotsWithoutLimit = 10;
/**
 * A cold start that nobody has seen yet. Rather too long: taken for too short, it makes the first requests that are late
 * look cheap, and what is let go for that is missed for minutes where starts are slow.
 */
const assumedColdStartMs = 120_000;

/**
 * Ebb's own policy. Each replica is a level of demand. A level is held after its last use, let go, or started before it
 * is needed again, whichever costs least: by the lengths of its gaps, learned as they end, by the cold start, and by the
 * price of the requests that would be late without it. Nothing is trained, and nothing has to be set.
 */
export function decideByPriced(
  spec: PricedDecisionSpec,
  stored: Memory | null,
  observation: Observation,
): DecideResult {
  const { nowMs } = observation;
  const { scaling } = spec;
  const reasons: Reason[] = [];
  const memory = readPricedMemory(stored, spec) ?? begin(spec, observation, reasons);
  const current = memory.replicas;
  takeCalendar(spec, memory, observation);

  const tuning = tuningOf(spec);
  if (memory.foundBlind && observation.countsKnown) openEyes(memory, memory.foundBlind, observation, tuning);
  const looks: (number | null)[] = [];
  memory.lateScale = scaleByShare(memory.lateScale, spec.onTimeShare, Object.values(observation.flow ?? {}));
  let longestColdStart = 0;
  const asked = spec.classes.map(({ name, concurrency, pricePerHourMicro }, index) => {
    const state = memory.classes.get(name) ?? firstClassState(nowMs, 0, 0, tuning);
    memory.classes.set(name, state);
    const flow = observation.flow?.[name] ?? noFlow;
    const slots = concurrency === 0 ? slotsWithoutLimit : concurrency;
    // While a gateway is silent nothing is told, and the last word holds.
    state.coldStartMs = flow.coldStartMs ?? state.coldStartMs;
    const coldStartSeconds = (state.coldStartMs ?? assumedColdStartMs) / 1000;
    longestColdStart = Math.max(longestColdStart, coldStartSeconds);
    const latePrice = latePriceSeconds(spec, pricePerHourMicro, coldStartSeconds, memory.lateScale);
    const terms = {
      nowMs,
      seen: observation.classes[name] ?? nobody,
      flow,
      slots,
      coldStartSeconds,
      onTimeSeconds: spec.onTimeMs / 1000,
      latePriceSeconds: latePrice,
      mostReplicas: scaling.maxReplicas,
      tuning,
    };
    const answer = stepClass(state, terms);
    looks.push(answer.lookAgainAtMs);
    reasons.push(...answerReasons(name, answer, terms));
    let { replicas } = answer;
    // Requests go to the cheapest class first: what is due at a time of day is due there.
    if (index === 0 && tuning.forecast > 0) {
      const { serviceSeconds, demand, needed } = answer;
      const shared = { nowMs, slots, coldStartSeconds, latePriceSeconds: latePrice, serviceSeconds };
      const foresight = foresee(memory.forecast, { ...shared, demand, needed, asked: replicas });
      memory.forecast = foresight.memory;
      looks.push(foresight.lookAgainAtMs);
      if (foresight.floor > replicas) {
        const { floor, forecaster, confidence } = foresight;
        const data = { class: name, forecaster, confidence: Math.round(100 * confidence) / 100, replicas: floor };
        reasons.push({ code: 'forecast-floor', stage: 'forecast', data: { ...data, without: replicas } });
        replicas = floor;
      }
    }
    return { name, replicas };
  });
  const calendar = calendarAhead(memory, nowMs, 1000 * longestColdStart, looks);
  applyEventFactor(spec, calendar, asked, reasons);
  const wanted = holdBlind(asked, memory, observation, reasons);
  const kept = keepAlive(spec, memory, observation, wanted, reasons, looks);

  const horizonMs = behaviorHorizonMs(scaling.behavior);
  rememberRecommendation(memory.behavior, nowMs, kept, horizonMs);
  const behaved = applyBehavior(scaling.behavior, memory.behavior, nowMs, current, kept);
  looks.push(behaved.revisitAtMs);
  const bounded = applyBounds(scaling, calendarFloors(spec, calendar), current, behaved.replicas);
  reasons.push(...behaved.reasons, ...bounded.reasons);
  const { replicas } = bounded;
  const classes = shareAmongClasses(asked, replicas);
  rememberChange(memory.behavior, nowMs, replicas - current, horizonMs);
  if (current === 0 && replicas > 0) memory.openedAtMs = nowMs;
  memory.replicas = replicas;
  for (const [name, state] of memory.classes) settleClass(state, nowMs, classes[name] ?? 0);

  const later = looks.filter((at): at is number => at !== null && at > nowMs);
  const revisitAtMs = later.length > 0 ? Math.ceil(Math.min(...later)) : null;
  return { decision: { classes, replicas, reasons, revisitAtMs }, memory: writePricedMemory(memory) };
}

function begin(spec: PricedDecisionSpec, observation: Observation, reasons: Reason[]): PricedMemory {
  const { nowMs, classes, countsKnown } = observation;
  const { initialReplicas } = spec.scaling;
  // What is not counted is no reason for more than there is.
  const tuning = { ...tuningOf(spec), ...(countsKnown ? {} : { headroom: 0 }) };
  let running = 0;
  const counts = spec.classes.map(({ name }) => {
    const seen = classes[name] ?? nobody;
    running += seen.ready + seen.starting;
    return { name, replicas: seen.ready + seen.starting };
  });
  const replicas = Math.max(running, initialReplicas);
  reasons.push({ code: 'first-decision', stage: 'reading', data: { running, initialReplicas } });
  const memory = firstPricedMemory(nowMs, replicas);
  if (!countsKnown) memory.foundBlind = new Map(counts.map(({ name, replicas: found }) => [name, found]));
  const shares = shareAmongClasses(counts, replicas);
  for (const { name } of spec.classes) {
    const seen = classes[name] ?? nobody;
    memory.classes.set(name, firstClassState(nowMs, shares[name] ?? 0, seen.ready + seen.starting, tuning));
  }
  return memory;
}

/**
 * The first counts since a beginning without any: from now on what is asked of the replicas found can be seen to grow. Those that
 * were asked for meanwhile, for the minimum say, are no sign of demand.
 */
function openEyes(
  memory: PricedMemory,
  found: ReadonlyMap<string, number>,
  { nowMs, classes }: Observation,
  tuning: PricedTuning,
): void {
  memory.foundBlind = null;
  for (const [name, { levels }] of memory.classes) {
    const seen = classes[name] ?? nobody;
    addHeadroom(levels, nowMs, Math.min(found.get(name) ?? 0, seen.ready + seen.starting), tuning);
  }
}

function tuningOf({ tuning }: PricedDecisionSpec): PricedTuning {
  return tuning ? { ...pricedTuning, ...tuning } : pricedTuning;
}

function takeCalendar(spec: PricedDecisionSpec, memory: PricedMemory, { readings, nowMs }: Observation): void {
  for (const reading of readings) {
    if (!isCalendarTrigger(reading.trigger)) continue;
    const sanitized = sanitizeReading(reading, nowMs);
    if ('usable' in sanitized) takeCalendarReading(spec, memory, sanitized.usable);
  }
}

/** Dated events begin a cold start early, so that what they need is there in time. */
function calendarAhead(
  memory: PricedMemory,
  nowMs: number,
  coldStartMs: number,
  looks: (number | null)[],
): CalendarMemory {
  looks.push(nextCalendarChangeMs(memory, nowMs));
  const events = memory.events.map((event) => {
    const { on, nextChangeMs } = event;
    if (on || nextChangeMs === null) return event;
    looks.push(nextChangeMs - coldStartMs);
    return { ...event, on: nextChangeMs - coldStartMs <= nowMs };
  });
  return { schedules: memory.schedules, events };
}

/** The sum of the classes; never below the last decision while counts are missing: a lost source is no zero demand. */
function holdBlind(
  asked: { name: string; replicas: number }[],
  memory: PricedMemory,
  { countsKnown }: Observation,
  reasons: Reason[],
): number {
  const sum = () => asked.reduce((total, { replicas }) => total + replicas, 0);
  const wanted = sum();
  if (countsKnown) return wanted;
  for (const share of asked) share.replicas = Math.max(share.replicas, memory.classes.get(share.name)?.replicas ?? 0);
  const replicas = sum();
  reasons.push({ code: 'counts-missing', stage: 'combine', data: { wanted, replicas } });
  return replicas;
}

/** Where the document names a time, the last replica is kept so long after the last request. */
function keepAlive(
  { scaling }: PricedDecisionSpec,
  memory: PricedMemory,
  { nowMs, lastActiveAtMs }: Observation,
  wanted: number,
  reasons: Reason[],
  looks: (number | null)[],
): number {
  if (wanted > 0 || memory.replicas === 0 || !scaling.keepAliveGiven) return wanted;
  const idleMs = nowMs - Math.max(memory.openedAtMs, lastActiveAtMs ?? memory.openedAtMs);
  const { keepAliveMs } = scaling;
  if (idleMs >= keepAliveMs) return wanted;
  const remainingMs = keepAliveMs - idleMs;
  looks.push(nowMs + remainingMs);
  reasons.push({ code: 'gate-keeps-alive', stage: 'gate', data: { idleMs, keepAliveMs, remainingMs } });
  return 1;
}
