import type { Reason } from '../../explain/reasons.ts';
import type { DecideResult, Memory, Observation } from '../types.ts';
import {
  addSegment,
  type DemandHistory,
  emptyHistory,
  historyFromJson,
  historyToJson,
  isMoving,
  leastOver,
  meanOver,
  peakOver,
} from './demandHistory.ts';
import { heldWithoutDemand, limited, type ReplicaLimits } from './limits.ts';
import { numberOr, objectOf } from './storedJson.ts';
import { type AlgorithmSpec, tickingPolicy, type Turn, type TurnOutcome } from './tickingPolicy.ts';

/** `autoscaling_config` of a Ray Serve deployment. */
export interface RaySettings extends ReplicaLimits {
  /** Null: `minReplicas`. */
  initialReplicas: number | null;
  /** Requests running or queued a replica. */
  targetOngoingRequests: number;
  /** Requests are averaged over this long. */
  lookBackMs: number;
  upscaleDelayMs: number;
  downscaleDelayMs: number;
  /** From one to zero; null: `downscaleDelayMs`. */
  downscaleToZeroDelayMs: number | null;
  upscalingFactor: number;
  downscalingFactor: number;
  aggregation: 'mean' | 'max' | 'min';
  /** Replicas come in groups of this many. */
  gangSize: number;
}

export interface RayDecisionSpec extends RaySettings, AlgorithmSpec {
  policy: 'ray';
}

export const defaultRaySettings: RaySettings = {
  minReplicas: 1,
  maxReplicas: 1,
  initialReplicas: null,
  targetOngoingRequests: 2,
  lookBackMs: 30_000,
  upscaleDelayMs: 30_000,
  downscaleDelayMs: 600_000,
  downscaleToZeroDelayMs: null,
  upscalingFactor: 1,
  downscalingFactor: 1,
  aggregation: 'mean',
  gangSize: 1,
};

/** `CONTROL_LOOP_PERIOD_S`. */
const loopMs = 100;
const historyEdgeMs = 1000;

interface RayState {
  history: DemandHistory;
  lookBackMs: number;
  /** Since when it has wanted more (positive) or fewer; null: it is content. */
  direction: -1 | 0 | 1;
  sinceMs: number;
}

/**
 * Ray Serve's default policy (python/ray/serve/autoscaling_policy.py): ongoing requests over the target, scaled by a
 * factor, after a delay by the clock; never straight from several to zero; at once, one, when something waits at zero.
 */
export function decideByRay(spec: RayDecisionSpec, stored: Memory | null, observation: Observation): DecideResult {
  return decide(spec, stored, observation);
}

const decide = tickingPolicy<RayDecisionSpec, RayState>({
  policy: 'ray',
  version: 1,
  demand: 'concurrency',
  actsAtOnce: true,
  tickMs: () => loopMs,
  begin(spec, counted) {
    const replicas = Math.max(counted.ready + counted.starting, spec.initialReplicas ?? spec.minReplicas);
    const { lookBackMs } = spec;
    return { replicas, state: { history: emptyHistory(lookBackMs), lookBackMs, direction: 0, sinceMs: 0 } };
  },
  write: ({ history, direction, sinceMs }) => ({ history: historyToJson(history), direction, sinceMs }),
  read(spec, stored) {
    const direction = numberOr(stored.direction, 0);
    return {
      history: historyFromJson(objectOf(stored.history), spec.lookBackMs),
      lookBackMs: spec.lookBackMs,
      direction: direction > 0 ? 1 : direction < 0 ? -1 : 0,
      sinceMs: numberOr(stored.sinceMs, 0),
    };
  },
  take: (_spec, state, segment) => addSegment(state.history, segment),
  isUrgent: (_spec, _state, { replicas, counted }) => replicas === 0 && counted.held + counted.inFlight > 0,
  act(spec, state, turn) {
    const { nowMs, replicas: target, counted, reasons } = turn;
    const ongoing = aggregated(spec, state, nowMs);
    if (ongoing === null || !turn.observation.countsKnown) {
      return { replicas: heldWithoutDemand(spec, target, reasons), revisitAtMs: nextEdge(nowMs) };
    }
    const running = counted.ready;
    if (running === 0) return coldStart(spec, state, turn, ongoing);

    const asked = desiredReplicas(spec, ongoing, running);
    reasons.push(askedReason(spec, ongoing, asked));
    const wanted = limited(spec, roundUpToGang(spec, asked), reasons);
    const replicas = afterDelay(spec, state, nowMs, target, wanted, reasons);
    return { replicas, revisitAtMs: nextLook(spec, state, turn, replicas) };
  },
});

function aggregated(spec: RayDecisionSpec, { history }: RayState, nowMs: number): number | null {
  const over = { mean: meanOver, max: peakOver, min: leastOver }[spec.aggregation];
  return over(history, nowMs, spec.lookBackMs);
}

/** Nothing runs: one (times the factor) at once when something waits, else what was asked for before. */
function coldStart(spec: RayDecisionSpec, state: RayState, turn: Turn, ongoing: number): TurnOutcome {
  const { nowMs, replicas: target, counted, reasons } = turn;
  const waiting = ongoing > 0 || counted.held + counted.inFlight > 0;
  const replicas = waiting ? Math.max(Math.ceil(spec.upscalingFactor), target) : target;
  if (waiting) reasons.push({ code: 'cold-start', stage: 'gate', data: { ongoing: shown(ongoing), replicas } });
  else reasons.push({ code: 'kept-while-none-is-ready', stage: 'gate', data: { replicas } });
  const moving = isMoving(state.history, nowMs, spec.lookBackMs);
  return { replicas: limited(spec, replicas, reasons), revisitAtMs: moving || waiting ? nextEdge(nowMs) : null };
}

/** `_apply_scaling_factors`: part of the way there; a shrink that rounds back to the count goes one down all the same. */
export function desiredReplicas(
  spec: Pick<RaySettings, 'targetOngoingRequests' | 'upscalingFactor' | 'downscalingFactor'>,
  ongoing: number,
  running: number,
): number {
  // In upstream's order, so that the floating point is the same.
  const desired = running * (ongoing / (spec.targetOngoingRequests * running));
  const delta = desired - running;
  const scaled = Math.ceil(running + (delta > 0 ? spec.upscalingFactor : spec.downscalingFactor) * delta);
  return Math.max(0, Math.ceil(desired) < running && scaled === running ? scaled - 1 : scaled);
}

function roundUpToGang({ gangSize }: RayDecisionSpec, replicas: number): number {
  return gangSize > 1 ? Math.ceil(replicas / gangSize) * gangSize : replicas;
}

/** `_apply_delay_logic`. */
function afterDelay(
  spec: RayDecisionSpec,
  state: RayState,
  nowMs: number,
  target: number,
  desired: number,
  reasons: Reason[],
): number {
  const direction = desired > target ? 1 : desired < target ? -1 : 0;
  if (direction !== state.direction) {
    state.direction = direction;
    state.sinceMs = nowMs;
  }
  if (direction === 0) return target;
  const delayMs = delayOf(spec, direction, target);
  // Zero is reached from one only.
  const wanted = direction < 0 && target > 1 ? Math.max(1, desired) : desired;
  const waitedMs = nowMs - state.sinceMs;
  if (waitedMs < delayMs) {
    const data = { wanted, waitedMs, delayMs, replicas: target };
    const code = direction > 0 ? 'increase-waits' : 'decrease-waits';
    reasons.push({ code, stage: 'behavior', data });
    return target;
  }
  state.direction = 0;
  return wanted;
}

function delayOf(spec: RayDecisionSpec, direction: -1 | 1, target: number): number {
  if (direction > 0) return spec.upscaleDelayMs;
  return target === 1 ? (spec.downscaleToZeroDelayMs ?? spec.downscaleDelayMs) : spec.downscaleDelayMs;
}

/** The loop runs ten times a second; an answer changes only when a delay ends or the look-back moves on. */
function nextLook(spec: RayDecisionSpec, state: RayState, turn: Turn, replicas: number): number | null {
  const { nowMs, replicas: target, counted } = turn;
  if (replicas !== target) return nowMs + loopMs;
  const moving = isMoving(state.history, nowMs, spec.lookBackMs) || counted.held + counted.inFlight > 0;
  const edgeMs = moving ? nextEdge(nowMs) : null;
  if (state.direction === 0) return edgeMs;
  const endsAtMs = state.sinceMs + delayOf(spec, state.direction, target);
  return edgeMs === null ? endsAtMs : Math.min(edgeMs, endsAtMs);
}

const nextEdge = (nowMs: number) => (Math.floor(nowMs / historyEdgeMs) + 1) * historyEdgeMs;
const shown = (value: number) => Math.round(value * 1000) / 1000;

function askedReason(spec: RayDecisionSpec, ongoing: number, replicas: number): Reason {
  const data = {
    signal: 'ongoing requests',
    value: shown(ongoing),
    windowMs: spec.lookBackMs,
    target: spec.targetOngoingRequests,
    replicas,
  };
  return { code: 'algorithm-asks', stage: 'recommendation', data };
}
