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
import { limited, type ReplicaLimits } from './limits.ts';
import { noFailure, recommendBySlo, type SloChange, type SloTrigger, type SloTriggerMemory } from './sloTriggers.ts';
import { type JsonObject, numberOr, objectOf } from './storedJson.ts';
import { type AlgorithmSpec, tickingPolicy, type Turn, type TurnOutcome } from './tickingPolicy.ts';

export interface SloSettings extends ReplicaLimits {
  triggers: SloTrigger[];
  /** Time from a decision to a ready replica, until a longer one has been seen. */
  startTimeMs: number;
  /** How long an idle workload keeps its last replica; only when `minReplicas` is 0. */
  keepAliveMs: number;
}

export interface SloDecisionSpec extends SloSettings, AlgorithmSpec {
  policy: 'slo';
}

export const defaultSloSettings: SloSettings = {
  minReplicas: 1,
  maxReplicas: null,
  triggers: [],
  startTimeMs: 30_000,
  keepAliveMs: 300_000,
};

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
    },
  }),
  write: ({ triggers, change, learnedStartMs, demand, rateLine, rate, activeAtMs }) => ({
    triggers: Object.fromEntries(Object.entries(triggers).map(([name, state]) => [name, triggerToJson(state)])),
    change: change ? { ...change } : null,
    learnedStartMs,
    demand: historyToJson(demand),
    rateLine: lineToJson(rateLine),
    rate: historyToJson(rate),
    activeAtMs,
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
      const combine = trigger.type === 'throughput' ? 'sum' : 'worst';
      const segments = takeReadings(known.line, trigger.name, combine, spec.classes, observation, reasons);
      for (const segment of segments) addSegment(known.history, segment);
    }
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
  const present = meanOver(state.demand, nowMs, windowMs) ?? demandNow;
  const demand = meanOver(state.rate, nowMs, windowMs) ?? present;
  const idle = present === 0 && observation.countsKnown;
  const startTimeMs = Math.max(spec.startTimeMs, state.learnedStartMs);
  const revisits: number[] = [];
  let recommended = 0;
  for (const trigger of spec.triggers) {
    const known = state.triggers[trigger.name];
    if (!known) continue;
    // Where nobody calls, nothing is slow.
    const value = meanOver(known.history, nowMs, trigger.windowMs) ?? (idle ? 0 : null);
    const context = { nowMs, current, ready: counted.ready, change: state.change, startTimeMs, demand, value };
    const { failedReplicas, failedDemand } = known;
    const result = recommendBySlo(trigger, { failedReplicas, failedDemand }, context);
    Object.assign(known, result.memory);
    reasons.push(...result.reasons);
    if (result.revisitAtMs !== null) revisits.push(result.revisitAtMs);
    recommended = Math.max(recommended, result.replicas);
  }
  if (spec.triggers.length === 0) recommended = current;

  const gated = gate(spec, state, turn, recommended, demandNow);
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
