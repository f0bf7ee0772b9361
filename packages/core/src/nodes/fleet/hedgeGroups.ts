import type { PoolOffering } from '../placement/types.ts';
import type { SpotSettings } from '../spot/hedgePool.ts';
import type { InstanceType } from '../types.ts';
import type { Draft } from './draft.ts';
import type { FleetHedge, FleetNode } from './types.ts';
import { outdatedBy } from './views.ts';

/** Machines of one size in one pool, which stand in for each other. */
export interface HedgeGroup {
  pool: string;
  size: string;
  spot: SpotSettings;
  /** Of this size, all capacity types. */
  offerings: readonly PoolOffering[];
  /** Nodes that count for the hedge: they stay, and nothing on them has to be on demand. */
  members: FleetNode[];
  /** Nodes with pods; those among them that leave; all that are in the book. */
  inUse: number;
  leaving: number;
  nodes: number;
  /** Members that are to be replaced, for which others may be bought first. */
  replaced: number;
  needed: number;
  /** Nodes on demand that are always there, pods that may not be interrupted apart. */
  floor: number;
}

export const groupKey = ({ pool, size }: Pick<FleetHedge, 'pool' | 'size'>): string => `${pool}|${size}`;

/** The same for machines of which one can take the place of another. */
export function sizeOf(type: InstanceType): string {
  const known = sizes.get(type);
  if (known !== undefined) return known;
  const { cpuMilli, memoryBytes, gpu } = type;
  const gpus = gpu === null ? '' : `/${gpu.count}×${gpu.vendor}:${gpu.model}`;
  const size = `${cpuMilli}/${memoryBytes}${gpus}`;
  sizes.set(type, size);
  return size;
}
const sizes = new WeakMap<InstanceType, string>();

/**
 * What is hedged now. `planned`: nodes by group for pods that have no place yet; `before`: how many were needed last time.
 * Nodes on which a pod may not be interrupted are on demand anyway: they count for the floor alone.
 */
export function hedgeGroups(
  draft: Draft,
  planned: ReadonlyMap<string, number>,
  before: ReadonlyMap<string, FleetHedge>,
): HedgeGroup[] {
  const groups = new Map<string, HedgeGroup>();
  const fixed = new Map<string, number>();
  const groupOf = (pool: string, size: string): HedgeGroup | null => {
    const key = groupKey({ pool, size });
    const own = draft.pools.get(pool);
    const known = groups.get(key);
    if (known || !own?.spot) return known ?? null;
    const offerings = offeringsOf(own.consolidation.pool.offerings, size);
    const counts = { inUse: 0, leaving: 0, nodes: 0, replaced: 0, needed: 0, floor: 0 };
    const group: HedgeGroup = { pool, size, spot: own.spot, offerings, members: [], ...counts };
    groups.set(key, group);
    return group;
  };
  for (const { pool, size } of before.values()) groupOf(pool, size);
  for (const key of planned.keys()) {
    const [pool = '', size = ''] = splitAtLast(key);
    groupOf(pool, size);
  }
  for (const node of draft.book.all()) {
    if (!draft.pools.get(node.pool)?.spot) continue;
    const group = groupOf(node.pool, sizeOf(node.offering.instanceType));
    if (group !== null && count(draft, group, node)) fixed.set(node.pool, (fixed.get(node.pool) ?? 0) + 1);
  }
  for (const [key, group] of groups) {
    const now = group.inUse + (planned.get(key) ?? 0);
    // Pods of a node that goes are counted until they have another place, but never twice.
    group.needed = Math.max(now, Math.min(before.get(key)?.needed ?? 0, now + group.leaving));
  }
  const all = [...groups.values()];
  for (const [pool, own] of Map.groupBy(all, (group) => group.pool)) shareFloor(own, fixed.get(pool) ?? 0);
  return all;
}

/** Whether the node is on demand for its pods' sake. */
function count(draft: Draft, group: HedgeGroup, node: FleetNode): boolean {
  const { phase, notice, unreadySinceMs } = node;
  group.nodes++;
  let pods = 0;
  let isFixed = false;
  for (const { pod, isLeaving } of draft.podsOn(node.id)) {
    if (isLeaving) continue;
    pods++;
    isFixed ||= !pod.interruptible;
  }
  if (phase === 'ending' || phase === 'draining' || notice?.kind === 'interruption') {
    if (phase === 'draining' && pods > 0 && !isFixed && !isMoved(node)) group.leaving++;
    return false;
  }
  if (isFixed) return true;
  if (pods > 0) group.inUse++;
  if (isToBeReplaced(draft, node)) {
    // An empty one goes as soon as it may: another is bought at once.
    if (pods === 0) return false;
    group.replaced++;
  }
  // One that is not ready for the moment is waited for like one that starts.
  group.members.push(unreadySinceMs && phase === 'ready' ? { ...node, phase: 'starting' } : node);
  return false;
}

/** Its pool has changed, it is past its lifetime, or may be taken back. */
export function isToBeReplaced({ pools, nowMs }: Draft, node: FleetNode): boolean {
  return node.notice !== null || outdatedBy(node, pools.get(node.pool), nowMs) !== null;
}

/** Its pods have their places on nodes that are there, or bought for them. */
function isMoved({ going }: FleetNode): boolean {
  return going?.reason.kind === 'underutilized';
}

/** The pool's floor, less what is on demand anyway, goes to the size of which most is needed. */
function shareFloor(groups: readonly HedgeGroup[], fixed: number): void {
  const needed = groups.reduce((sum, group) => sum + group.needed, fixed);
  const [first] = groups;
  if (first === undefined) return;
  const { onDemandFloor: floor } = first.spot;
  // A part like 0.07 × 100 is a little more than 7 in floating point.
  const whole = 'count' in floor ? floor.count : Math.ceil(floor.share * needed - 1e-9);
  let left = Math.max(0, whole - fixed);
  for (const group of groups.toSorted((a, b) => b.needed - a.needed || (a.size < b.size ? -1 : 1))) {
    group.floor = Math.min(left, group.needed);
    left -= group.floor;
  }
}

const bySize = new WeakMap<readonly PoolOffering[], Map<string, PoolOffering[]>>();

/** Kept for lists that were seen: they are long. */
function offeringsOf(offerings: readonly PoolOffering[], size: string): readonly PoolOffering[] {
  let sizes = bySize.get(offerings);
  if (sizes === undefined) {
    sizes = Map.groupBy(offerings, ({ offering }) => sizeOf(offering.instanceType));
    bySize.set(offerings, sizes);
  }
  return sizes.get(size) ?? [];
}

function splitAtLast(key: string): [string, string] {
  const at = key.lastIndexOf('|');
  return [key.slice(0, at), key.slice(at + 1)];
}
