import type { Reason } from '../../explain/reasons.ts';
import type { DecideResult, Memory, Observation } from '../types.ts';
import {
  addSegment,
  type DemandHistory,
  emptyHistory,
  historyFromJson,
  historyToJson,
  peakOver,
} from './demandHistory.ts';
import { heldWithoutDemand } from './limits.ts';
import { numberOr, objectOf } from './storedJson.ts';
import { type AlgorithmSpec, tickingPolicy } from './tickingPolicy.ts';

/**
 * `autoscale_config` of a Clarifai deployment: fields, defaults (those of its SDK and CLI) and bounds are Clarifai's.
 * What it measures and what it calls a burst is not documented: the signal and the burst rule here are Ebb's.
 */
export interface ClarifaiSettings {
  minReplicas: number;
  maxReplicas: number;
  /** Further replicas above the minimum, preemptable; the floor is their sum, capped by the maximum. */
  softMinReplicas: number;
  /** Look-back for the peak of requests in flight. */
  trafficHistoryMs: number;
  /** Between two increases, unless there is a burst. */
  scaleUpDelayMs: number;
  /** After the count was last needed. */
  scaleDownDelayMs: number;
  /** Idle time before zero; at least `scaleDownDelayMs`. */
  scaleToZeroDelayMs: number;
  /** Requests a replica works on at once. */
  concurrency: number;
}

export interface ClarifaiDecisionSpec extends ClarifaiSettings, AlgorithmSpec {
  policy: 'clarifai';
}

export const defaultClarifaiSettings: ClarifaiSettings = {
  minReplicas: 0,
  maxReplicas: 5,
  softMinReplicas: 0,
  trafficHistoryMs: 600_000,
  scaleUpDelayMs: 300_000,
  scaleDownDelayMs: 300_000,
  scaleToZeroDelayMs: 3_600_000,
  concurrency: 1,
};

const tickMs = 1000;
/** Demand over this many times the capacity is a burst. */
const burstRatio = 2;

interface ClarifaiState {
  history: DemandHistory;
  /** Last increase; null: none yet. */
  increasedAtMs: number | null;
  /** When the present count was last needed by the requests of the moment. */
  neededAtMs: number;
  /** When anything was last in flight or held. */
  activeAtMs: number;
}

/** Clarifai's five delays around the peak of requests in flight, once a second. */
export function decideByClarifai(
  spec: ClarifaiDecisionSpec,
  stored: Memory | null,
  observation: Observation,
): DecideResult {
  return decide(spec, stored, observation);
}

const decide = tickingPolicy<ClarifaiDecisionSpec, ClarifaiState>({
  policy: 'clarifai',
  version: 1,
  demand: 'concurrency',
  actsAtOnce: true,
  tickMs: () => tickMs,
  begin: (spec, counted, nowMs) => ({
    replicas: Math.max(counted.ready + counted.starting, floorOf(spec)),
    state: {
      history: emptyHistory(spec.trafficHistoryMs),
      increasedAtMs: null,
      neededAtMs: nowMs,
      activeAtMs: nowMs,
    },
  }),
  write: ({ history, increasedAtMs, neededAtMs, activeAtMs }) => ({
    history: historyToJson(history),
    increasedAtMs,
    neededAtMs,
    activeAtMs,
  }),
  read: (spec, stored, nowMs) => ({
    history: historyFromJson(objectOf(stored.history), spec.trafficHistoryMs),
    increasedAtMs: numberOr(stored.increasedAtMs, null),
    neededAtMs: numberOr(stored.neededAtMs, nowMs),
    activeAtMs: numberOr(stored.activeAtMs, nowMs),
  }),
  take(_spec, state, segment) {
    addSegment(state.history, segment);
    if (segment.peak > 0) state.activeAtMs = Math.max(state.activeAtMs, segment.atMs);
  },
  isUrgent: (_spec, _state, { replicas, counted }) => replicas === 0 && counted.held + counted.inFlight > 0,
  act(spec, state, { nowMs, replicas: current, counted, observation, reasons }) {
    const demand = counted.inFlight + counted.held;
    if (demand > 0) state.activeAtMs = nowMs;
    const recorded = peakOver(state.history, nowMs, spec.trafficHistoryMs);
    if (!observation.countsKnown || (recorded === null && demand === 0)) {
      const limits = { minReplicas: floorOf(spec), maxReplicas: spec.maxReplicas };
      return { replicas: heldWithoutDemand(limits, current, reasons) };
    }
    const peak = Math.max(recorded ?? 0, demand);
    const asked = Math.ceil(peak / spec.concurrency);
    const data = {
      signal: 'peak of requests in flight',
      value: Math.round(peak * 1000) / 1000,
      windowMs: spec.trafficHistoryMs,
      target: spec.concurrency,
      replicas: asked,
    };
    reasons.push({ code: 'algorithm-asks', stage: 'recommendation', data });
    const wanted = bounded(spec, asked, reasons);
    if (Math.ceil(demand / spec.concurrency) >= current) state.neededAtMs = nowMs;
    const replicas =
      wanted > current
        ? increase(spec, state, nowMs, current, wanted, demand, reasons)
        : decrease(spec, state, nowMs, current, wanted, reasons);
    const atRest = replicas === 0 && demand === 0;
    return {
      replicas: Math.min(replicas, spec.maxReplicas),
      revisitAtMs: atRest ? null : nextLook(spec, state, nowMs, demand),
    };
  },
});

const floorOf = (spec: ClarifaiSettings) => Math.min(spec.minReplicas + spec.softMinReplicas, spec.maxReplicas);

function bounded(spec: ClarifaiSettings, asked: number, reasons: Reason[]): number {
  const minReplicas = floorOf(spec);
  if (asked < minReplicas)
    reasons.push({ code: 'raised-to-min', stage: 'bounds', data: { wanted: asked, minReplicas } });
  const { maxReplicas } = spec;
  if (asked > maxReplicas)
    reasons.push({ code: 'capped-at-max', stage: 'bounds', data: { wanted: asked, maxReplicas } });
  return Math.min(maxReplicas, Math.max(minReplicas, asked));
}

function increase(
  spec: ClarifaiSettings,
  state: ClarifaiState,
  nowMs: number,
  current: number,
  wanted: number,
  demand: number,
  reasons: Reason[],
): number {
  const capacity = current * spec.concurrency;
  const waitedMs = state.increasedAtMs === null ? spec.scaleUpDelayMs : nowMs - state.increasedAtMs;
  const burst = demand > burstRatio * capacity;
  // The floor is a bound, not an answer to traffic: it waits for nothing.
  if (waitedMs < spec.scaleUpDelayMs && !burst && current >= floorOf(spec)) {
    const data = { wanted, waitedMs, delayMs: spec.scaleUpDelayMs, replicas: current };
    reasons.push({ code: 'increase-waits', stage: 'behavior', data });
    return current;
  }
  if (burst) reasons.push({ code: 'clarifai-burst', stage: 'behavior', data: { demand, capacity, replicas: wanted } });
  state.increasedAtMs = nowMs;
  state.neededAtMs = nowMs;
  return wanted;
}

function decrease(
  spec: ClarifaiSettings,
  state: ClarifaiState,
  nowMs: number,
  current: number,
  wanted: number,
  reasons: Reason[],
): number {
  if (wanted === current) return current;
  const unneededMs = nowMs - state.neededAtMs;
  if (unneededMs < spec.scaleDownDelayMs) {
    const data = { wanted, waitedMs: unneededMs, delayMs: spec.scaleDownDelayMs, replicas: current };
    reasons.push({ code: 'decrease-waits', stage: 'behavior', data });
    return current;
  }
  const idleMs = nowMs - state.activeAtMs;
  if (wanted > 0 || idleMs >= spec.scaleToZeroDelayMs) {
    state.neededAtMs = nowMs;
    return wanted;
  }
  const keepAliveMs = spec.scaleToZeroDelayMs;
  const data = { idleMs, keepAliveMs, remainingMs: keepAliveMs - idleMs };
  reasons.push({ code: 'gate-keeps-alive', stage: 'gate', data });
  return 1;
}

/** When time alone could next change the count. */
function nextLook(spec: ClarifaiSettings, state: ClarifaiState, nowMs: number, demand: number): number {
  const next = nowMs + tickMs;
  if (demand > 0) return next;
  const edgeMs = (Math.floor(nowMs / state.history.bucketMs) + 1) * state.history.bucketMs;
  const moments = [
    edgeMs,
    state.neededAtMs + spec.scaleDownDelayMs,
    state.activeAtMs + spec.scaleToZeroDelayMs,
    (state.increasedAtMs ?? nowMs) + spec.scaleUpDelayMs,
  ];
  return Math.max(next, Math.min(...moments.filter((moment) => moment > nowMs)));
}
