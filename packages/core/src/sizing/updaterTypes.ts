import type { Reason } from '../explain/reasons.ts';
import type { ApplyRules } from './apply.ts';
import type { SizedContainer, SizedResource, SizingRecommendation } from './types.ts';

/**
 * Off: recommend only. Initial: at a replica's creation only. Recreate: also by replacing replicas. Auto: an old name
 * of Recreate. InPlaceOrRecreate: resize, replace where that fails. InPlace: resize, never replace.
 */
export type UpdateMode = 'Off' | 'Initial' | 'Recreate' | 'Auto' | 'InPlaceOrRecreate' | 'InPlace';

export interface EvictionRequirement {
  /** At least one of them has to change in the direction named. */
  resources: SizedResource[];
  changeRequirement: 'TargetHigherThanRequests' | 'TargetLowerThanRequests';
}

export interface UpdatePolicy {
  /** Upstream's default is Recreate. */
  mode: UpdateMode;
  /** Live replicas an update needs; null: the updater's. */
  minReplicas: number | null;
  /** All have to hold, for one container at least. */
  evictionRequirements: EvictionRequirement[];
  /** Null: the updater's. */
  evictAfterOomMs: number | null;
}

/** Flags of the updater. */
export interface UpdaterSettings {
  minReplicas: number;
  /** Part of a group that may be missing at once. */
  evictionTolerance: number;
  /** Smallest difference for which a replica within its bounds is updated. */
  minDifference: number;
  /** Age before that. */
  minLifetimeMs: number;
  evictAfterOomMs: number;
  /** Upstream has the mode InPlace behind a gate that is closed. */
  inPlaceEnabled: boolean;
  /** Resizes that restart nothing need no disruption budget. */
  inPlaceSkipsBudget: boolean;
}

export const defaultUpdater: UpdaterSettings = {
  minReplicas: 2,
  evictionTolerance: 0.5,
  minDifference: 0.1,
  minLifetimeMs: 43_200_000,
  evictAfterOomMs: 600_000,
  inPlaceEnabled: false,
  inPlaceSkipsBudget: false,
};

export type ResizeStatus = 'deferred' | 'infeasible' | 'inProgress' | 'error' | 'unknown';

/** One running replica as the updater sees it; one that is being deleted is not given. */
export interface UpdatableReplica {
  name: string;
  /** What owns it and keeps its number: a ReplicaSet, a workload's class. */
  group: string;
  pending: boolean;
  startedAtMs: number | null;
  containers: UpdatableContainer[];
  /** Containers that were sized when it started; null: not known, all count. */
  observedContainers: string[] | null;
  /** A resize in place that is under way, and since when. */
  resize: { status: ResizeStatus; sinceMs: number } | null;
  /** Whether a resize restarts a container of it. */
  resizeRestarts: boolean;
  /** What its node refused last (mode InPlace); null: nothing. */
  refused: SizingRecommendation | null;
}

export interface UpdatableContainer extends SizedContainer {
  /** Its last end, where that was an OOM. */
  lastOom: { startedAtMs: number; finishedAtMs: number } | null;
}

export interface UpdateObservation {
  nowMs: number;
  replicas: UpdatableReplica[];
  /** Replicas each group should have; null: as many as live (jobs). */
  groups: Map<string, number | null>;
}

export interface UpdateSpec extends ApplyRules {
  policy: UpdatePolicy;
  settings: UpdaterSettings;
}

export interface ReplicaUpdate {
  replica: string;
  /** `evict`: replace it. `resize`: change it in place. */
  action: 'evict' | 'resize';
  /** Its node refused the present size: the recommendation has to be remembered as `refused`. */
  remembersRefusal: boolean;
  /** Requests and limits it should get. */
  containers: SizedContainer[];
  reasons: Reason[];
}

export interface UpdatePlan {
  /** In the order in which they should be done. */
  updates: ReplicaUpdate[];
  /** Replicas that stay as they are for now, and why. */
  held: { replica: string; reasons: Reason[] }[];
}
