import { type Claim, type ClaimClass, give, lackedBy, type ShareGroup } from './claim.ts';
import { MinHeap } from './minHeap.ts';
import type { Room } from './room.ts';

/** How far one pass of `shareOut` goes. */
export interface Goal {
  /** Per class: what runs and is wanted, or all that is wanted. */
  upTo: 'kept' | 'wanted';
  /** For the workload as a whole. */
  atMost(claim: Claim): number;
  /** Running replicas go only to make room for a higher priority, never because a limit was lowered. */
  keepsWhatRuns?: boolean;
}

interface GroupTurn {
  group: ShareGroup;
  claims: MinHeap<Turn>;
  share: number;
  /** Weight beside the heaviest group's, so that a light one gets no slice that is more than its share. */
  part: number;
}

interface Turn {
  claim: Claim;
  share: number;
}

/**
 * Shares room between claims of one priority until each has what the goal asks or lacks room: progressive filling of
 * dominant shares (Ghodsi et al., "Dominant Resource Fairness", NSDI 2011), between quota groups by weight (as
 * Kueue's fair sharing does between ClusterQueues), then between workloads. The one that holds least is served next;
 * among equals the one with the earliest turn. Replicas stay whole, and what does not divide goes by turn, too.
 *
 * Claims that were given something are added to `served`, in the order of the last replica each was given.
 *
 * O(n log n) for n claims: while there is plenty, one serving gives a slice of the room instead of one replica.
 */
export function shareOut(claims: readonly Claim[], goal: Goal, served: Set<Claim> = new Set()): void {
  const wanting = claims.filter((claim) => nextClass(claim, goal, false) !== null);
  if (wanting.length === 0) return;
  if (allFit(wanting, goal)) {
    for (const claim of wanting) {
      forEachMissing(claim, goal, (entry, times) => give(claim, entry, times));
      moveToEnd(served, claim);
    }
    return;
  }
  const groups = new MinHeap(groupTurns(wanting), groupBefore);
  let servings = 0;
  for (let group = groups.top(); group; group = groups.top()) {
    if (servings-- === 0) servings = sliceRooms(groups.items);
    const turn = group.claims.top();
    if (!turn) {
      groups.removeTop();
      continue;
    }
    if (serve(turn.claim, goal, group.part)) {
      moveToEnd(served, turn.claim);
      turn.share = dominantShare(turn.claim.rooms, turn.claim.held);
      group.claims.topChanged();
      group.share = groupShare(group.group);
    } else {
      group.claims.removeTop();
    }
    groups.topChanged();
  }
}

function moveToEnd(served: Set<Claim>, claim: Claim): void {
  served.delete(claim);
  served.add(claim);
}

/** False when the claim has reached the goal or lacks room for more: room never comes back, so it is done. */
function serve(claim: Claim, goal: Goal, part: number): boolean {
  const next = nextClass(claim, goal, true);
  if (!next) return false;
  give(claim, next.entry, Math.min(next.missing, stepOf(claim, next.entry, part)));
  return true;
}

/** The cheapest class of which more is wanted and, where asked, fits. */
function nextClass(claim: Claim, goal: Goal, fits: boolean): { entry: ClaimClass; missing: number } | null {
  for (const entry of claim.classes) {
    const missing = Math.min(entry[goal.upTo] - entry.granted, goal.atMost(claim) - claim.granted);
    if (missing > 0 && (!fits || hasRoom(claim, entry, goal))) return { entry, missing };
  }
  return null;
}

function hasRoom(claim: Claim, entry: ClaimClass, goal: Goal): boolean {
  for (let i = 0; i < claim.rooms.length; i++) {
    const each = entry.each[i] ?? 0;
    if (each === 0 || each <= (claim.rooms[i]?.left ?? 0)) continue;
    return goal.keepsWhatRuns === true && lackedBy(claim, entry).every((room) => room.grownBy === null);
  }
  return true;
}

function forEachMissing(claim: Claim, goal: Goal, visit: (entry: ClaimClass, times: number) => void): void {
  let left = goal.atMost(claim) - claim.granted;
  for (const entry of claim.classes) {
    const times = Math.min(entry[goal.upTo] - entry.granted, left);
    if (times <= 0) continue;
    left -= times;
    visit(entry, times);
  }
}

/** Whether there is room for all that the goal asks: the common case, in one pass. */
function allFit(claims: readonly Claim[], goal: Goal): boolean {
  for (const claim of claims) for (const room of claim.rooms) room.asked = 0;
  for (const claim of claims) {
    forEachMissing(claim, goal, (entry, times) => {
      claim.rooms.forEach((room, i) => {
        room.asked += (entry.each[i] ?? 0) * times;
      });
    });
  }
  return claims.every((claim) => claim.rooms.every((room) => room.asked === 0 || room.asked <= room.left));
}

/**
 * Cuts what is left of each room into slices: a quarter of it, divided by those that still compete for it. Nobody gets
 * ahead of the others by more than a slice, and the rest is more than enough for them to catch up; the last replicas
 * are given one by one. Returns after how many servings the slices must be cut again.
 */
function sliceRooms(groups: readonly GroupTurn[]): number {
  let competing = 0;
  for (const group of groups) {
    for (const { claim } of group.claims.items) for (const room of claim.rooms) room.asked = 0;
    competing += group.claims.items.length;
  }
  for (const group of groups) {
    for (const { claim } of group.claims.items) for (const room of claim.rooms) room.asked += 1;
  }
  return competing;
}

function stepOf(claim: Claim, entry: ClaimClass, part: number): number {
  let step = Number.POSITIVE_INFINITY;
  for (let i = 0; i < claim.rooms.length; i++) {
    const each = entry.each[i] ?? 0;
    const room = claim.rooms[i];
    if (room && each > 0) step = Math.min(step, Math.floor((part * room.left) / (4 * room.asked * each)));
  }
  return Math.max(1, step);
}

function groupTurns(claims: readonly Claim[]): GroupTurn[] {
  const byGroup = new Map<ShareGroup, Turn[]>();
  for (const claim of claims) {
    const turn = { claim, share: dominantShare(claim.rooms, claim.held) };
    const turns = byGroup.get(claim.group);
    if (turns) turns.push(turn);
    else byGroup.set(claim.group, [turn]);
  }
  const heaviest = Math.max(...[...byGroup.keys()].map(({ weight }) => weight));
  return [...byGroup].map(([group, turns]) => ({
    group,
    claims: new MinHeap(turns, turnBefore),
    share: groupShare(group),
    part: heaviest > 0 ? group.weight / heaviest : 1,
  }));
}

function turnBefore(a: Turn, b: Turn): boolean {
  return a.share === b.share ? a.claim.turn < b.claim.turn : a.share < b.share;
}

function groupBefore(a: GroupTurn, b: GroupTurn): boolean {
  if (a.share !== b.share) return a.share < b.share;
  return (a.claims.top()?.claim.turn ?? 0) < (b.claims.top()?.claim.turn ?? 0);
}

function groupShare({ weight, rooms, held }: ShareGroup): number {
  return weight > 0 ? dominantShare(rooms, held) / weight : Number.POSITIVE_INFINITY;
}

/** The largest part that is held of any limited thing. */
function dominantShare(rooms: readonly Room[], held: readonly number[]): number {
  let share = 0;
  for (let i = 0; i < rooms.length; i++) {
    share = Math.max(share, (held[i] ?? 0) / Math.max(1, rooms[i]?.limit ?? 1));
  }
  return share;
}
