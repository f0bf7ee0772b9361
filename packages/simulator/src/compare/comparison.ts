import type { MachinesOfRun, RunResult } from '../contract/result.ts';
import type { WorldModel } from '../contract/model.ts';

/** A trace as all policies met it, and the clairvoyant optimum on it. */
export interface ComparedTrace {
  trace: string;
  /** For a person: where it comes from and what was made of it. */
  description: string;
  workloads: number;
  requests: number;
  spanMs: number;
  arrivals: 'recorded' | 'spread';
  bounds: TraceBound[];
}

/** The optimum for the requests that some seeds make: all of them where nothing of a request is drawn. */
export interface TraceBound {
  seeds: number[];
  /** No schedule with hindsight that keeps the on-time share costs less. */
  lowerBoundSeconds: number;
  /** Cost of a plan with hindsight that keeps it; null: none was found. */
  planSeconds: number | null;
  planOnTimeShare: number | null;
  /** Denominator of the priced score. */
  pricedBoundSeconds: number;
  /** Smallest constant count of replicas that keeps the on-time share; null where no policy asked for it. */
  staticPeak: number | null;
}

/** One run of one policy: what it cost, what it was worth. */
export interface ComparisonRow {
  trace: string;
  policy: string;
  seed: number;
  requests: number;
  served: number;
  onTimeShare: number;
  /** The on-time share was kept. */
  qualifies: boolean;
  replicaSeconds: number;
  /** Cost over the lower bound. One of a run that does not qualify buys less, and is not to be compared with one that does. */
  ratio: number | null;
  /** (Cost + two cold starts for each late request) over its own bound: comparable between all runs. */
  pricedScore: number | null;
  waitMs: RunResult['waitMs'];
  /** Of the requests that may be deferred; absent where there are none. */
  deferrable?: DeferrableFigures;
  coldStarts: number;
  mostReplicas: number;
  /** Whole micro-units of the currency; null: no price is known. */
  costMicro: string | null;
  currency: string | null;
  /** Of the first seed; absent where nothing was rented. */
  machines?: MachinesOfRun;
  digest: string;
}

/** Of the requests that may wait for slots that others leave free. */
export interface DeferrableFigures {
  /** Began within the time that they may wait. */
  onTimeShare: number;
  waitMs: RunResult['waitMs'];
}

/** A policy on a trace, over its seeds. */
export interface PolicyOnTrace {
  trace: string;
  policy: string;
  seeds: number;
  /** With every seed. */
  qualifies: boolean;
  /** Made for this trace by looking at all of it: nobody has it in advance. */
  usesHindsight: boolean;
  /** The cheapest of those that qualify without hindsight. */
  isBest: boolean;
  /** Means over the seeds; the most of `mostReplicas` and `waitMs.max`. */
  onTimeShare: number;
  replicaSeconds: number;
  ratio: number | null;
  pricedScore: number | null;
  waitMs: RunResult['waitMs'];
  /** Of the requests that may be deferred; absent where there are none. */
  deferrable?: DeferrableFigures;
  coldStarts: number;
  mostReplicas: number;
  costMicro: string | null;
  currency: string | null;
  /** Of the first seed; absent where nothing was rented. */
  machines?: MachinesOfRun;
}

/** A policy over all traces. */
export interface PolicyOverall {
  policy: string;
  /** Traces on which it qualifies, of those it was run on. */
  qualified: number;
  traces: number;
  /** Geometric mean of the ratios; null where it does not qualify everywhere. */
  ratio: number | null;
  /** Geometric mean of the priced scores. */
  pricedScore: number | null;
  replicaSeconds: number;
  costMicro: string | null;
  currency: string | null;
  usesHindsight: boolean;
  /** Without hindsight the one with the least ratio of those that qualify on all traces. */
  isBest: boolean;
}

/** A run that came to no result. */
export interface FailedRun {
  trace: string;
  policy: string;
  seed: number;
  message: string;
}

export interface Comparison {
  model: WorldModel;
  /** Cold start that lateness is priced with and the bound is made for: the mean where it is drawn, and then no strict bound. */
  coldStartMs: number;
  isStrictBound: boolean;
  policies: string[];
  traces: ComparedTrace[];
  /** By trace, policy and seed, in the order they were given. */
  rows: ComparisonRow[];
  summaries: PolicyOnTrace[];
  overall: PolicyOverall[];
  failures: FailedRun[];
  /** One of each row, with its curves. */
  runs: RunResult[];
}
