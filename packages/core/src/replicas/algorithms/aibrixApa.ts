import type { DecideResult, Json, Memory, Observation } from '../types.ts';
import {
  addSegment,
  type DemandHistory,
  emptyHistory,
  historyFromJson,
  historyToJson,
  meanOver,
} from './demandHistory.ts';
import { heldWithoutDemand, limited, type ReplicaLimits } from './limits.ts';
import { objectOf, rowsOf } from './storedJson.ts';
import { type AlgorithmSpec, tickingPolicy } from './tickingPolicy.ts';

/** A PodAutoscaler of AIBrix with the strategy APA. */
export interface AibrixSettings extends ReplicaLimits {
  /** Requests in flight a pod. */
  targetValue: number;
  /** Use a pod is averaged over this long. */
  stableWindowMs: number;
  maxScaleUpRate: number;
  maxScaleDownRate: number;
  upFluctuationTolerance: number;
  downFluctuationTolerance: number;
  scaleUpCooldownMs: number;
  scaleDownCooldownMs: number;
  reconcileIntervalMs: number;
}

export interface AibrixDecisionSpec extends AibrixSettings, AlgorithmSpec {
  policy: 'aibrix';
}

export const defaultAibrixSettings: AibrixSettings = {
  minReplicas: 1,
  maxReplicas: null,
  targetValue: 1,
  stableWindowMs: 180_000,
  maxScaleUpRate: 2,
  maxScaleDownRate: 2,
  upFluctuationTolerance: 0.1,
  downFluctuationTolerance: 0.1,
  scaleUpCooldownMs: 0,
  scaleDownCooldownMs: 300_000,
  reconcileIntervalMs: 10_000,
};

const mostRecommendations = 240;

interface AibrixState {
  history: DemandHistory;
  /** `[time, replicas]`, oldest first. */
  recommendations: [number, number][];
}

/**
 * AIBrix's application-specific pod autoscaling (pkg/controller/podautoscaler/algorithm/apa.go): use a pod over the
 * target, nothing within the tolerance, bounded by the rates; then the cool-downs as stabilisation windows.
 */
export function decideByAibrix(
  spec: AibrixDecisionSpec,
  stored: Memory | null,
  observation: Observation,
): DecideResult {
  return decide(spec, stored, observation);
}

const decide = tickingPolicy<AibrixDecisionSpec, AibrixState>({
  policy: 'aibrix',
  version: 1,
  demand: 'concurrency',
  actsAtOnce: true,
  tickMs: (spec) => spec.reconcileIntervalMs,
  begin: (spec, counted, nowMs) => {
    const replicas = Math.max(counted.ready + counted.starting, spec.minReplicas);
    const recommendations: [number, number][] = [[nowMs, replicas]];
    return { replicas, state: { history: emptyHistory(spec.stableWindowMs), recommendations } };
  },
  write: ({ history, recommendations }) => ({
    history: historyToJson(history),
    recommendations: recommendations.map((entry): Json => [...entry]),
  }),
  read: (spec, stored) => ({
    history: historyFromJson(objectOf(stored.history), spec.stableWindowMs),
    recommendations: rowsOf(stored.recommendations, 2).map(([atMs = 0, replicas = 0]) => [atMs, replicas]),
  }),
  take(_spec, state, segment, counted) {
    // What is averaged is the use of one pod, over whatever pods there were.
    const pods = Math.max(1, counted.ready);
    addSegment(state.history, { ...segment, value: segment.value / pods, peak: segment.peak / pods });
  },
  // Upstream's gateway answers with an error at zero; Ebb's holds the request, so somebody has to start a replica.
  isUrgent: (_spec, _state, { replicas, counted }) => replicas === 0 && counted.held > 0,
  act(spec, state, { nowMs, replicas: current, counted, observation, reasons }) {
    const use = meanOver(state.history, nowMs, spec.stableWindowMs);
    if (use === null || !observation.countsKnown) return { replicas: heldWithoutDemand(spec, current, reasons) };
    if (current === 0) {
      if (counted.held === 0) return { replicas: limited(spec, 0, reasons), revisitAtMs: null };
      reasons.push({ code: 'cold-start', stage: 'gate', data: { ongoing: counted.held, replicas: 1 } });
      return { replicas: limited(spec, 1, reasons) };
    }
    const asked = apaReplicas(spec, current, use);
    const data = {
      signal: 'requests in flight a replica',
      value: Math.round(use * 1000) / 1000,
      windowMs: spec.stableWindowMs,
      target: spec.targetValue,
      replicas: asked,
    };
    reasons.push({ code: 'algorithm-asks', stage: 'recommendation', data });
    const wanted = limited(spec, asked, reasons);
    const replicas = cooled(spec, state, nowMs, current, wanted);
    if (replicas !== wanted) {
      const windowMs = wanted > current ? spec.scaleUpCooldownMs : spec.scaleDownCooldownMs;
      const code = wanted > current ? 'scale-up-stabilized' : 'scale-down-stabilized';
      reasons.push({ code, stage: 'behavior', data: { recommended: wanted, windowMs, replicas } });
    }
    return { replicas };
  },
});

/** `computeTargetReplicas`. */
export function apaReplicas(
  spec: Pick<
    AibrixSettings,
    'targetValue' | 'upFluctuationTolerance' | 'downFluctuationTolerance' | 'maxScaleUpRate' | 'maxScaleDownRate'
  >,
  current: number,
  usePerPod: number,
): number {
  const ratio = usePerPod / spec.targetValue;
  if (ratio > 1 + spec.upFluctuationTolerance) {
    return Math.min(Math.ceil(current * ratio), Math.ceil(spec.maxScaleUpRate * current));
  }
  if (ratio < 1 - spec.downFluctuationTolerance) {
    return Math.max(Math.ceil(current * ratio), Math.floor(current / spec.maxScaleDownRate));
  }
  return current;
}

/** Up: not more than the least recommendation of its window; down: not fewer than the largest of its own. */
function cooled(spec: AibrixSettings, state: AibrixState, nowMs: number, current: number, wanted: number): number {
  const longestMs = Math.max(spec.scaleUpCooldownMs, spec.scaleDownCooldownMs);
  state.recommendations = state.recommendations
    .filter(([atMs]) => nowMs - atMs <= longestMs)
    .slice(1 - mostRecommendations);
  state.recommendations.push([nowMs, wanted]);
  const within = (windowMs: number) =>
    state.recommendations.filter(([atMs]) => nowMs - atMs < windowMs).map(([, replicas]) => replicas);
  if (wanted > current) return Math.max(current, Math.min(wanted, ...within(spec.scaleUpCooldownMs)));
  if (wanted < current) return Math.min(current, Math.max(wanted, ...within(spec.scaleDownCooldownMs)));
  return wanted;
}
