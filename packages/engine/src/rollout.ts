import type { UpdateSpec } from '@ebb/documents';

export interface RolloutInput {
  update: UpdateSpec;
  /** Replicas of the class that the grant asks for. */
  desired: number;
  /** Of the current template. */
  fresh: { ready: number; notReady: number };
  /** Of earlier templates. */
  old: { ready: number; notReady: number /** Draining and stopping. */; leaving: number };
  /** Replicas beyond `desired` that the workload's other classes leave of `maxSurge`. */
  surgeLeft: number;
}

export interface RolloutStep {
  start: number;
  drainOldReady: number;
  drainOldNotReady: number;
}

/**
 * The next step from old replicas to fresh ones, by the rules of a Kubernetes Deployment: Rolling keeps at most
 * `desired + maxSurge` replicas and at least `desired − maxUnavailable` ready ones, Recreate ends all old ones before the
 * first fresh one starts. Old replicas that are not ready serve nobody and go at once. Where both limits are zero
 * nothing could ever move, so one replica may be unavailable.
 */
export function rolloutStep({ update, desired, fresh, old, surgeLeft }: RolloutInput): RolloutStep {
  if (update.type === 'Recreate') {
    const present = old.ready + old.notReady + old.leaving;
    const start = present > 0 ? 0 : Math.max(0, desired - fresh.ready - fresh.notReady);
    return { start, drainOldReady: old.ready, drainOldNotReady: old.notReady };
  }
  const maxUnavailable = update.maxSurge === 0 && update.maxUnavailable === 0 ? 1 : update.maxUnavailable;
  const spare = fresh.ready + old.ready - Math.max(0, desired - maxUnavailable);
  const drainOldReady = Math.max(0, Math.min(old.ready, spare));
  const freshCount = fresh.ready + fresh.notReady;
  const total = freshCount + old.ready - drainOldReady;
  const start = Math.max(0, Math.min(desired - freshCount, desired + Math.max(0, surgeLeft) - total));
  return { start, drainOldReady, drainOldNotReady: old.notReady };
}
