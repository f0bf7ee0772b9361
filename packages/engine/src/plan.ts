import type { UpdateSpec } from '@ebb/documents';
import { isOnGoingNode } from './nodes/replicaPlace.ts';
import { isCounted, isHeldOnTo, type Replica } from './replicaSet.ts';
import { rolloutStep } from './rollout.ts';

export type DrainCause =
  | 'scale-down'
  | 'unready'
  | 'update'
  | 'class-removed'
  | 'workload-removed'
  | 'shutdown'
  | 'node';

export interface PlanInput {
  /** Replicas granted, per class. */
  desired: Readonly<Record<string, number>>;
  /** Current template revision of each class of the document. */
  revisions: ReadonlyMap<string, string>;
  update: UpdateSpec;
  replicas: readonly Replica[];
  /** False while starting replicas of the class is in back-off. */
  mayStart(className: string): boolean;
  /** Ids of the replicas to end, `count` at most, the best to lose first. */
  victims(replicas: readonly Replica[], count: number): string[];
  /** Why replicas go when their class is not in the document or nothing is desired. */
  cause?: DrainCause;
}

export interface Plan {
  starts: { class: string; count: number }[];
  /** Draining replicas that are kept after all: demand returned before they were stopped, and no start is needed. */
  takeBack: string[];
  drains: { id: string; cause: DrainCause }[];
  /** Classes that lack replicas and may not start any yet. */
  waiting: string[];
}

/** What to do so that the replicas become what was granted. Pure; acts on nothing. */
export function planReplicas(input: PlanInput): Plan {
  const plan: Plan = { starts: [], takeBack: [], drains: [], waiting: [] };
  let surgeLeft = input.update.maxSurge;
  const kept = input.replicas.filter(isHeldOnTo);
  for (const replica of kept) {
    if (!input.revisions.has(replica.class))
      plan.drains.push({ id: replica.id, cause: input.cause ?? 'class-removed' });
  }
  for (const [className, revision] of input.revisions) {
    const desired = input.desired[className] ?? 0;
    const own = input.replicas.filter((replica) => replica.class === className);
    const surge = planClass(plan, input, { className, revision, desired, own, surgeLeft });
    surgeLeft -= surge;
  }
  return plan;
}

interface ClassInput {
  className: string;
  revision: string;
  desired: number;
  own: Replica[];
  surgeLeft: number;
}

/** Adds the class's part to the plan; returns how much of the surge it uses. */
function planClass(plan: Plan, input: PlanInput, { className, revision, desired, own, surgeLeft }: ClassInput): number {
  // One whose node goes is replaced like one of an older template.
  const isCurrent = (replica: Replica) => replica.revision === revision && !isOnGoingNode(replica);
  const fresh = own.filter((replica) => isCurrent(replica) && isCounted(replica));
  const overdue = own.filter((replica) => isCurrent(replica) && isHeldOnTo(replica) && replica.isOverdue);
  const old = own.filter((replica) => !isCurrent(replica) && isHeldOnTo(replica));
  const oldReady = old.filter((replica) => replica.phase === 'ready');
  const oldNotReady = old.filter((replica) => replica.phase !== 'ready');
  const step = rolloutStep({
    update: input.update,
    desired,
    fresh: {
      ready: fresh.filter((replica) => replica.phase === 'ready').length,
      notReady: fresh.filter((replica) => replica.phase !== 'ready').length,
    },
    old: {
      ready: oldReady.length,
      notReady: oldNotReady.length,
      leaving: own.filter((replica) => !isCurrent(replica) && isLeaving(replica)).length,
    },
    surgeLeft,
  });

  const oldCause = ({ revision: own }: Replica): DrainCause => {
    if (desired === 0) return input.cause ?? 'scale-down';
    return own === revision ? 'node' : 'update';
  };
  for (const replica of oldNotReady) plan.drains.push({ id: replica.id, cause: oldCause(replica) });
  const leaving = new Set(input.victims(oldReady, step.drainOldReady));
  for (const replica of oldReady)
    if (leaving.has(replica.id)) plan.drains.push({ id: replica.id, cause: oldCause(replica) });
  for (const id of input.victims(fresh, fresh.length - desired)) {
    plan.drains.push({ id, cause: input.cause ?? 'scale-down' });
  }

  const total = fresh.length + step.start + oldReady.length - step.drainOldReady;
  const beyond = Math.max(0, total - desired);
  // One that is unready for too long may come back as long as its replacement is not ready, where there is room for both.
  const room = input.update.type === 'Recreate' ? 0 : Math.max(0, surgeLeft - beyond);
  const settled = fresh.filter(({ phase, unreadySinceMs }) => phase === 'ready' || unreadySinceMs !== null).length;
  const unserved = Math.max(0, desired - settled);
  const stay = Math.min(overdue.length, unserved, room);
  for (const id of input.victims(overdue, overdue.length - stay)) {
    plan.drains.push({ id, cause: desired === 0 ? (input.cause ?? 'scale-down') : 'unready' });
  }

  let missing = step.start;
  for (const replica of takeBackOrder(own, revision).slice(0, missing)) {
    plan.takeBack.push(replica.id);
    missing--;
  }
  if (missing > 0) {
    if (input.mayStart(className)) plan.starts.push({ class: className, count: missing });
    else plan.waiting.push(className);
  }
  return beyond + stay;
}

function isLeaving(replica: Replica): boolean {
  return !replica.ended && (replica.phase === 'draining' || replica.phase === 'stopping');
}

/** Draining replicas of the current template that the driver still calls ready, the last drained first. */
function takeBackOrder(own: readonly Replica[], revision: string): Replica[] {
  return own
    .filter(
      (replica) =>
        replica.phase === 'draining' &&
        replica.revision === revision &&
        !isOnGoingNode(replica) &&
        replica.seen?.phase === 'ready',
    )
    .sort((left, right) => (right.drainSinceMs ?? 0) - (left.drainSinceMs ?? 0) || (left.id < right.id ? -1 : 1));
}
