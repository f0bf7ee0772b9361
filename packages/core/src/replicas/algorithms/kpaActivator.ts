import type { KpaSettings } from './kpaSettings.ts';
import { kpaTarget } from './kpaSettings.ts';

/** Knative's activators: how many, which pods each of them serves and with how many slots (pkg/activator/net). */

/** `minActivators` of pkg/reconciler/autoscaling/kpa. */
export const leastActivators = 2;
/** Requests one activator holds for one revision before it answers 503 "pending request queue full". */
export const activatorQueueDepth = 10_000;

/** Activators a revision needs: enough for its pods and the target burst, two at least. */
export function activatorCount(settings: KpaSettings, readyPods: number): number {
  const burst = settings.targetBurstCapacity;
  if (burst === 0) return leastActivators;
  const capacity = Math.max(0, readyPods) * kpaTarget(settings).total + Math.max(0, burst);
  return Math.max(leastActivators, Math.ceil(capacity / settings.activatorCapacity));
}

/**
 * Indices of the pods (sorted by address) that one activator sends to: an equal share each, the remainder one each from
 * the first; with fewer pods than activators they are shared in turn. `self` is -1 where the activator is not in the
 * subset, and then it takes all.
 */
export function activatorPods(pods: number, activators: number, self: number): number[] {
  const all = Array.from({ length: Math.max(0, pods) }, (_, index) => index);
  if (self === -1 || pods <= 1 || activators <= 1) return all;
  if (activators > pods) return [self % pods];
  const share = Math.floor(pods / activators);
  const own = all.slice(self * share, (self + 1) * share);
  const tail = all.slice(share * activators);
  const extra = tail[self];
  return extra === undefined ? own : [...own, extra];
}

/** Requests one activator lets through at once; null: no limit (container concurrency 0). */
export function activatorSlots(containerConcurrency: number, ownPods: number): number | null {
  return containerConcurrency === 0 ? null : containerConcurrency * ownPods;
}

export type ActivatorBalancing = 'two-random-choices' | 'first-available' | 'round-robin';

/** How an activator picks a pod (pkg/activator/net/lb_policy.go). */
export function activatorBalancing(containerConcurrency: number): ActivatorBalancing {
  if (containerConcurrency === 0) return 'two-random-choices';
  return containerConcurrency <= 3 ? 'first-available' : 'round-robin';
}

/**
 * Pods to scrape so that the mean of a population is known within 5 % at 95 % confidence
 * (pkg/autoscaler/metrics/sample_size.go).
 */
export function podSampleSize(pods: number): number {
  if (pods < 0) return 0;
  if (pods <= 3) return pods;
  const x = (1.96 * 1.96 * 100) / 25;
  return Math.ceil((pods * x) / (pods + x - 1));
}
