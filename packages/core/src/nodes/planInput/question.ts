import type { ClusterSpec, NodePoolSpec, WorkloadSpec } from '@ebb/documents';
import type { PlacementInput } from '../placement/types.ts';
import type { Offering } from '../types.ts';

/** Hours of an average month: a year has 8760. */
export const hoursPerMonth = 730;

/** What is asked: which machines would these documents need? */
export interface PlacementQuestion {
  workloads: readonly WorkloadSpec[];
  pools: readonly NodePoolSpec[];
  clusters: readonly ClusterSpec[];
  /** Everything that can be rented, of all clouds. */
  offerings: readonly Offering[];
  /** Of the offerings' prices; budgets in another one do not count. */
  currency: string;
  /** By workload, as `NAME`, `NAMESPACE/NAME`, and each with `:CLASS`; those not named have `max(1, minReplicas)`. */
  replicas: ReadonlyMap<string, number>;
  /** Pools are named by their keys, `cluster/namespace/name`. Left out: by their own names where that is enough. */
  namesAreKeys?: boolean;
  /** It is for a fleet, which keeps the least number of nodes, spares and weights by itself: they are not told as left aside. */
  isForFleet?: boolean;
  /** In place of what the clusters say; null: what they say. */
  cloud: string | null;
  region: string | null;
}

/** Replicas that are alike. */
export interface ReplicaGroup {
  /** The workload, and its class where it has several: `web`, `web:large`. */
  name: string;
  ids: readonly string[];
}

export interface PlacementAnswer {
  input: PlacementInput;
  groups: readonly ReplicaGroup[];
  /** What of the documents the plan does not heed, and what was assumed. */
  notes: readonly string[];
  /** What makes the question wrong; empty: the plan can be made. */
  problems: readonly string[];
}

/** Where sentences are gathered: each is told once. */
export interface Remarks {
  notes: Set<string>;
  problems: Set<string>;
}

/** `, did you mean "x"?`, or what there is. */
export function knownNames(meant: string | undefined, known: readonly string[]): string {
  if (meant !== undefined) return `; did you mean "${meant}"?`;
  return known.length === 0 ? '; there is none' : `; there is ${known.slice(0, 30).join(', ')}`;
}
