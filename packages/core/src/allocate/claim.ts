import { labelKey, type LimitedResource, type QuotaRooms, type Room, type Rooms } from './room.ts';
import type { AllocationRequest } from './types.ts';

/** One class of a workload while it is being served. */
export interface ClaimClass {
  name: string;
  wanted: number;
  /** What runs and is still wanted. */
  kept: number;
  granted: number;
  /** What one replica takes of each of the claim's rooms. */
  each: number[];
  pricePerHourMicro: number;
}

/** A workload's request with the limits that bind it and what it holds of them so far. */
export interface Claim {
  workload: string;
  priority: number;
  minReplicas: number;
  classes: ClaimClass[];
  wanted: number;
  kept: number;
  granted: number;
  rooms: Room[];
  /** Beside `rooms`: how much of each it holds. */
  held: number[];
  group: ShareGroup;
  /** Order among equals; smaller first. */
  turn: number;
  /** Waits for a dependency: keeps what runs and starts nothing. */
  waits: boolean;
}

/** Workloads that take their fair share of the cluster together: those of one quota, or those of none. */
export interface ShareGroup {
  weight: number;
  /** The rooms that bind every workload, by `sharedIndex`. */
  rooms: Room[];
  /** Beside `rooms`: how much of each its workloads hold. */
  held: number[];
}

/** Finds for every request the limits that bind it, in the order of the requests. */
export function claimsOf(requests: readonly AllocationRequest[], rooms: Rooms): Claim[] {
  const groups = new Map<number, ShareGroup>();
  return requests.map((request) => {
    const quotas = quotasOf(request, rooms);
    const first = quotas[0];
    const index = first?.index ?? -1;
    const group = groups.get(index) ?? newGroup(weightOf(first), rooms.shared);
    groups.set(index, group);
    const bound = [...rooms.shared, ...quotas.flatMap((entry) => entry.rooms)];
    return claimOf(request, bound.concat(rooms.byMember.get(request.workload) ?? []), group);
  });
}

/** Gives `times` replicas of a class, whether or not there is room. */
export function give(claim: Claim, entry: ClaimClass, times: number): void {
  entry.granted += times;
  claim.granted += times;
  for (let i = 0; i < claim.rooms.length; i++) {
    const room = claim.rooms[i];
    const amount = (entry.each[i] ?? 0) * times;
    if (!room || amount === 0) continue;
    room.left -= amount;
    claim.held[i] = (claim.held[i] ?? 0) + amount;
    const { held } = claim.group;
    if (room.sharedIndex >= 0) held[room.sharedIndex] = (held[room.sharedIndex] ?? 0) + amount;
  }
}

/** The rooms that one more replica of the class would take over their limit. */
export function lackedBy(claim: Claim, entry: ClaimClass): Room[] {
  return claim.rooms.filter((room, i) => {
    const each = entry.each[i] ?? 0;
    return each > 0 && each > room.left;
  });
}

function quotasOf({ namespace, labels }: AllocationRequest, rooms: Rooms): QuotaRooms[] {
  const found = namespace === undefined ? [] : [...(rooms.byNamespace.get(namespace) ?? [])];
  if (rooms.byLabel.size > 0) {
    for (const [key, value] of Object.entries(labels ?? {})) {
      found.push(...(rooms.byLabel.get(labelKey(key, value)) ?? []));
    }
  }
  return found.length > 1 ? found.sort((a, b) => a.index - b.index) : found;
}

const newGroup = (weight: number, rooms: Room[]): ShareGroup => ({ weight, rooms, held: rooms.map(() => 0) });

function weightOf(entry: QuotaRooms | undefined): number {
  const weight = entry?.quota.weight ?? 1;
  return weight >= 0 && Number.isFinite(weight) ? weight : 1;
}

function claimOf(request: AllocationRequest, bound: Room[], group: ShareGroup): Claim {
  const rooms = bound.filter((room) => request.classes.some((entry) => needOf(entry, room.resource) > 0));
  const classes = request.classes.map((entry) => {
    const wanted = whole(entry.wanted);
    return {
      name: entry.name,
      wanted,
      kept: Math.min(wanted, whole(entry.current)),
      granted: 0,
      each: rooms.map((room) => needOf(entry, room.resource)),
      pricePerHourMicro: whole(entry.pricePerHourMicro),
    };
  });
  return {
    workload: request.workload,
    priority: request.priority,
    minReplicas: whole(request.minReplicas),
    classes,
    wanted: classes.reduce((sum, entry) => sum + entry.wanted, 0),
    kept: classes.reduce((sum, entry) => sum + entry.kept, 0),
    granted: 0,
    rooms,
    held: rooms.map(() => 0),
    group,
    turn: 0,
    waits: false,
  };
}

function needOf(entry: AllocationRequest['classes'][number], resource: LimitedResource): number {
  if (resource === 'replicas') return 1;
  return whole(resource === 'pricePerHourMicro' ? entry.pricePerHourMicro : entry.requests[resource]);
}

const whole = (value: number): number => (value > 0 && Number.isFinite(value) ? Math.floor(value) : 0);
