import type { Reason } from '../../explain/reasons.ts';
import type { DecideResult, Memory, Observation } from '../types.ts';
import { heldWithoutDemand, limited, type ReplicaLimits } from './limits.ts';
import { numberOr, numbersOf } from './storedJson.ts';
import { type AlgorithmSpec, tickingPolicy } from './tickingPolicy.ts';

/** KubeAI's `modelAutoscaling` and the scaling fields of a Model. */
export interface KubeAiSettings extends ReplicaLimits {
  /** Requests in flight a replica. */
  targetRequests: number;
  scaleDownDelayMs: number;
  intervalMs: number;
  timeWindowMs: number;
  /** Mean that the window is filled with at the beginning: what was saved before a restart. */
  savedAverage: number;
}

export interface KubeAiDecisionSpec extends KubeAiSettings, AlgorithmSpec {
  policy: 'kubeai';
}

export const defaultKubeAiSettings: KubeAiSettings = {
  minReplicas: 0,
  maxReplicas: null,
  targetRequests: 100,
  scaleDownDelayMs: 30_000,
  intervalMs: 10_000,
  timeWindowMs: 600_000,
  savedAverage: 0,
};

const mostSamples = 600;

interface KubeAiState {
  /** Ring of samples. */
  samples: number[];
  next: number;
  /** Turns in a row that wanted fewer. */
  shrinkVotes: number;
}

/**
 * KubeAI (internal/modelautoscaler, internal/modelclient/scale.go): mean of the requests in flight at each interval
 * over ten minutes, over the target. Shrinks after enough votes, and further without new ones until one turn does not
 * want to. An arrival at zero starts exactly one.
 */
export function decideByKubeAi(
  spec: KubeAiDecisionSpec,
  stored: Memory | null,
  observation: Observation,
): DecideResult {
  return decide(spec, stored, observation);
}

const decide = tickingPolicy<KubeAiDecisionSpec, KubeAiState>({
  policy: 'kubeai',
  version: 1,
  demand: 'concurrency',
  actsAtOnce: false,
  tickMs: (spec) => spec.intervalMs,
  begin: (spec, counted) => ({
    replicas: Math.max(counted.ready + counted.starting, spec.minReplicas),
    state: {
      samples: Array.from({ length: sampleCount(spec) }, () => spec.savedAverage),
      next: 0,
      shrinkVotes: 0,
    },
  }),
  write: ({ samples, next, shrinkVotes }) => ({ samples: [...samples], next, shrinkVotes }),
  read(spec, stored) {
    const samples = numbersOf(stored.samples);
    if (samples.length !== sampleCount(spec)) return null;
    return { samples, next: numberOr(stored.next, 0), shrinkVotes: numberOr(stored.shrinkVotes, 0) };
  },
  take: () => {},
  isUrgent: (_spec, _state, { replicas, counted }) => replicas === 0 && counted.held + counted.inFlight > 0,
  act(spec, state, { replicas: current, counted, observation, urgent, reasons }) {
    const active = counted.inFlight + counted.held;
    if (urgent) {
      reasons.push({ code: 'cold-start', stage: 'gate', data: { ongoing: active, replicas: 1 } });
      return { replicas: limited(spec, 1, reasons) };
    }
    // A sum that could not be read is no sample.
    if (!observation.countsKnown) return { replicas: heldWithoutDemand(spec, current, reasons) };
    state.samples[state.next] = active;
    state.next = (state.next + 1) % state.samples.length;
    const mean = state.samples.reduce((sum, sample) => sum + sample, 0) / state.samples.length;
    const asked = Math.ceil(mean / spec.targetRequests);
    const data = {
      signal: 'requests in flight',
      value: Math.round(mean * 1000) / 1000,
      windowMs: spec.timeWindowMs,
      target: spec.targetRequests,
      replicas: asked,
    };
    reasons.push({ code: 'algorithm-asks', stage: 'recommendation', data });
    const replicas = countVotes(spec, state, current, limited(spec, asked, reasons), reasons);
    const atRest = replicas === 0 && active === 0 && mean === 0;
    return atRest ? { replicas, revisitAtMs: null } : { replicas };
  },
});

function countVotes(
  spec: KubeAiSettings,
  state: KubeAiState,
  current: number,
  wanted: number,
  reasons: Reason[],
): number {
  if (wanted >= current) {
    state.shrinkVotes = 0;
    return wanted;
  }
  const needed = Math.ceil(spec.scaleDownDelayMs / spec.intervalMs);
  // The counter is not cleared by a shrink: that is what lets the next one follow without delay.
  if (state.shrinkVotes >= needed) return wanted;
  state.shrinkVotes++;
  const data = { wanted, votes: state.shrinkVotes, needed: needed + 1, replicas: current };
  reasons.push({ code: 'waits-for-votes', stage: 'behavior', data });
  return current;
}

function sampleCount(spec: KubeAiSettings): number {
  return Math.max(1, Math.min(mostSamples, Math.ceil(spec.timeWindowMs / spec.intervalMs)));
}
