import type { ClassAcceptance, ServingSpec } from '@ebb/documents';

/**
 * The dispatcher's contract: a state machine without I/O or clock that decides, for each request, which replica
 * gets it, whether it waits, or why it is turned away. Times are integer microseconds of the caller's clock.
 */

export interface DispatchClass {
  name: string;
  accepts: ClassAcceptance | null;
}

/** Requests of a workload pick the first class (cheapest first) that accepts them and has a free slot. */
export interface DispatchWorkload {
  key: string;
  classes: DispatchClass[];
  serving: Pick<ServingSpec, 'timeouts' | 'buffer' | 'balancing' | 'affinity'>;
  /** Set while no replica can be had: held and new requests are refused with it. */
  unavailable: { code: string; message: string; retryAfterMs: number } | null;
}

export interface DispatchEndpoint {
  replica: string;
  class: string;
  /** Slots this gateway owns on the replica; 0: no limit. */
  slots: number;
  /** A draining endpoint gets nothing new and keeps what it has. */
  draining: boolean;
}

export interface DispatchRequest {
  id: number;
  workload: string;
  bodyBytes: number | null;
  maxTokens: number | null;
  model: string | null;
  headers: Readonly<Record<string, string | undefined>>;
  /** Client's own deadline in absolute microseconds, if it sent one; the workload's hold time applies as well. */
  deadlineUs: number | null;
  /** Bytes that are buffered while it is held. */
  bufferedBytes: number;
  affinityKey: string | null;
}

export type RefusalCode =
  | 'queue-full'
  | 'buffer-full'
  | 'hold-timeout'
  | 'deadline-passed'
  | 'no-class-accepts'
  | 'unavailable'
  | 'workload-removed'
  | 'unknown-workload';

export interface Refusal {
  code: RefusalCode;
  /** 503, 504, 413 or 404. */
  status: number;
  message: string;
  retryAfterMs: number | null;
}

export type DispatchEvent =
  | { type: 'assigned'; id: number; replica: string; class: string; waitedUs: number }
  | { type: 'held'; id: number; position: number; reason: 'no-replica' | 'no-free-slot' }
  | { type: 'refused'; id: number; refusal: Refusal }
  /** A draining replica has nothing in flight any more. */
  | { type: 'drained'; replica: string };

/** Absolute counts since the gateway started; never deltas (design §3a.8). */
export interface DispatchCounts {
  workload: string;
  classes: Record<
    string,
    {
      inFlight: number;
      held: number;
      /** Integral over time of (inFlight + held), in request-microseconds: differences give exact mean concurrency. */
      demandIntegralUs: number;
      /** Requests that arrived for this class. */
      arrivals: number;
      /** Largest inFlight + held since the last `takePeaks`. */
      peak: number;
      /**
       * Requests that were answered well, and the sums over them of the time from arrival to the end of the answer and
       * of the time before it was given to a replica. Absent until there is one.
       */
      answered?: { requests: number; responseUs: number; waitUs: number };
    }
  >;
  requests: { total: number; succeeded: number; failed: number; refused: number; cancelled: number; held: number };
  oldestHeldUs: number | null;
  replicas: Record<string, number>;
  lastActiveUs: number | null;
}

export type CompletionOutcome = 'succeeded' | 'failed' | 'cancelled';

/** Implemented by `createDispatcher(seed)`. Every method returns the events that it caused, in order. */
export interface Dispatcher {
  configure(nowUs: number, workload: DispatchWorkload): DispatchEvent[];
  remove(nowUs: number, workload: string): DispatchEvent[];
  setEndpoints(nowUs: number, workload: string, endpoints: DispatchEndpoint[]): DispatchEvent[];
  arrive(nowUs: number, request: DispatchRequest): DispatchEvent[];
  /** The exchange is over and its slot free. */
  complete(nowUs: number, id: number, outcome: CompletionOutcome): DispatchEvent[];
  /** The replica could not take it and no byte was answered: back to the head of the queue, without that replica. */
  retry(nowUs: number, id: number): DispatchEvent[];
  /** The client went away while it was held or in flight. */
  cancel(nowUs: number, id: number): DispatchEvent[];
  /** Ends what is past its hold time or deadline. */
  tick(nowUs: number): DispatchEvent[];
  /** When `tick` is needed next; null: never. */
  nextDeadlineUs(): number | null;
  counts(nowUs: number, workload: string): DispatchCounts | null;
  /** Resets the peaks of a workload after they were reported. */
  takePeaks(workload: string): void;
}
