import type { Acceptance } from './classes.ts';
import type { ClassPool, Endpoint } from './classPool.ts';
import type { Lane } from './queue.ts';
import type { DispatchRequest } from './types.ts';

/** How a request is deferred. Apart from the ticket, so that ordinary ones pay for one empty field. */
export interface Deferral {
  /** The longest that it may wait. */
  readonly ms: number;
  /** When it is refused: at the end of that, or at the client's own deadline. */
  readonly deadlineUs: number;
  /** Since when it is an ordinary request; null: it waits for slack, or fills it. */
  turnedUs: number | null;
}

/** A request that the dispatcher answers for: held or deferred (`lane` is set), or in flight (`endpoint` is set). */
export interface Ticket {
  readonly request: DispatchRequest;
  readonly arrivedUs: number;
  /**
   * When it is refused if it is held then: the earlier of hold time and the client's own deadline. While it waits for
   * slack: when it is turned into an ordinary one.
   */
  deadlineUs: number;
  readonly holdMs: number;
  /** Null: it came as an ordinary request. */
  readonly deferral: Deferral | null;
  /** Of the session it belongs to; null: any endpoint will do. */
  readonly sessionHash: number | null;
  acceptance: Acceptance;
  /** Class that it is counted in now. */
  pool: ClassPool;
  endpoint: Endpoint | null;
  /** Endpoints that could not take it, as long as `excludedIn` is the workload's current set of endpoints. */
  excluded: readonly Endpoint[];
  excludedIn: number;
  everHeld: boolean;
  /** It was counted as late. */
  isLate: boolean;
  /** When it was last given to a replica. */
  assignedUs: number;
  /** Order within the queue: lower goes first, retried ones are negative. Also breaks ties of deadlines. */
  rank: number;
  lane: Lane | null;
  previous: Ticket | null;
  next: Ticket | null;
  /** Place among the deadlines; −1: in none. */
  index: number;
}

/** Whether it waits for slack, or fills it. */
export function isDeferrable({ deferral }: Ticket): boolean {
  return deferral !== null && deferral.turnedUs === null;
}

/** Since when it counts as an ordinary request: its arrival, or the moment it was turned. */
export function ordinarySinceUs({ deferral, arrivedUs }: Ticket): number {
  return deferral?.turnedUs ?? arrivedUs;
}
