import type { Reason } from '../explain/reasons.ts';
import type { Memory } from '../replicas/types.ts';
import type { Allocate, AllocationLimits, AllocationRequest, Grant } from './types.ts';

const emptyMemory: Memory = { version: 1, policy: 'caps' };

/** What is still free of each limited thing; a limit of null never runs out. */
class Room {
  readonly #left: Map<string, { left: number; limit: number }>;

  constructor(limits: AllocationLimits) {
    const all: [string, number | null][] = [
      ['replicas', limits.maxReplicas],
      ['cpuMilli', limits.capacity.cpuMilli],
      ['memoryBytes', limits.capacity.memoryBytes],
      ['gpuMilli', limits.capacity.gpuMilli],
      ['pricePerHourMicro', limits.maxPricePerHourMicro],
    ];
    this.#left = new Map(all.flatMap(([name, limit]) => (limit === null ? [] : [[name, { left: limit, limit }]])));
  }

  take(need: Record<string, number>, times: number): void {
    for (const [name, room] of this.#left) room.left -= (need[name] ?? 0) * times;
  }

  /** The first thing that one more replica would push over its limit; null when it fits. */
  lackedBy(need: Record<string, number>): { resource: string; limit: number } | null {
    for (const [name, room] of this.#left) {
      const each = need[name] ?? 0;
      if (each > 0 && each > room.left) return { resource: name, limit: room.limit };
    }
    return null;
  }
}

/**
 * Shares what is scarce between workloads: caps on replicas, CPU, memory, GPU and price an hour. What already runs
 * and is still wanted stays before anything new starts; then higher priority first, then by name, one replica at a
 * time within equal priority so that none of them takes everything. A workload whose dependency has no ready replica
 * starts nothing new.
 */
export const allocate: Allocate = (requests, limits, memory) => {
  const room = new Room(limits);
  const ordered = [...requests].sort((a, b) => b.priority - a.priority || compareText(a.workload, b.workload));
  const grants = new Map<string, Grant>();
  for (const request of ordered) {
    const classes: Record<string, number> = {};
    for (const entry of request.classes) {
      classes[entry.name] = Math.min(entry.wanted, entry.current);
      room.take(needOf(entry), classes[entry.name] ?? 0);
    }
    grants.set(request.workload, { workload: request.workload, classes, replicas: 0, reasons: [] });
  }
  for (const level of groupByPriority(ordered)) growEvenly(level, grants, room);
  return {
    grants: requests.flatMap((request) => {
      const grant = grants.get(request.workload);
      if (!grant) return [];
      grant.replicas = Object.values(grant.classes).reduce((sum, replicas) => sum + replicas, 0);
      return [grant];
    }),
    memory: memory ?? emptyMemory,
  };
};

/** Gives one replica to each workload of the level in turn until nobody wants or nothing fits. */
function growEvenly(level: AllocationRequest[], grants: Map<string, Grant>, room: Room): void {
  let growing = level.filter((request) => {
    const missing = request.dependencies.find((dependency) => !dependency.ready);
    if (missing && wantsMore(request, grants)) {
      pushOnce(grants.get(request.workload), {
        code: 'grant-dependency',
        stage: 'grant',
        data: { dependency: missing.workload },
      });
    }
    return !missing;
  });
  while (growing.length > 0) {
    growing = growing.filter((request) => growByOne(request, grants.get(request.workload), room));
  }
}

function growByOne(request: AllocationRequest, grant: Grant | undefined, room: Room): boolean {
  if (!grant) return false;
  let lacked: { resource: string; limit: number } | null = null;
  for (const entry of request.classes) {
    const granted = grant.classes[entry.name] ?? 0;
    if (granted >= entry.wanted) continue;
    const need = needOf(entry);
    lacked = room.lackedBy(need);
    if (lacked) continue;
    room.take(need, 1);
    grant.classes[entry.name] = granted + 1;
    return true;
  }
  if (lacked) {
    const wanted = request.classes.reduce((sum, entry) => sum + entry.wanted, 0);
    const granted = Object.values(grant.classes).reduce((sum, replicas) => sum + replicas, 0);
    grant.reasons.push({ code: 'grant-capacity', stage: 'grant', data: { wanted, granted, ...lacked } });
  }
  return false;
}

function wantsMore(request: AllocationRequest, grants: Map<string, Grant>): boolean {
  return request.classes.some((entry) => entry.wanted > (grants.get(request.workload)?.classes[entry.name] ?? 0));
}

function needOf(entry: AllocationRequest['classes'][number]): Record<string, number> {
  return { replicas: 1, ...entry.requests, pricePerHourMicro: entry.pricePerHourMicro };
}

function groupByPriority(ordered: AllocationRequest[]): AllocationRequest[][] {
  const levels: AllocationRequest[][] = [];
  for (const request of ordered) {
    const last = levels.at(-1);
    if (last?.[0]?.priority === request.priority) last.push(request);
    else levels.push([request]);
  }
  return levels;
}

function pushOnce(grant: Grant | undefined, reason: Reason): void {
  grant?.reasons.push(reason);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
