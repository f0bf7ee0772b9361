import type { Reason } from '../../explain/reasons.ts';
import type { DecideResult, Memory, Observation } from '../types.ts';
import {
  type Counted,
  countedOf,
  type DemandLine,
  type DemandSegment,
  type DemandTrigger,
  emptyLine,
  lineFromJson,
  lineToJson,
  mostReplicas,
  takeDemand,
} from './demand.ts';
import { shareByDemand } from './shareByDemand.ts';
import { countsOf, type JsonObject, numberOr, objectOf } from './storedJson.ts';

/** What every algorithm of this folder is told. */
export interface AlgorithmSpec {
  policy: string;
  workload: string;
  /** Cheapest first. */
  classes: string[];
}

/** One turn of an algorithm on its own grid. */
export interface Turn {
  nowMs: number;
  /** Decided last. */
  replicas: number;
  counted: Counted;
  observation: Observation;
  /** A turn outside the grid, because `isUrgent` asked for it. */
  urgent: boolean;
  /** Filled by the algorithm. */
  reasons: Reason[];
}

export interface TurnOutcome {
  replicas: number;
  /** When it wants to be asked again: absent: at its next turn; null: when something happens. */
  revisitAtMs?: number | null;
}

/** An algorithm with a clock of its own. `State` is what it remembers beside the count. */
export interface TickingRules<Spec extends AlgorithmSpec, State> {
  policy: Spec['policy'];
  version: number;
  demand: DemandTrigger;
  tickMs(spec: Spec, replicas: number): number;
  /** False: the first turn is one tick after the first call, as with a ticker. */
  actsAtOnce: boolean;
  begin(spec: Spec, counted: Counted, nowMs: number): { replicas: number; state: State };
  write(state: State): JsonObject;
  /** Null: of another form; the algorithm begins anew with the count that was stored. */
  read(spec: Spec, stored: JsonObject, nowMs: number): State | null;
  /** Takes new demand, at every call. */
  take(spec: Spec, state: State, segment: DemandSegment, counted: Counted): void;
  /** Takes whatever else the observation has, at every call. */
  observe?(spec: Spec, state: State, observation: Observation, reasons: Reason[]): void;
  /** Whether it acts now although its turn has not come. */
  isUrgent?(spec: Spec, state: State, turn: Turn): boolean;
  act(spec: Spec, state: State, turn: Turn): TurnOutcome;
}

/**
 * Makes `decide` of an algorithm that acts on a grid of its own: demand is taken in at every call, the count changes
 * only at its turns (design §3a.5). Turns that were missed are not made up for, as with a ticker.
 */
export function tickingPolicy<Spec extends AlgorithmSpec, State>(
  rules: TickingRules<Spec, State>,
): (spec: Spec, stored: Memory | null, observation: Observation) => DecideResult {
  return (spec, stored, observation) => {
    const { nowMs } = observation;
    const reasons: Reason[] = [];
    const counted = countedOf(spec.classes, observation);
    const frame = readFrame(rules, spec, stored, nowMs) ?? beginFrame(rules, spec, counted, nowMs, reasons);
    rules.observe?.(spec, frame.state, observation, reasons);

    const turn: Turn = { nowMs, replicas: frame.replicas, counted, observation, urgent: false, reasons };
    const due = nowMs >= frame.nextTurnMs;
    const present = counted.inFlight + counted.held;
    const waited = observation.countsKnown && (rules.isUrgent?.(spec, frame.state, turn) ?? false);
    turn.urgent = waited && !due;
    const segments = takeDemand(frame.line, rules.demand, spec.classes, observation, waited, reasons);
    for (const segment of segments) rules.take(spec, frame.state, segment, counted);

    if (due || turn.urgent) {
      const outcome = rules.act(spec, frame.state, turn);
      frame.replicas = usable(outcome.replicas, frame.replicas);
      if (due) frame.nextTurnMs = nextTurn(frame.nextTurnMs, nowMs, tickOf(rules, spec, frame.replicas));
      frame.revisitAtMs = outcome.revisitAtMs === undefined ? frame.nextTurnMs : outcome.revisitAtMs;
      // While somebody is here nothing is at rest, whatever the signal has seen of it.
      if (frame.revisitAtMs === null && present > 0) frame.revisitAtMs = frame.nextTurnMs;
      if (frame.revisitAtMs !== null) frame.revisitAtMs = Math.max(frame.revisitAtMs, nowMs + 1);
    } else {
      const data = { replicas: frame.replicas, inMs: frame.nextTurnMs - nowMs };
      reasons.push({ code: 'between-turns', stage: 'reading', data });
      const stirred = present > 0 || segments.some((segment) => segment.value > 0);
      if (stirred || (frame.revisitAtMs !== null && frame.revisitAtMs <= nowMs)) frame.revisitAtMs = frame.nextTurnMs;
    }
    frame.classes = shareByDemand(spec.classes, counted.demand, frame.classes, frame.replicas);
    return {
      decision: {
        classes: { ...frame.classes },
        replicas: frame.replicas,
        reasons,
        revisitAtMs: frame.revisitAtMs,
      },
      memory: writeFrame(rules, frame),
    };
  };
}

/** Where a setting gives no usable length. */
const fallbackTickMs = 1000;

interface Frame<State> {
  replicas: number;
  classes: Record<string, number>;
  nextTurnMs: number;
  revisitAtMs: number | null;
  line: DemandLine;
  state: State;
}

/** A whole count; what a setting of zero made of it (a division by it) leaves the count as it was. */
function usable(replicas: number, otherwise: number): number {
  if (replicas === 0) return 0;
  return replicas > 0 ? Math.min(mostReplicas, Math.floor(replicas)) : otherwise;
}

function tickOf<Spec extends AlgorithmSpec, State>(
  rules: TickingRules<Spec, State>,
  spec: Spec,
  replicas: number,
): number {
  const tickMs = rules.tickMs(spec, replicas);
  return tickMs >= 1 ? tickMs : fallbackTickMs;
}

/** The first turn after `nowMs` on the grid that `dueMs` lies on. */
function nextTurn(dueMs: number, nowMs: number, tickMs: number): number {
  return dueMs + (Math.floor((nowMs - dueMs) / tickMs) + 1) * tickMs;
}

function beginFrame<Spec extends AlgorithmSpec, State>(
  rules: TickingRules<Spec, State>,
  spec: Spec,
  counted: Counted,
  nowMs: number,
  reasons: Reason[],
): Frame<State> {
  const { replicas: begun, state } = rules.begin(spec, counted, nowMs);
  const replicas = usable(begun, 0);
  const data = { running: counted.ready + counted.starting, initialReplicas: replicas };
  reasons.push({ code: 'first-decision', stage: 'reading', data });
  const nextTurnMs = rules.actsAtOnce ? nowMs : nowMs + tickOf(rules, spec, replicas);
  return { replicas, classes: {}, nextTurnMs, revisitAtMs: nextTurnMs, line: emptyLine(nowMs), state };
}

function readFrame<Spec extends AlgorithmSpec, State>(
  rules: TickingRules<Spec, State>,
  spec: Spec,
  stored: Memory | null,
  nowMs: number,
): Frame<State> | null {
  if (!stored || stored.policy !== rules.policy || stored.version !== rules.version) return null;
  const { replicas, nextTurnMs, revisitAtMs } = stored;
  if (typeof replicas !== 'number' || typeof nextTurnMs !== 'number') return null;
  const state = rules.read(spec, objectOf(stored.state), nowMs);
  if (state === null) return null;
  const tickMs = tickOf(rules, spec, replicas);
  // At rest it was not asked at its turns because they would have changed nothing: the grid has gone on without them.
  const rested = numberOr(revisitAtMs, null) === null && nowMs > nextTurnMs;
  const turnMs = rested ? nextTurn(nextTurnMs, nowMs - 1, tickMs) : nextTurnMs;
  return {
    replicas,
    classes: countsOf(stored.classes),
    // A grid of another length must not keep it waiting for longer than one of its own.
    nextTurnMs: Math.min(turnMs, nowMs + tickMs),
    revisitAtMs: numberOr(revisitAtMs, null),
    line: lineFromJson(objectOf(stored.line), spec.classes),
    state,
  };
}

function writeFrame<Spec extends AlgorithmSpec, State>(rules: TickingRules<Spec, State>, frame: Frame<State>): Memory {
  return {
    version: rules.version,
    policy: rules.policy,
    replicas: frame.replicas,
    classes: { ...frame.classes },
    nextTurnMs: frame.nextTurnMs,
    revisitAtMs: frame.revisitAtMs,
    line: lineToJson(frame.line),
    state: rules.write(frame.state),
  };
}
