import type { DecisionSpec, Memory, Observation } from '../replicas/types.ts';

/** One thing that, had it been otherwise and all else the same, would have given another number of replicas. */
export interface WhatIf {
  /** Stable code; `whatIfSentence` words it. */
  change: string;
  data: Record<string, string | number | boolean | null>;
}

/** The decision that is varied, and the way to decide on a variation of it. */
export interface Varied {
  spec: DecisionSpec;
  memory: Memory | null;
  observation: Observation;
  /** Replicas that were decided. */
  replicas: number;
  /** Replicas decided under a variation; null once the evaluations are used up. */
  replicasWith(variation: { spec?: DecisionSpec; memory?: Memory | null; observation?: Observation }): number | null;
}

/**
 * The smallest integer in (low, high] for which the test holds, which must hold from some point on; null where it does
 * not hold at `high`. Steps double first, because the answer is mostly near.
 */
export function smallestThat(low: number, high: number, holds: (value: number) => boolean): number | null {
  let below = low;
  let step = 1;
  let above = Math.min(high, low + 1);
  while (!holds(above)) {
    if (above >= high) return null;
    below = above;
    step *= 2;
    above = Math.min(high, low + step);
  }
  while (above - below > 1) {
    const middle = below + Math.floor((above - below) / 2);
    if (holds(middle)) above = middle;
    else below = middle;
  }
  return above;
}
