import type { AllocationLimits, Budget, JobCap, Quota } from './types.ts';
import { affordableRateMicro } from './budget.ts';

export type LimitedResource = 'replicas' | 'cpuMilli' | 'memoryBytes' | 'gpuMilli' | 'pricePerHourMicro';

/** One limit over one resource, and what is left of it. */
export interface Room {
  kind: 'cluster' | 'quota' | 'job-cap' | 'budget';
  /** Name of the quota or job cap; empty for the others. */
  name: string;
  resource: LimitedResource;
  limit: number;
  /**
   * Negative where what runs is already over the limit. It only ever shrinks, so it is exact wherever it matters: a
   * sum beyond the safe integers is far below zero.
   */
  left: number;
  /** Position among the rooms that all quota groups share; -1 for the rooms of some. */
  sharedIndex: number;
  /** Of the highest priority that started something in here, who started most. */
  grownBy: { workload: string; priority: number; amount: number } | null;
  /** Scratch of one pass over many workloads. */
  asked: number;
}

/** Limits by what a workload must match for them to bind it. */
export interface Rooms {
  /** Those that bind every workload, and that quota groups compete for. */
  shared: Room[];
  byNamespace: Map<string, QuotaRooms[]>;
  /** By `labelKey`. */
  byLabel: Map<string, QuotaRooms[]>;
  byMember: Map<string, Room[]>;
}

export interface QuotaRooms {
  /** Position in the document's list: the first one that matches is the workload's group. */
  index: number;
  quota: Quota;
  rooms: Room[];
}

export const labelKey = (key: string, value: string): string => `${key}\n${value}`;

/** The limits as rooms with nothing in them yet. */
export function openRooms(limits: AllocationLimits): Rooms {
  const shared = [...limitRooms('cluster', '', limits), ...budgetRooms(limits.budget)];
  for (const [index, room] of shared.entries()) room.sharedIndex = index;
  const byNamespace = new Map<string, QuotaRooms[]>();
  const byLabel = new Map<string, QuotaRooms[]>();
  for (const [index, quota] of (limits.quotas ?? []).entries()) {
    const entry = { index, quota, rooms: limitRooms('quota', quota.name, quota) };
    if ('namespace' in quota.scope) append(byNamespace, quota.scope.namespace, entry);
    else append(byLabel, labelKey(...quota.scope.label), entry);
  }
  return { shared, byNamespace, byLabel, byMember: jobCapRooms(limits.jobCaps ?? []) };
}

function limitRooms(
  kind: Room['kind'],
  name: string,
  limits: Pick<Quota, 'maxReplicas' | 'capacity' | 'maxPricePerHourMicro'>,
): Room[] {
  const { maxReplicas, capacity, maxPricePerHourMicro } = limits;
  return [
    ...roomOf(kind, name, 'replicas', maxReplicas),
    ...roomOf(kind, name, 'cpuMilli', capacity?.cpuMilli),
    ...roomOf(kind, name, 'memoryBytes', capacity?.memoryBytes),
    ...roomOf(kind, name, 'gpuMilli', capacity?.gpuMilli),
    ...roomOf(kind, name, 'pricePerHourMicro', maxPricePerHourMicro),
  ];
}

function budgetRooms(budget: Budget | undefined): Room[] {
  if (budget?.mode !== 'stop-growing') return [];
  return roomOf('budget', '', 'pricePerHourMicro', affordableRateMicro(budget));
}

function jobCapRooms(caps: JobCap[]): Map<string, Room[]> {
  const byMember = new Map<string, Room[]>();
  for (const cap of caps) {
    for (const room of roomOf('job-cap', cap.name, 'replicas', cap.max)) {
      for (const member of new Set(cap.members)) append(byMember, member, room);
    }
  }
  return byMember;
}

function roomOf(
  kind: Room['kind'],
  name: string,
  resource: LimitedResource,
  amount: number | null | undefined,
): Room[] {
  if (amount === null || amount === undefined || amount === Number.POSITIVE_INFINITY) return [];
  // A limit that is no number lets nothing new in: the safe side.
  const limit = amount > 0 ? Math.min(Math.floor(amount), Number.MAX_SAFE_INTEGER) : 0;
  return [{ kind, name, resource, limit, left: limit, sharedIndex: -1, grownBy: null, asked: 0 }];
}

function append<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
