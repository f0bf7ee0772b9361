import { entriesOf } from './policy.ts';
import type { ResourceAmounts, SizedContainer, SizingRecommendation } from './types.ts';

/** How much a replica should be updated. */
export interface UpdatePriority {
  /** A request lies outside its bounds, or is missing. */
  outsideRange: boolean;
  /** Something should become larger. */
  grows: boolean;
  /** Sum over resources of |requested − recommended| / requested. */
  difference: number;
}

/**
 * Compares what a replica has with what is recommended. Sums run over its containers, so opposite changes cancel.
 * `observed`: the containers that were sized when it started, null: all. Source: VPA updater, priority processor.
 */
export function updatePriority(
  containers: SizedContainer[],
  recommendation: SizingRecommendation,
  observed: string[] | null,
): UpdatePriority {
  const sums = new Map<string, { requested: number; recommended: number }>();
  let outsideRange = false;
  let grows = false;
  for (const { name, requests } of containers) {
    const wanted = recommendation.containers.find((container) => container.name === name);
    if (!wanted || (observed && !observed.includes(name))) continue;
    for (const { resource, key, value } of entriesOf(wanted.target)) {
      const sum = sums.get(resource) ?? { requested: 0, recommended: 0 };
      sums.set(resource, sum);
      sum.recommended += inThousandths(key, value);
      const request = requests[key];
      if (request === undefined) {
        grows = true;
        outsideRange = true;
        continue;
      }
      sum.requested += inThousandths(key, request);
      if (value > request) grows = true;
      if (request < (wanted.lowerBound[key] ?? request) || request > (wanted.upperBound[key] ?? request)) {
        outsideRange = true;
      }
    }
  }
  let difference = 0;
  for (const { requested, recommended } of sums.values()) {
    const base = Math.max(requested, 1);
    difference += Math.abs(base - recommended) / base;
  }
  return { outsideRange, grows, difference };
}

/** Order of update, most urgent first: growing before shrinking, then the larger difference. */
export function byUrgency(a: UpdatePriority, b: UpdatePriority): number {
  return Number(b.grows) - Number(a.grows) || b.difference - a.difference;
}

/** The unit in which an absent request counts as 1. */
const inThousandths = (key: keyof ResourceAmounts, value: number): number =>
  key === 'memoryBytes' ? value * 1000 : value;
