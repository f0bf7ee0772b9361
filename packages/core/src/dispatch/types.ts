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
  serving: Pick<ServingSpec, 'timeouts' | 'buffer' | 'balancing' | 'affinity'> &
    Partial<Pick<ServingSpec, 'deferrable'>>;
  /** From asking for a replica until requests reach it, as it is known now; deferrable requests are turned that early. */
  coldStartMs?: number;
  /** A request is on time when a replica takes it within this. Left out: `defaultOnTimeUs`. */
  onTimeUs?: number;
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
  /** Which drain this is: `drained` says it again, and a drain with another number is told of anew. Left out: not numbered. */
  drain?: number;
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
  /**
   * It may wait for slack until this moment, absolute microseconds, and at most the workload's `deferrable.maxDelay`.
   * Left out or null: it may not. Without effect where the workload does not take deferrable requests.
   */
  deferUntilUs?: number | null;
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
  /** `waitedUs` is all its wait; `deferredUs` what of it was spent among the deferrable ones, for those alone. */
  | { type: 'assigned'; id: number; replica: string; class: string; waitedUs: number; deferredUs?: number }
  /** It waits for slack, apart from what is held; `held` follows where its deadline came near before a slot did. */
  | { type: 'deferred'; id: number; position: number }
  | { type: 'held'; id: number; position: number; reason: 'no-replica' | 'no-free-slot' }
  | { type: 'refused'; id: number; refusal: Refusal }
  /** A draining replica has nothing in flight any more; with the number of its drain, where that has one. */
  | { type: 'drained'; replica: string; drain?: number };

/** Deferrable requests: no demand, so they are in no class's counts until they are turned into ordinary ones. */
export interface DeferredCounts {
  /** Wait for slack now. */
  waiting: number;
  /** Fill slots now. */
  inFlight: number;
  /** Came as deferrable ones, filled slack, were turned into ordinary ones: since the gateway started. */
  arrivals: number;
  begun: number;
  turned: number;
  /** Arrival of the one that has waited longest; null: none waits. */
  oldestUs: number | null;
  /** In flight by replica, those without left out. They are in `DispatchCounts.replicas` as well. */
  replicas: Record<string, number>;
}

/** Absolute counts since the gateway started; never deltas (design §3a.8). */
export interface DispatchCounts {
  workload: string;
  /** Ordinary requests only. */
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
      /**
       * Requests whose wait came to be longer than `onTimeUs`, counted when it ended, each once; and those that no replica
       * took until their hold time or deadline was over. Absent until there is one.
       */
      late?: number;
      /** Sum over those in flight of the time that each had waited before its replica took it. Absent: 0. */
      inFlightWaitUs?: number;
      /** Since when the oldest request held for this class has waited. Absent: none is. */
      oldestHeldUs?: number;
    }
  >;
  requests: { total: number; succeeded: number; failed: number; refused: number; cancelled: number; held: number };
  oldestHeldUs: number | null;
  /** All that is in flight on a replica, deferrable or not: slots are exact. */
  replicas: Record<string, number>;
  /** Of ordinary requests. */
  lastActiveUs: number | null;
  /** Absent until there was a deferrable request. */
  deferred?: DeferredCounts;
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
  /** Ends what is past its hold time or deadline, and turns deferrable requests whose deadline comes near. */
  tick(nowUs: number): DispatchEvent[];
  /** When `tick` is needed next; null: never. */
  nextDeadlineUs(): number | null;
  counts(nowUs: number, workload: string): DispatchCounts | null;
  /** Resets the peaks of a workload after they were reported. */
  takePeaks(workload: string): void;
}
