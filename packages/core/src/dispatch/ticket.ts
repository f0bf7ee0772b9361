import type { Acceptance } from './classes.ts';
import type { ClassPool, Endpoint } from './classPool.ts';
import type { Lane } from './queue.ts';
import type { DispatchRequest } from './types.ts';

/** A request that the dispatcher answers for: either held (`lane` is set) or in flight (`endpoint` is set). */
export interface Ticket {
  readonly request: DispatchRequest;
  readonly arrivedUs: number;
  /** When it is refused if it is held then: the earlier of hold time and the client's own deadline. */
  readonly deadlineUs: number;
  readonly holdMs: number;
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
