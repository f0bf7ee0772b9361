import type { Reason } from '../explain/reasons.ts';
import { budgetWarning } from './budget.ts';
import { type Claim, claimsOf, give } from './claim.ts';
import { type Dependence, dependences } from './dependencies.ts';
import { type Goal, shareOut } from './fairShare.ts';
import { openRooms } from './room.ts';
import { shortfalls } from './shortfall.ts';
import { nextTurns, takeTurns } from './turns.ts';
import type { Allocate, AllocationRequest, Grant } from './types.ts';

/** What runs and is wanted. */
const running: Goal = { upTo: 'kept', atMost: (claim) => claim.kept, keepsWhatRuns: true };
const minimum: Goal = { upTo: 'wanted', atMost: (claim) => Math.min(claim.minReplicas, claim.wanted) };
const growth: Goal = { upTo: 'wanted', atMost: (claim) => claim.wanted };

/**
 * Shares what is scarce between workloads: replicas, CPU, memory, GPU, price an hour, budget, quotas and job caps.
 *
 * 1. What already runs and is still wanted stays, also over a limit; with `preemption` a higher priority may take back
 *    what a lower one has above its `minReplicas`.
 * 2. Higher priority first. Within a priority each workload's `minReplicas` come before anybody's growth.
 * 3. Within each of these, a fair share by weight between quotas, then between workloads (`shareOut`); among equals
 *    whoever has gone without for longest (`takeTurns`).
 * 4. A workload whose dependency has no ready replica starts nothing new.
 *
 * Nothing that is wanted and fits every limit is left ungranted, so a small workload may pass a large one that does not
 * fit. The grants do not depend on the order of the requests. O(n log n).
 */
export const allocate: Allocate = (requests, limits, memory) => {
  const ordered = [...requests].sort((a, b) => (a.workload < b.workload ? -1 : a.workload > b.workload ? 1 : 0));
  const claims = claimsOf(ordered, openRooms(limits));
  const waiting = dependences(ordered);
  takeTurns(claims, memory);
  for (const claim of claims) {
    claim.waits = waiting.get(claim.workload)?.kind === 'waits';
    keep(claim, limits.preemption ? Math.min(claim.kept, claim.minReplicas) : claim.kept);
  }
  const served = new Set<Claim>();
  for (const level of byPriority(claims)) {
    const starting = level.filter((claim) => !claim.waits);
    if (limits.preemption) shareOut(level, running);
    shareOut(starting, minimum, served);
    shareOut(starting, growth, served);
    if (limits.preemption) rememberGrowth(level);
  }
  return { grants: grantsOf(requests, claims, waiting, limits), memory: nextTurns(claims, served, memory) };
};

/** Keeps so many of the running replicas, cheapest class first, whether or not they are within the limits. */
function keep(claim: Claim, replicas: number): void {
  for (const entry of claim.classes) give(claim, entry, Math.min(entry.kept, replicas - claim.granted));
}

function byPriority(claims: readonly Claim[]): Claim[][] {
  const levels = new Map<number, Claim[]>();
  for (const claim of claims) {
    const level = levels.get(claim.priority);
    if (level) level.push(claim);
    else levels.set(claim.priority, [claim]);
  }
  return [...levels].sort(([a], [b]) => b - a).map(([, level]) => level);
}

/** Marks the rooms with who grew in them first and most: only there has a lower priority to give way. */
function rememberGrowth(level: readonly Claim[]): void {
  for (const { workload, priority, classes, rooms } of level) {
    rooms.forEach((room, i) => {
      if (room.grownBy !== null && room.grownBy.priority !== priority) return;
      const amount = classes.reduce(
        (sum, entry) => sum + Math.max(0, entry.granted - entry.kept) * (entry.each[i] ?? 0),
        0,
      );
      if (amount > (room.grownBy?.amount ?? 0)) room.grownBy = { workload, priority, amount };
    });
  }
}

function grantsOf(
  requests: readonly AllocationRequest[],
  claims: readonly Claim[],
  waiting: ReadonlyMap<string, Dependence>,
  { budget }: Parameters<Allocate>[1],
): Grant[] {
  const ratePerHourMicro = budget ? rateOf(claims) : 0n;
  const warning = budgetWarning(budget, ratePerHourMicro);
  const short = shortfalls(claims, budget, ratePerHourMicro);
  const grants = new Map<string, Grant>();
  for (const claim of claims) {
    const reasons = [...dependencyReasons(claim, waiting.get(claim.workload)), ...(short.get(claim) ?? [])];
    if (warning && claim.classes.some((entry) => entry.granted > 0 && entry.pricePerHourMicro > 0))
      reasons.push(warning);
    const classes = Object.fromEntries(claim.classes.map((entry) => [entry.name, entry.granted]));
    grants.set(claim.workload, { workload: claim.workload, classes, replicas: claim.granted, reasons });
  }
  return requests.flatMap(({ workload }) => grants.get(workload) ?? []);
}

function dependencyReasons(claim: Claim, dependence: Dependence | undefined): Reason[] {
  const [dependency] = dependence?.path ?? [];
  if (!dependence || dependency === undefined || claim.wanted <= claim.kept) return [];
  const { wanted, granted } = claim;
  if (dependence.kind === 'cycle') {
    const data = { path: dependence.path.join(' > '), wanted, granted };
    return [{ code: 'grant-dependency-cycle', stage: 'grant', data }];
  }
  const path = dependence.path.slice(1).join(' > ');
  const data: Reason['data'] = { dependency, wanted, granted };
  return [{ code: 'grant-dependency', stage: 'grant', data: path === '' ? data : { ...data, path } }];
}

function rateOf(claims: readonly Claim[]): bigint {
  let rate = 0n;
  for (const claim of claims) {
    for (const { granted, pricePerHourMicro } of claim.classes) rate += BigInt(granted) * BigInt(pricePerHourMicro);
  }
  return rate;
}
