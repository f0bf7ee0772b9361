import type { WorldModel } from '../contract/model.ts';
import { Draws } from '../kernel/draws.ts';

/** How long a trace's n-th request may be deferred, whole microseconds; null: it may not. */
export type Deferrals = (request: number) => number | null;

/** Which requests may wait: a share of all, drawn by their numbers over all workloads, so that every policy has the same. */
export function deferrals({ deferrable }: Pick<WorldModel, 'deferrable'>, seed: number): Deferrals {
  if (!deferrable) return () => null;
  const draws = new Draws(seed).fork('deferrable');
  const longestUs = Math.round(deferrable.maxDelayMs * 1000);
  return (request) => (draws.at(request) < deferrable.share ? longestUs : null);
}
