import type { Reason } from '../explain/reasons.ts';
import { budgetNumbers } from './budget.ts';
import { type Claim, lackedBy } from './claim.ts';
import type { Room } from './room.ts';
import type { Budget } from './types.ts';

/** The stable code for each kind of limit. */
const shortOf = {
  cluster: { code: 'grant-capacity' },
  quota: { code: 'grant-quota' },
  'job-cap': { code: 'grant-job-cap' },
  budget: { code: 'grant-budget' },
} as const satisfies Record<Room['kind'], { code: string }>;

const maxHolders = 3;
/** Limits named for one workload, in the order cluster, budget, quotas, job caps. */
const maxReasons = 4;

type Holder = { workload: string; amount: number };

/**
 * Why each claim got less than it wants, with the numbers: every limit it lacks room in, who holds most of that, and
 * the limit that would do. Room never comes back within a round, so what is lacking at its end is what stood in the way.
 */
export function shortfalls(
  claims: readonly Claim[],
  budget: Budget | undefined,
  ratePerHourMicro: bigint,
): Map<Claim, Reason[]> {
  const lacking = new Map<Claim, Room[]>();
  for (const claim of claims) {
    if (claim.granted >= claim.wanted || (claim.waits && claim.granted >= claim.kept)) continue;
    const short = claim.classes.filter((entry) => entry.granted < (claim.waits ? entry.kept : entry.wanted));
    const rooms = new Set(short.flatMap((entry) => lackedBy(claim, entry)));
    lacking.set(claim, [...rooms]);
  }
  const named = [...lacking.values()].flatMap((rooms) => rooms.slice(0, maxReasons));
  const holders = largestHolders(claims, new Set(named));
  const reasons = new Map<Claim, Reason[]>();
  for (const [claim, rooms] of lacking) {
    const given = rooms.slice(0, maxReasons).map((room) =>
      room.kind === 'budget' && budget
        ? {
            ...shortOf.budget,
            stage: 'grant' as const,
            data: { ...amountsOf(claim), ...budgetNumbers(budget, ratePerHourMicro) },
          }
        : shortfall(claim, room, holders.get(room) ?? []),
    );
    const reclaimed = reclaimedFrom(claim, rooms);
    reasons.set(claim, reclaimed ? [...given, reclaimed] : given);
  }
  return reasons;
}

function shortfall(claim: Claim, room: Room, holders: Holder[]): Reason {
  const used = room.limit - room.left;
  const data: Reason['data'] = { ...amountsOf(claim), resource: room.resource, limit: room.limit, used };
  if (room.name !== '') data.name = room.name;
  holders.forEach((holder, index) => {
    data[`holder${index + 1}`] = holder.workload;
    data[`holder${index + 1}Amount`] = holder.amount;
  });
  return { ...shortOf[room.kind], stage: 'grant', data: { ...data, limitNeeded: used + missingIn(claim, room) } };
}

function amountsOf({ wanted, granted }: Claim): { wanted: number; granted: number } {
  return { wanted, granted };
}

function missingIn(claim: Claim, room: Room): number {
  const index = claim.rooms.indexOf(room);
  return claim.classes.reduce((sum, entry) => sum + (entry.wanted - entry.granted) * (entry.each[index] ?? 0), 0);
}

/** Replicas that ran and were wanted, and had to go for a higher priority. */
function reclaimedFrom(claim: Claim, rooms: Room[]): Reason | null {
  const room = rooms.find(({ grownBy }) => grownBy !== null && grownBy.priority > claim.priority);
  if (claim.granted >= claim.kept || !room?.grownBy) return null;
  const { workload, priority } = room.grownBy;
  const data: Reason['data'] = {
    reclaimed: claim.kept - claim.granted,
    running: claim.kept,
    minReplicas: claim.minReplicas,
    priority: claim.priority,
    resource: room.resource,
    limit: room.limit,
    for: workload,
    forPriority: priority,
  };
  return { code: 'grant-preempted', stage: 'victims', data };
}

function largestHolders(claims: readonly Claim[], rooms: ReadonlySet<Room>): Map<Room, Holder[]> {
  const found = new Map<Room, Holder[]>();
  if (rooms.size === 0) return found;
  for (const room of rooms) found.set(room, []);
  for (const claim of claims) {
    claim.rooms.forEach((room, index) => {
      const amount = claim.held[index] ?? 0;
      const holders = found.get(room);
      if (!holders || amount === 0 || amount <= (holders[maxHolders - 1]?.amount ?? 0)) return;
      holders.push({ workload: claim.workload, amount });
      // Stable: of equal ones the earlier name stays in front.
      holders.sort((a, b) => b.amount - a.amount);
      holders.length = Math.min(holders.length, maxHolders);
    });
  }
  return found;
}
