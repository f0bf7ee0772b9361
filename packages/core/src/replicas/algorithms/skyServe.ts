import type { DecideResult, Memory, Observation } from '../types.ts';
import {
  addSegment,
  type DemandHistory,
  dilutedMeanOver,
  emptyHistory,
  historyFromJson,
  historyToJson,
} from './demandHistory.ts';
import { heldWithoutDemand, limited, type ReplicaLimits } from './limits.ts';
import { numberOr, objectOf } from './storedJson.ts';
import { type AlgorithmSpec, tickingPolicy } from './tickingPolicy.ts';

/** `replica_policy` of a SkyServe service. */
export interface SkySettings extends ReplicaLimits {
  /** Null: the minimum, always. */
  targetQpsPerReplica: number | null;
  upscaleDelayMs: number;
  downscaleDelayMs: number;
  qpsWindowMs: number;
  decisionIntervalMs: number;
  /** While the target is zero. */
  noReplicaDecisionIntervalMs: number;
}

export interface SkyDecisionSpec extends SkySettings, AlgorithmSpec {
  policy: 'skyserve';
}

export const defaultSkySettings: SkySettings = {
  minReplicas: 1,
  maxReplicas: 1,
  targetQpsPerReplica: null,
  upscaleDelayMs: 300_000,
  downscaleDelayMs: 1_200_000,
  qpsWindowMs: 60_000,
  decisionIntervalMs: 20_000,
  noReplicaDecisionIntervalMs: 5000,
};

interface SkyState {
  history: DemandHistory;
  /** Votes in a row for more and for fewer. */
  up: number;
  down: number;
}

/**
 * SkyServe's RequestRateAutoscaler (sky/serve/autoscalers.py): requests of the last minute over the target rate; a
 * change needs as many equal votes in a row as the delay has decision intervals; from zero at once.
 */
export function decideBySky(spec: SkyDecisionSpec, stored: Memory | null, observation: Observation): DecideResult {
  return decide(spec, stored, observation);
}

const decide = tickingPolicy<SkyDecisionSpec, SkyState>({
  policy: 'skyserve',
  version: 1,
  demand: 'requestRate',
  actsAtOnce: true,
  tickMs: (spec, replicas) => (replicas === 0 ? spec.noReplicaDecisionIntervalMs : spec.decisionIntervalMs),
  begin: (spec, counted) => ({
    replicas: Math.max(counted.ready + counted.starting, spec.minReplicas),
    state: { history: emptyHistory(spec.qpsWindowMs), up: 0, down: 0 },
  }),
  write: ({ history, up, down }) => ({ history: historyToJson(history), up, down }),
  read: (spec, stored) => ({
    history: historyFromJson(objectOf(stored.history), spec.qpsWindowMs),
    up: numberOr(stored.up, 0),
    down: numberOr(stored.down, 0),
  }),
  take: (_spec, state, segment) => addSegment(state.history, segment),
  act(spec, state, { nowMs, replicas: target, observation, reasons }) {
    const rate = spec.targetQpsPerReplica === null ? 0 : dilutedMeanOver(state.history, nowMs, spec.qpsWindowMs);
    if (rate === null || !observation.countsKnown) return { replicas: heldWithoutDemand(spec, target, reasons) };
    const asked = spec.targetQpsPerReplica === null ? spec.minReplicas : Math.ceil(rate / spec.targetQpsPerReplica);
    const data = {
      signal: 'requests a second',
      value: Math.round(rate * 1000) / 1000,
      windowMs: spec.qpsWindowMs,
      target: spec.targetQpsPerReplica,
      replicas: asked,
    };
    reasons.push({ code: 'algorithm-asks', stage: 'recommendation', data });
    const wanted = limited(spec, asked, reasons);
    const counting = vote(spec, state, target, wanted);
    if (counting) {
      const waits = { wanted, votes: counting.votes, needed: counting.needed, replicas: target };
      reasons.push({ code: 'waits-for-votes', stage: 'behavior', data: waits });
      return { replicas: limited(spec, target, reasons) };
    }
    return wanted === 0 && rate === 0 ? { replicas: 0, revisitAtMs: null } : { replicas: wanted };
  },
});

/** `_set_target_num_replicas_with_hysteresis`; null when the target changes now or is content. */
function vote(
  spec: SkySettings,
  state: SkyState,
  target: number,
  wanted: number,
): { votes: number; needed: number } | null {
  if (target === 0) return null;
  const up = wanted > target ? state.up + 1 : 0;
  const down = wanted < target ? state.down + 1 : 0;
  const delayMs = up > 0 ? spec.upscaleDelayMs : spec.downscaleDelayMs;
  const votes = Math.max(up, down);
  const needed = Math.trunc(delayMs / spec.decisionIntervalMs);
  const changes = votes === 0 || votes >= needed;
  state.up = changes ? 0 : up;
  state.down = changes ? 0 : down;
  return changes ? null : { votes, needed };
}
