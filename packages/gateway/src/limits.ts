/** Every bound of the gateway that a Workload document does not set. */
export const limits = {
  /** Request line and fields together; more is answered with 431. */
  headBytes: 32 * 1024,
  headFields: 200,
  /** From the first byte of a connection or request to the end of its head. */
  headMs: 10_000,
  /** An idle client connection is closed after this. */
  clientIdleMs: 75_000,
  clientConnections: 20_000,
  /**
   * A body of up to this size is read before a replica is chosen: a slow client occupies none, and the request can be
   * sent again when a kept connection turns out to be closed.
   */
  readFirstBytes: 64 * 1024,
  /** A body is read into memory while its request waits, up to this size; larger ones stay with the client. */
  heldBodyBytes: 1024 * 1024,
  /** A body that has to be read before it can be routed (`model`), or given to a class (`max_tokens`). */
  parsedBodyBytes: 16 * 1024 * 1024,
  /** All bodies in memory together, over all workloads. */
  allBodiesBytes: 512 * 1024 * 1024,
  /** Silence while a body is read into memory. */
  bodySilenceMs: 30_000,
  /** After a refusal, what is still coming of the request's body is thrown away up to this much. */
  drainedBodyBytes: 4 * 1024 * 1024,
  drainedBodyMs: 5_000,
  /** A request of which bytes had left is sent again at most this often. */
  repetitions: 1,
  connectMs: 5_000,
  /** Kept under the 5 s of common servers, so that they do not close under a request. */
  upstreamIdleMs: 4_000,
  /** Idle connections kept for each replica. */
  upstreamIdleConnections: 128,
  /** Head of a replica's answer. */
  answerHeadBytes: 64 * 1024,
  /**
   * A kept connection that breaks this soon after a request was written to it was most likely being closed by the
   * replica at that moment. Only then is a request that is not idempotent sent once more (RFC 9110 §9.2.2).
   */
  staleConnectionUs: 50_000,
  /** Exchanges in flight get this long to end at a shutdown. */
  shutdownMs: 30_000,
  /** Entries of `/-/queue`. */
  queueEntries: 1000,
  /** Counts of a changed workload are at most this old when they leave. */
  countsMs: 50,
  heartbeatMs: 1000,
  /** Counts of idle workloads repeated with each heartbeat, in turn. */
  idleCounts: 200,
  /** A control plane that does not read: its link is closed beyond this. */
  linkBacklogBytes: 32 * 1024 * 1024,
  /** A replica's failures are reported at most this often. */
  failureReportMs: 250,
  failingReplicas: 10_000,
} as const;
