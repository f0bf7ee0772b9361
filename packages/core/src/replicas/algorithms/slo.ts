import { passGate } from '../gate.ts';
import type { DecideResult, Json, Memory, Observation } from '../types.ts';
import { type DemandLine, emptyLine, lineFromJson, lineToJson, takeReadings } from './demand.ts';
import {
  addSegment,
  type DemandHistory,
  emptyHistory,
  historyFromJson,
  historyToJson,
  meanOver,
} from './demandHistory.ts';
import { limited } from './limits.ts';
import { followDemand } from './sloCapacity.ts';
import { latestOf, moreFromJson, moreOf, moreToJson, type SloMore, takeMore } from './sloMore.ts';
import { bothLoops, budgetOf, drainOf, isEager, readMore } from './sloLoops.ts';
import type { SloSettings } from './sloSettings.ts';
import {
  isLlmTrigger,
  noFailure,
  recommendBySlo,
  type SloChange,
  type SloContext,
  type SloTrigger,
  type SloTriggerMemory,
  thresholds,
} from './sloTriggers.ts';
import { type JsonObject, numberOr, objectOf } from './storedJson.ts';
import { type AlgorithmSpec, tickingPolicy, type Turn, type TurnOutcome } from './tickingPolicy.ts';

export interface SloDecisionSpec extends SloSettings, AlgorithmSpec {
  policy: 'slo';
}

const tickMs = 1000;
/** Share of a new start time in the learned one when it is shorter; a longer one counts at once. */
const learningShare = 0.25;

interface SloTriggerState extends SloTriggerMemory {
  line: DemandLine;
  history: DemandHistory;
}

interface SloState {
  triggers: Record<string, SloTriggerState>;
  change: SloChange | null;
  learnedStartMs: number;
  /** Requests in flight and held. */
  demand: DemandHistory;
  /** Requests a second, where they are read: unlike those in flight they do not grow when it gets slow. */
  rateLine: DemandLine;
  rate: DemandHistory;
  /** When anything was last in flight or held, or it was begun. */
  activeAtMs: number;
  /** What only replicas' metrics and an objective need; null: the document has neither. */
  more: SloMore | null;
}

/**
 * Throughput and latency triggers with dead time; the largest recommendation wins, as with several metrics. Between one
 * and zero stands the keep-alive gate.
 */
export function decideBySlo(spec: SloDecisionSpec, stored: Memory | null, observation: Observation): DecideResult {
  return decide(spec, stored, observation);
}

const decide = tickingPolicy<SloDecisionSpec, SloState>({
  policy: 'slo',
  version: 1,
  demand: 'concurrency',
  actsAtOnce: true,
  tickMs: () => tickMs,
  begin: (spec, counted, nowMs) => ({
    replicas: Math.max(counted.ready + counted.starting, spec.minReplicas),
    state: {
      triggers: Object.fromEntries(spec.triggers.map((trigger) => [trigger.name, emptyTrigger(trigger)])),
      change: null,
      learnedStartMs: 0,
      demand: emptyHistory(demandWindowMs(spec)),
      rateLine: emptyLine(nowMs),
      rate: emptyHistory(demandWindowMs(spec)),
      activeAtMs: nowMs,
      more: moreOf(spec, nowMs),
    },
  }),
  write: ({ triggers, change, learnedStartMs, demand, rateLine, rate, activeAtMs, more }) => ({
    triggers: Object.fromEntries(Object.entries(triggers).map(([name, state]) => [name, triggerToJson(state)])),
    change: change ? { ...change } : null,
    learnedStartMs,
    demand: historyToJson(demand),
    rateLine: lineToJson(rateLine),
    rate: historyToJson(rate),
    activeAtMs,
    ...(more ? { more: moreToJson(more) } : {}),
  }),
  read: (spec, stored, nowMs) => ({
    triggers: Object.fromEntries(
      spec.triggers.map((trigger) => [
        trigger.name,
        triggerFromJson(objectOf(stored.triggers)[trigger.name], trigger, spec.classes),
      ]),
    ),
    change: changeFromJson(objectOf(stored.change)),
    learnedStartMs: numberOr(stored.learnedStartMs, 0),
    demand: historyFromJson(objectOf(stored.demand), demandWindowMs(spec)),
    rateLine: lineFromJson(objectOf(stored.rateLine), spec.classes),
    rate: historyFromJson(objectOf(stored.rate), demandWindowMs(spec)),
    activeAtMs: numberOr(stored.activeAtMs, nowMs),
    more: moreFromJson(spec, objectOf(stored.more), nowMs),
  }),
  take(_spec, state, segment) {
    addSegment(state.demand, segment);
    if (segment.peak > 0) state.activeAtMs = Math.max(state.activeAtMs, segment.atMs);
  },
  observe(spec, state, observation, reasons) {
    const named = spec.triggers.some((trigger) => trigger.name === 'requestRate');
    const rates = takeReadings(state.rateLine, 'requestRate', 'sum', spec.classes, observation, named ? [] : reasons);
    for (const segment of rates) addSegment(state.rate, segment);
    for (const trigger of spec.triggers) {
      const known = state.triggers[trigger.name];
      if (!known) continue;
      const combine = combineOf(trigger);
      const segments = takeReadings(known.line, trigger.name, combine, spec.classes, observation, reasons);
      if (isLlmTrigger(trigger)) continue;
      for (const segment of segments) addSegment(known.history, segment);
    }
    if (state.more)
      takeMore(spec, state.more, observation, meanOver(state.rate, observation.nowMs, demandWindowMs(spec)));
  },
  isUrgent: (_spec, _state, { replicas, counted }) => replicas === 0 && counted.held + counted.inFlight > 0,
  act: turnSlo,
});

function turnSlo(spec: SloDecisionSpec, state: SloState, turn: Turn): TurnOutcome {
  const { nowMs, replicas: current, counted, observation, reasons } = turn;
  const demandNow = counted.inFlight + counted.held;
  if (demandNow > 0) state.activeAtMs = nowMs;
  learnStart(state, current, counted.ready, nowMs);

  const windowMs = demandWindowMs(spec);
  const requests = meanOver(state.rate, nowMs, windowMs);
  const present = meanOver(state.demand, nowMs, windowMs) ?? demandNow;
  const demand = requests ?? present;
  const idle = present === 0 && observation.countsKnown;
  const startTimeMs = Math.max(spec.startTimeMs, state.learnedStartMs);
  const read = state.more && readMore(spec, state.more, nowMs);
  const budget = budgetOf(spec, state.more, nowMs);
  const capacity = read && state.more?.capacity;
  if (capacity && requests !== null) followDemand(capacity, requests, nowMs, windowMs);
  const drain = drainOf(read, requests, counted.held, windowMs);
  let recommended: number | null = null;
  let isBroken = false;
  let isMeasured = false;
  for (const trigger of spec.triggers) {
    const known = state.triggers[trigger.name];
    if (!known) continue;
    // Where nobody calls, nothing is slow.
    const value = measuredOf(spec, trigger, known, nowMs) ?? (idle ? 0 : null);
    const nothingFelt = value === null && isTimed(trigger) && read?.missing === 0;
    const context: SloContext = {
      nowMs,
      current,
      ready: counted.ready,
      change: state.change,
      startTimeMs,
      demand,
      value,
      nothingFelt,
      drain,
      ...(capacity ? { slowDemand: capacity.slowRequests } : {}),
    };
    const { failedReplicas, failedDemand } = known;
    const asked = isEager(budget) ? withLargerDecrease(trigger) : trigger;
    const result = recommendBySlo(asked, { failedReplicas, failedDemand }, context);
    Object.assign(known, result.memory);
    reasons.push(...result.reasons);
    if (!result.abstains) recommended = Math.max(recommended ?? 0, result.replicas);
    isMeasured ||= value !== null;
    isBroken ||= value !== null && signalOf(trigger, value, counted.ready) > thresholds(trigger).above;
  }
  let wanted = recommended ?? current;
  if (state.more) {
    const seen = { nowMs, current, ready: counted.ready, change: state.change, startTimeMs, windowMs };
    const felt = { isBroken, isMeasured: isMeasured && !idle, requests, isDraining: drain !== null };
    wanted = bothLoops(spec, state.more, { ...seen, ...felt, wanted, read, budget }, reasons);
  }

  const gated = gate(spec, state, turn, wanted, demandNow);
  const blind = !observation.countsKnown;
  if (blind) reasons.push({ code: 'demand-unknown', stage: 'combine', data: { replicas: Math.max(gated, current) } });
  const replicas = limited(spec, blind ? Math.max(gated, current) : gated, reasons);
  if (replicas !== current) {
    const { change } = state;
    // What is still not ready has taken this long at least.
    const unready = change && change.to > change.from && change.readyAtMs === null;
    if (unready) state.learnedStartMs = Math.max(state.learnedStartMs, nowMs - change.atMs);
    state.change = { atMs: nowMs, from: current, to: replicas, readyAtMs: null };
  }
  return replicas === 0 && demandNow === 0 ? { replicas, revisitAtMs: null } : { replicas };
}

/** Zero is for the idle only, and only where the minimum allows it. */
function gate(spec: SloDecisionSpec, state: SloState, turn: Turn, recommended: number, demandNow: number): number {
  if (spec.minReplicas > 0) return Math.max(1, recommended);
  const passed = passGate({
    nowMs: turn.nowMs,
    current: turn.replicas,
    recommended,
    demand: demandNow,
    lastActiveAtMs: state.activeAtMs,
    keepAliveMs: spec.keepAliveMs,
  });
  turn.reasons.push(passed.reason);
  return passed.replicas;
}

/** A growth is over when as many as asked for are ready; how long it took is what the next one is given. */
function learnStart(state: SloState, current: number, ready: number, nowMs: number): void {
  const { change } = state;
  if (!change || change.to <= change.from || change.readyAtMs !== null || ready < Math.min(change.to, current)) return;
  change.readyAtMs = nowMs;
  const tookMs = nowMs - change.atMs;
  const known = state.learnedStartMs;
  state.learnedStartMs = tookMs >= known ? tookMs : Math.round(known + (tookMs - known) * learningShare);
}

/** What a trigger goes by; replicas' metrics are averaged over the window where they are read. */
function measuredOf(spec: SloSettings, trigger: SloTrigger, known: SloTriggerState, nowMs: number): number | null {
  if (!isLlmTrigger(trigger)) return meanOver(known.history, nowMs, trigger.windowMs);
  return latestOf(known.line, combineOf(trigger), nowMs, spec.metricsIntervalMs);
}

const combineOf = ({ type }: SloTrigger) => (type === 'throughput' || type === 'tokensPerSecond' ? 'sum' : 'worst');

const isTimed = ({ type }: SloTrigger) => type === 'timeToFirstToken' || type === 'interTokenLatency';

const signalOf = (trigger: SloTrigger, value: number, ready: number) =>
  combineOf(trigger) === 'sum' ? value / Math.max(1, ready) : value;

const withLargerDecrease = (trigger: SloTrigger): SloTrigger => ({
  ...trigger,
  decrease: { ...trigger.decrease, replicas: trigger.decrease.replicas * 2 },
});

const demandWindowMs = (spec: SloSettings) => Math.max(1000, ...spec.triggers.map((trigger) => trigger.windowMs));

function emptyTrigger(trigger: SloTrigger): SloTriggerState {
  return { ...noFailure, line: emptyLine(0), history: emptyHistory(trigger.windowMs) };
}

function triggerToJson({ line, history, failedReplicas, failedDemand }: SloTriggerState): Json {
  return { line: lineToJson(line), history: historyToJson(history), failedReplicas, failedDemand };
}

function triggerFromJson(json: Json | undefined, trigger: SloTrigger, classes: readonly string[]): SloTriggerState {
  const stored = objectOf(json);
  return {
    line: lineFromJson(objectOf(stored.line), classes),
    history: historyFromJson(objectOf(stored.history), trigger.windowMs),
    failedReplicas: numberOr(stored.failedReplicas, null),
    failedDemand: numberOr(stored.failedDemand, 0),
  };
}

function changeFromJson({ atMs, from, to, readyAtMs }: JsonObject): SloChange | null {
  if (typeof atMs !== 'number' || typeof from !== 'number' || typeof to !== 'number') return null;
  return { atMs, from, to, readyAtMs: numberOr(readyAtMs, null) };
}
