import { expectedColdStartMs } from './coldStarts.ts';
import { type EngineContext, recordOutcome } from './context.ts';
import { learnedMs } from './learnedColdStart.ts';
import { isHeldOnTo, type Replica } from './replicaSet.ts';
import type { WorkloadState } from './workloadState.ts';

/** A replica that was ready may be unready for this long, ms, before another one is asked for in its place. */
const leastMs = 30_000;
/** And for this many cold starts: one that recovers before a new one would be ready is not worth replacing. */
const coldStarts = 2;

/** How long a replica of the class is waited for after its readiness probe has begun to say no, ms. */
export function patienceMs(state: WorkloadState, className: string): number {
  const coldStartMs = learnedMs(state.coldStarts.learned[className]) ?? expectedColdStartMs(state);
  return Math.max(leastMs, coldStarts * coldStartMs);
}

/** Follows since when a replica is unready. One that is ready again, or starts anew, counts like any other. */
export function noteReadiness(replica: Replica, nowMs: number): void {
  if (isUnready(replica)) replica.unreadySinceMs ??= nowMs;
  else {
    replica.unreadySinceMs = null;
    replica.isOverdue = false;
  }
}

/**
 * Marks replicas that have been unready for too long: they are no capacity any more, so others are started in their place.
 * `maxSurge` of a class at a time (one at least), and none while others are still to get ready: what makes all replicas
 * unready at once, such as a database that is away, must not end them all.
 */
export function markOverdue(context: EngineContext, state: WorkloadState): void {
  const { clock, log } = context.ports;
  if (!context.driverConnected || context.quiescing || state.removed) return;
  const nowMs = clock.nowMs();
  for (const { name } of state.spec.classes) {
    const own = [...state.replicas.values()].filter((replica) => replica.class === name && isHeldOnTo(replica));
    const unready = own.filter(isUnready);
    if (unready.length === 0) continue;
    const overdue = unready.filter(({ isOverdue }) => isOverdue).length;
    const ready = own.filter(({ phase }) => phase === 'ready').length;
    const missing = (state.grant?.classes[name] ?? 0) - ready - (unready.length - overdue);
    const room = Math.max(1, state.spec.update.maxSurge) - Math.max(overdue, missing);
    const waitMs = patienceMs(state, name);
    const late = unready
      .filter(({ unreadySinceMs, isOverdue }) => !isOverdue && nowMs - (unreadySinceMs ?? nowMs) >= waitMs)
      .sort((left, right) => (left.unreadySinceMs ?? 0) - (right.unreadySinceMs ?? 0));
    for (const replica of late.slice(0, Math.max(0, room))) {
      replica.isOverdue = true;
      const why = replica.seen?.message ? ` (${replica.seen.message})` : '';
      replica.message = `unready for ${Math.round(waitMs / 1000)} s${why}: another replica is started in its place`;
      log('warn', 'a replica is unready for too long and is replaced', { replica: replica.id, workload: state.key });
      recordOutcome(context, state, replica, 'unready-too-long');
      context.feed.changed(state.key, true);
    }
  }
}

/** When the next replica has been unready for too long; null: none is, or only time alone changes nothing. */
export function nextOverdueMs(state: WorkloadState, nowMs: number): number | null {
  let nextMs: number | null = null;
  for (const { unreadySinceMs, class: className } of state.replicas.values()) {
    if (unreadySinceMs === null) continue;
    const atMs = unreadySinceMs + patienceMs(state, className);
    if (atMs > nowMs && (nextMs === null || atMs < nextMs)) nextMs = atMs;
  }
  return nextMs;
}

/** A driver says `unready` only of one that has been ready. */
function isUnready({ phase, seen }: Replica): boolean {
  return phase === 'starting' && seen?.phase === 'unready';
}
