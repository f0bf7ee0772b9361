import type { Endpoint } from './classPool.ts';
import { HoldQueue } from './queue.ts';
import type { Ticket } from './ticket.ts';
import type { DeferredCounts, DispatchWorkload } from './types.ts';

/** Added to the cold start before a deadline: at least this, or half of the cold start, because the next one may be longer. */
const leastMarginMs = 1_000;
const marginShare = 0.5;

/**
 * How long before its deadline a deferrable request is turned into an ordinary one, microseconds: the cold start that it
 * may have to wait for, and a margin.
 */
export function turnLeadUs({ coldStartMs = 0 }: DispatchWorkload): number {
  return Math.ceil((coldStartMs + Math.max(leastMarginMs, marginShare * coldStartMs)) * 1000);
}

/** How long a request may wait for slack, milliseconds; null: it is an ordinary one for this workload. */
export function deferralMs(
  { serving: { deferrable } }: DispatchWorkload,
  deferUntilUs: number | null | undefined,
  nowUs: number,
): number | null {
  if (!deferrable || deferUntilUs === null || deferUntilUs === undefined) return null;
  return Math.max(0, Math.min((deferUntilUs - nowUs) / 1000, deferrable.maxDelayMs));
}

/**
 * The deferrable requests of one workload: their queue, and counts apart from those of the ordinary ones. They get a
 * slot only where a class has slack: free slots beyond the reserve.
 */
export class Deferrals {
  readonly queue = new HoldQueue();
  inFlight = 0;
  arrivals = 0;
  begun = 0;
  turned = 0;

  /** Where the request may go, of the classes that accept it the first with slack; null: nowhere now. */
  pick({ acceptance, excluded, sessionHash }: Ticket, reserve: number, hasAffinity: boolean): Endpoint | null {
    for (const pool of acceptance.pools) {
      const endpoint = pool.hasSlack(reserve) ? pool.pick(excluded, hasAffinity ? sessionHash : null) : null;
      if (endpoint) return endpoint;
    }
    return null;
  }

  /** The oldest one that slack can serve; null: none. Linear in the lanes, which are few. */
  next(reserve: number): Ticket | null {
    let next: Ticket | null = null;
    for (const { acceptance, excluded, tickets } of this.queue.lanes()) {
      const { head } = tickets;
      if (!head || (next && head.rank > next.rank)) continue;
      if (acceptance.pools.some((pool) => pool.hasSlack(reserve) && pool.hasFreeSlot(excluded))) next = head;
    }
    return next;
  }

  /** Absent until there was one. */
  counts(replicas: Record<string, number>): { deferred?: DeferredCounts } {
    const { inFlight, arrivals, begun, turned, queue } = this;
    if (arrivals === 0) return {};
    return {
      deferred: { waiting: queue.size, inFlight, arrivals, begun, turned, oldestUs: queue.oldestUs(), replicas },
    };
  }
}
