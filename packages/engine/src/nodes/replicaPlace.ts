import type { PlacedPod, PlacementPod } from '@ebb/core';
import type { Replica } from '../replicaSet.ts';

/** The cluster of a replica whose pools and regions are all gone: it runs nowhere rather than somewhere else. */
export const nowhere = '';

/** A place on a node. */
export interface BoundPlace {
  node: string;
  place: PlacedPod;
}

/** Where a replica is, of those that need a node of their own. */
export interface ReplicaPlace {
  /** The cluster whose machines it is placed on. */
  readonly cluster: string;
  /** Null: it waits for a place. */
  bound: BoundPlace | null;
  /** Its node is ready: the driver may be asked for it. */
  isNodeReady: boolean;
  /** Its node goes: it counts no more, and another one is started elsewhere. */
  isNodeGoing: boolean;
  /** Since when it waits for a ready node, microseconds of the machine's clock. */
  readonly sinceUs: number;
  /** What it asks of a node, as its workload's document said when that was last known. */
  template: PlacementPod | null;
}

export function newPlace(cluster: string, sinceUs: number): ReplicaPlace {
  return { cluster, bound: null, isNodeReady: false, isNodeGoing: false, sinceUs, template: null };
}

/** Whether the driver is not to be asked for it yet. */
export function waitsForNode({ place }: Pick<Replica, 'place'>): boolean {
  return place !== null && !place.isNodeReady;
}

/** Its node goes, so that it is replaced like one of an older template. */
export function isOnGoingNode({ place }: Pick<Replica, 'place'>): boolean {
  return place?.isNodeGoing === true;
}
