/** The world that a rehearsal assumes. Times in milliseconds unless their names say something else. */
export interface WorldModel {
  /** Slots of a replica: requests that it works on at once. */
  concurrency: number;
  /** Length of a service. `tokens`: base + perToken × output tokens, and `withoutTokensMs` where a trace has none. */
  service:
    | { type: 'tokens'; baseMs: number; perTokenMs: number; withoutTokensMs: number }
    | { type: 'fixed'; ms: number }
    /** Drawn with the seed from these, each as likely as the other. */
    | { type: 'empirical'; ms: readonly number[] };
  /** Asked for → usable, by stages that follow each other (node, image, weights, ready). */
  coldStart: readonly { stage: string; ms: Distribution }[];
  /** A request is on time when its service begins within this after its arrival. */
  onTimeMs: number;
  /** Share of all requests that must be on time for a run to qualify. */
  onTimeShare: number;
  faults: WorldFaults;
}

export type Distribution =
  | { type: 'fixed'; ms: number }
  | { type: 'uniform'; fromMs: number; toMs: number }
  | { type: 'lognormal'; medianMs: number; sigma: number }
  | { type: 'empirical'; ms: readonly number[] };

/** Off where a number is 0. All drawn with the seed. */
export interface WorldFaults {
  /** A ready replica crashes, on average once in this many hours of its life; 0: never. */
  crashEveryHours: number;
  /** Share of the starts that fail. */
  failedStartShare: number;
  /** Share of the replicas that are slower by the factor. */
  slowShare: number;
  slowFactor: number;
  /** The gateway's counts are lost for `silentMs`, on average once in this many hours. */
  silentEveryHours: number;
  silentMs: number;
  /** Spot: preemptions of a replica, moments in ms from the start; `noticeMs` before. */
  preemptionsMs: readonly number[];
  noticeMs: number;
  /** A client that waited this long gives up and asks again, at most `retries` times; 0: it waits. */
  clientTimeoutMs: number;
  retries: number;
}

/** The model of published comparisons: 8 slots, 0.2 s + 0.02 s a token, 2.2 s without tokens, on time within 5 s. */
export function comparableModel(coldStartMs: number): WorldModel {
  return {
    concurrency: 8,
    service: { type: 'tokens', baseMs: 200, perTokenMs: 20, withoutTokensMs: 2200 },
    coldStart: [{ stage: 'ready', ms: { type: 'fixed', ms: coldStartMs } }],
    onTimeMs: 5000,
    onTimeShare: 0.99,
    faults: {
      crashEveryHours: 0,
      failedStartShare: 0,
      slowShare: 0,
      slowFactor: 1,
      silentEveryHours: 0,
      silentMs: 0,
      preemptionsMs: [],
      noticeMs: 0,
      clientTimeoutMs: 0,
      retries: 0,
    },
  };
}
