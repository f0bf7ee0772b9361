import type { Refusal, RefusalCode } from './types.ts';

/** Status of each refusal, and how soon trying again makes sense; null: not before something is changed by a person. */
const table: Record<RefusalCode, { status: number; retryAfterMs: number | null }> = {
  'queue-full': { status: 503, retryAfterMs: 1_000 },
  'buffer-full': { status: 503, retryAfterMs: 1_000 },
  'hold-timeout': { status: 504, retryAfterMs: 1_000 },
  'deadline-passed': { status: 504, retryAfterMs: null },
  'no-class-accepts': { status: 404, retryAfterMs: null },
  unavailable: { status: 503, retryAfterMs: null },
  'workload-removed': { status: 503, retryAfterMs: null },
  'unknown-workload': { status: 404, retryAfterMs: null },
};

function refusal(code: RefusalCode, message: string, overrides: Partial<Refusal> = {}): Refusal {
  return { code, ...table[code], message, ...overrides };
}

/** Every way in which the dispatcher turns a request away. */
export const refusals = {
  queueFull: (workload: string, maxRequests: number): Refusal =>
    refusal('queue-full', `${workload} holds ${maxRequests} requests already, the most that buffer.maxRequests allows`),

  /** 413: waiting would not help, the body alone is too large to be held. */
  bodyTooLarge: (workload: string, bytes: number, maxBodyBytes: number): Refusal =>
    refusal(
      'buffer-full',
      `no replica of ${workload} is free, and the request cannot wait: it has ${bytes} bytes, ` +
        `buffer.maxBodySize allows ${maxBodyBytes}`,
      { status: 413, retryAfterMs: null },
    ),

  bufferFull: (workload: string, bytes: number, heldBytes: number, maxTotalBytes: number): Refusal =>
    refusal(
      'buffer-full',
      `${workload} holds ${heldBytes} bytes of requests already; with ${bytes} more it would be over the ` +
        `${maxTotalBytes} that buffer.maxTotalSize allows`,
    ),

  holdTimeout: (workload: string, holdMs: number): Refusal =>
    refusal('hold-timeout', `no replica of ${workload} was free within ${holdMs} ms (timeouts.hold)`),

  /** The sender's own bound, as its deadline is. */
  deferralPassed: (workload: string, deferMs: number): Refusal =>
    refusal(
      'deadline-passed',
      `no replica of ${workload} was free within ${deferMs} ms, the longest that the request may be deferred`,
    ),

  deferredFull: (workload: string, maxRequests: number): Refusal =>
    refusal(
      'queue-full',
      `${workload} has ${maxRequests} deferrable requests waiting already, the most that deferrable.maxRequests allows`,
    ),

  deadlinePassed: (workload: string): Refusal =>
    refusal('deadline-passed', `the client's own deadline passed before a replica of ${workload} was free`),

  /** 413 where a smaller request would be served, else 404. */
  noClassAccepts: (workload: string, { isTooLarge, detail }: { isTooLarge: boolean; detail: string }): Refusal =>
    refusal('no-class-accepts', `no class of ${workload} accepts the request: ${detail}`, {
      status: isTooLarge ? 413 : 404,
    }),

  unavailable: ({ message, retryAfterMs }: { message: string; retryAfterMs: number }): Refusal =>
    refusal('unavailable', message, { retryAfterMs }),

  workloadRemoved: (workload: string): Refusal => refusal('workload-removed', `${workload} was removed`),

  unknownWorkload: (workload: string): Refusal => refusal('unknown-workload', `there is no workload ${workload}`),
};
