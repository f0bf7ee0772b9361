import type { Reason } from '../explain/reasons.ts';
import { because } from './sizingReasons.ts';
import type { UpdatableReplica, UpdateObservation, UpdateSpec } from './updaterTypes.ts';

/** A resize that the node puts off for longer is given up (InPlaceOrRecreate). */
const deferredMs = 300_000;
/** A resize that takes longer is given up (InPlaceOrRecreate). */
const inProgressMs = 3_600_000;

interface Group {
  configured: number;
  running: number;
  tolerance: number;
  belowMinimum: boolean;
  evicted: number;
  resized: number;
}

/**
 * How many replicas of each group may be disrupted in one round; counts what is done in it. A group with too few live
 * replicas, or whose intended number is not known, takes no part. Source: VPA updater, restrictions.
 */
export class DisruptionBudget {
  readonly #groups = new Map<string, Group>();
  readonly #live = new Map<string, number>();
  readonly #minReplicas: number;
  readonly #nowMs: number;

  constructor(spec: UpdateSpec, { nowMs, replicas, groups }: UpdateObservation) {
    const { policy, settings } = spec;
    const resizes = policy.mode === 'InPlace' || policy.mode === 'InPlaceOrRecreate';
    this.#nowMs = nowMs;
    this.#minReplicas = policy.minReplicas ?? settings.minReplicas;
    const pending = new Map<string, number>();
    for (const replica of replicas) {
      this.#live.set(replica.group, (this.#live.get(replica.group) ?? 0) + 1);
      if (replica.pending) pending.set(replica.group, (pending.get(replica.group) ?? 0) + 1);
    }
    for (const [name, live] of this.#live) {
      const belowMinimum = live < this.#minReplicas;
      const configured = groups.get(name) === null ? live : groups.get(name);
      if ((belowMinimum && !(resizes && settings.inPlaceSkipsBudget)) || !configured) continue;
      this.#groups.set(name, {
        configured,
        running: live - (pending.get(name) ?? 0),
        tolerance: Math.trunc(configured * settings.evictionTolerance),
        belowMinimum,
        evicted: 0,
        resized: 0,
      });
    }
  }

  takesPart(replica: UpdatableReplica): boolean {
    return this.#groups.has(replica.group);
  }

  /** Whether the replica may be replaced now; one that is being resized, only when that has failed. */
  mayEvict(replica: UpdatableReplica): boolean {
    const group = this.#groups.get(replica.group);
    if (!group) return false;
    if (replica.pending) return true;
    if (group.belowMinimum) return false;
    return replica.resize ? this.resizeFailed(replica) : this.mayDisrupt(replica);
  }

  /**
   * Whether one more replica of the group may be missing. The first may be whenever all run: a group too small for
   * any tolerance would else never be updated.
   */
  mayDisrupt(replica: UpdatableReplica): boolean {
    const group = this.#groups.get(replica.group);
    if (!group) return false;
    const { configured, running, tolerance, evicted, resized } = group;
    if (running - evicted - resized > configured - tolerance) return true;
    return configured === running && evicted === 0 && resized === 0;
  }

  /** Whether a resize under way is to be given up, and the group can spare the replica. */
  resizeFailed(replica: UpdatableReplica): boolean {
    if (!replica.resize || !this.mayDisrupt(replica)) return false;
    const { status, sinceMs } = replica.resize;
    if (status === 'deferred') return this.#nowMs - sinceMs > deferredMs;
    if (status === 'inProgress') return this.#nowMs - sinceMs > inProgressMs;
    return true;
  }

  countEviction(replica: UpdatableReplica): void {
    const group = this.#groups.get(replica.group);
    if (group && !replica.pending) group.evicted++;
  }

  countResize(replica: UpdatableReplica): void {
    const group = this.#groups.get(replica.group);
    if (group) group.resized++;
  }

  /** Why the replica may not be disrupted. */
  whyNot(replica: UpdatableReplica): Reason {
    const { name } = replica;
    const live = this.#live.get(replica.group) ?? 0;
    const group = this.#groups.get(replica.group);
    if (live < this.#minReplicas) {
      return because('sizing-too-few-replicas', { replica: name, live, minReplicas: this.#minReplicas });
    }
    if (!group) return because('sizing-group-unknown', { replica: name });
    if (replica.resize) return because('sizing-resize-waits', { replica: name, resize: replica.resize.status });
    const { configured, tolerance } = group;
    const alive = group.running - group.evicted - group.resized;
    return because('sizing-eviction-limit', { replica: name, alive, configured, tolerance });
  }
}
