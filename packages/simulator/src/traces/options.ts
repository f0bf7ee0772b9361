/** What to take of a trace, and what to assume where the file does not say it. */
export interface TraceOptions {
  /** Seed of the moments at which the requests of a counted bucket arrive. */
  seed?: number;
  /** Only the first so many seconds; the same as a window that begins at 0. */
  firstSeconds?: number;
  /** Only what arrives from `fromSeconds` on and before `toSeconds`; time begins anew at `fromSeconds`. */
  window?: { fromSeconds: number; toSeconds: number };
  /** Every so many-th request of all that are left, beginning with the first. */
  every?: number;
  /** Other names for workloads; two that get the same name become one. */
  rename?: Readonly<Record<string, string>>;
  /** Only some of the workloads. Counted within the window and before `every`. */
  workloads?: {
    leastRequests?: number;
    mostRequests?: number;
    /** Only the first so many in the order of their names (those of Azure's functions are hashes). */
    first?: number;
  };
  /** Layout `t_s,requests`: length of a bucket, where the rows do not tell it by their common divisor. */
  bucketSeconds?: number;
  /** Prometheus: what a value is; `rate` is the default. `counter` grows, and begins again at 0 after a restart. */
  values?: 'rate' | 'count' | 'counter';
  /** Ebb's journal: mean length of a service, for workloads whose readings hold the concurrency only. */
  journalServiceMs?: number;
}

export const defaultSeed = 1;

/** The part of a trace that is taken, microseconds. */
export interface Window {
  fromUs: number;
  toUs: number;
}

export function windowOf({ firstSeconds, window }: TraceOptions): Window {
  const toUs = (seconds: number) => Math.round(seconds * 1e6);
  if (window) return { fromUs: toUs(window.fromSeconds), toUs: toUs(window.toSeconds) };
  return { fromUs: 0, toUs: firstSeconds === undefined ? Number.POSITIVE_INFINITY : toUs(firstSeconds) };
}

/** @throws RangeError that says which option is wrong and what is allowed. */
export function checkOptions(options: TraceOptions): void {
  const { fromUs, toUs } = windowOf(options);
  if (!(fromUs >= 0) || !(toUs > fromUs))
    throw new RangeError('the window must begin at 0 or later and end after that');
  requireWhole('every', options.every, 1);
  requireWhole('workloads.first', options.workloads?.first, 1);
  requireWhole('workloads.leastRequests', options.workloads?.leastRequests, 0);
  requireWhole('workloads.mostRequests', options.workloads?.mostRequests, 0);
  requireWhole('seed', options.seed, 0);
  if (options.bucketSeconds !== undefined && !(options.bucketSeconds > 0)) {
    throw new RangeError(`bucketSeconds is ${options.bucketSeconds}: must be more than 0`);
  }
  if (options.journalServiceMs !== undefined && !(options.journalServiceMs > 0)) {
    throw new RangeError(`journalServiceMs is ${options.journalServiceMs}: must be more than 0`);
  }
}

function requireWhole(name: string, value: number | undefined, least: number): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= least)) return;
  throw new RangeError(`${name} is ${value}: must be a whole number from ${least} on`);
}
