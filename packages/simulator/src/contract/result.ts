/** Machines that were rented in a rehearsal. */
export interface MachinesOfRun {
  currency: string;
  /** Of all their time, from being asked for until they are gone, as a decimal string. */
  costMicro: string;
  bought: number;
  /** At once. */
  most: number;
  seconds: number;
  /** By type and way of renting, the dearest first. */
  kinds: { instanceType: string; capacityType: string; bought: number; seconds: number; costMicro: string }[];
}

/** What one rehearsal of one policy on one trace came to. */
export interface RunResult {
  trace: string;
  policy: string;
  seed: number;
  /** Requests that arrived, were served in the end, began on time. */
  requests: number;
  served: number;
  onTime: number;
  /** From arrival to the begin of service, milliseconds. */
  waitMs: { p50: number; p95: number; p99: number; max: number; mean: number };
  /**
   * Those that may be deferred: in the counts above, and not in `waitMs`. On time is one that began within the time it may
   * wait. Absent where the model has none.
   */
  deferrable?: { requests: number; served: number; onTime: number; waitMs: RunResult['waitMs'] };
  coldStarts: number;
  /** Billed time of all replicas from ask to end, seconds. */
  replicaSeconds: number;
  mostReplicas: number;
  /** Service that was done, seconds of slots. */
  servedSlotSeconds: number;
  /**
   * Money, whole micro-units of the currency, as a decimal string; null: no price is known. Replicas on rented machines are paid for by
   * those.
   */
  costMicro: string | null;
  currency: string | null;
  /** Absent where nothing was rented. */
  machines?: MachinesOfRun;
  /** Length of the simulated time, ms. */
  spanMs: number;
  /** Over time, in buckets of `bucketMs`: for plots. */
  curves: {
    bucketMs: number;
    /** Arrivals a second. */
    arrivals: Float64Array;
    /** Mean demand in slots: requests held or in service. */
    demand: Float64Array;
    /** Mean replicas: usable, and billed. */
    ready: Float64Array;
    billed: Float64Array;
    /** 99th percentile of the wait, ms. */
    waitP99Ms: Float64Array;
  };
  /** Digest over every decision and every request's moments: the same seed gives the same one on every machine. */
  digest: string;
}

/** The clairvoyant optimum of a trace: between these two, in replica-seconds. */
export interface OracleResult {
  trace: string;
  /** No schedule with hindsight that keeps the on-time share costs less. */
  lowerBoundSeconds: number;
  /** Cost of a plan that was run and keeps it; null: none was found. */
  planSeconds: number | null;
  /** On-time share of that plan. */
  planOnTimeShare: number | null;
  /** J*(λ) of the priced problem for λ = 2 D: the denominator of the priced score. */
  pricedBoundSeconds: number;
}
