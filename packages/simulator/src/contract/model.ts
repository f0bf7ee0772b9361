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
  /** How a service slows with what else its replica works on; left out: not at all, and `service` holds at any load. */
  batching?: Batching;
  /** Asked for → usable, by stages that follow each other (node, image, weights, ready). */
  coldStart: readonly { stage: string; ms: Distribution }[];
  /** A request is on time when its service begins within this after its arrival. */
  onTimeMs: number;
  /** Share of all requests that must be on time for a run to qualify. */
  onTimeShare: number;
  /**
   * A share of the requests, drawn with the seed, that may wait so long for slots that others leave free, where their
   * Workload takes such requests (`serving.deferrable`). They are on time when they begin within it. Left out: none.
   */
  deferrable?: { share: number; maxDelayMs: number };
  faults: WorldFaults;
  /** Where a class of a Workload differs, by its name; what is left out is as above. Left out: all classes are alike. */
  classes?: Readonly<Record<string, ClassModel>>;
  /**
   * Where the requests of scaled Workloads wait: at the broker that their ScaledObjects read, or at the gateway. Left out: at
   * the broker where everything that a ScaledObject reads is one and no route of the Workload is written.
   */
  source?: 'queue' | 'gateway';
}

/** Requests that are in service together on one replica progress alike; `service` is the length of one alone. */
export interface Batching {
  /**
   * How many times longer a service takes with so many requests in service: points of a line that begins at one request
   * and once as long, is straight in between, and stays as high as its last point. Numbers of requests rise; from 1 to 100
   * times as long.
   */
  slowdown: readonly (readonly [requests: number, timesAsLong: number])[];
}

/** How long a service and a start take on one class. */
export type ClassModel = Partial<Pick<WorldModel, 'service' | 'coldStart'>>;

export type Distribution =
  | { type: 'fixed'; ms: number }
  | { type: 'uniform'; fromMs: number; toMs: number }
  | { type: 'lognormal'; medianMs: number; sigma: number }
  | { type: 'empirical'; ms: readonly number[] };

/** Off where a number is 0. All drawn with the seed. */
export interface WorldFaults {
  /** A ready replica crashes, on average once in this many hours of its life; 0: never. */
  crashEveryHours: number;
  /**
   * A ready replica stops answering and does not end, on average once in this many hours of its life; 0: never. Probes over
   * HTTP and commands find that out, a connection does not: it is the machine that accepts it.
   */
  hangEveryHours: number;
  /** Share of the starts that fail. */
  failedStartShare: number;
  /** Share of the replicas that are slower by the factor. */
  slowShare: number;
  slowFactor: number;
  /** The gateway's counts are lost for `silentMs`, on average once in this many hours. */
  silentEveryHours: number;
  silentMs: number;
  /**
   * The gateway's link falls behind, on average once in this many hours; 0: never. What it says still comes, in order and
   * complete, but ever later, until it is `staleMs` old; then the link catches up.
   */
  staleEveryHours: number;
  staleMs: number;
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
      hangEveryHours: 0,
      failedStartShare: 0,
      slowShare: 0,
      slowFactor: 1,
      silentEveryHours: 0,
      silentMs: 0,
      staleEveryHours: 0,
      staleMs: 0,
      preemptionsMs: [],
      noticeMs: 0,
      clientTimeoutMs: 0,
      retries: 0,
    },
  };
}
