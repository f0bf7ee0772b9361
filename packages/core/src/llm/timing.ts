/**
 * How long things took, as a histogram tells it: their sum, their number, and how many took at most each bound
 * (cumulative, rising bounds, the last one infinite). Without buckets only the mean is known.
 */
export interface Timing {
  sumMs: number;
  count: number;
  buckets: readonly TimingBucket[] | null;
}

export interface TimingBucket {
  /** At most this long; infinite for the last one. */
  leMs: number;
  count: number;
}

/**
 * What was added between two scrapes. A count that has gone backwards began anew, so all of the later one is new, as in
 * Prometheus' `increase`. Buckets that do not match (another version of the server) count as begun anew.
 */
export function timingSince(before: Timing, now: Timing): Timing {
  const restarted = now.count < before.count || now.sumMs < before.sumMs || !sameBounds(before.buckets, now.buckets);
  if (restarted) return now;
  const buckets =
    now.buckets?.map(({ leMs, count }, i) => ({ leMs, count: count - (before.buckets?.[i]?.count ?? 0) })) ?? null;
  if (buckets?.some(({ count }) => count < 0)) return now;
  return { sumMs: now.sumMs - before.sumMs, count: now.count - before.count, buckets };
}

/** Both together. Where bounds differ, only those that both have are kept: each still says what is within it. */
export function timingTogether(left: Timing, right: Timing): Timing {
  const sum = { sumMs: left.sumMs + right.sumMs, count: left.count + right.count };
  if (left.count === 0 && left.buckets === null) return { ...sum, buckets: right.buckets };
  if (right.count === 0 && right.buckets === null) return { ...sum, buckets: left.buckets };
  if (!left.buckets || !right.buckets) return { ...sum, buckets: null };
  const others = new Map(right.buckets.map(({ leMs, count }) => [leMs, count]));
  const buckets = left.buckets.flatMap(({ leMs, count }) => {
    const other = others.get(leMs);
    return other === undefined ? [] : [{ leMs, count: count + other }];
  });
  return { ...sum, buckets };
}

export const nothingTimed: Timing = { sumMs: 0, count: 0, buckets: null };

/** Null when nothing was timed. */
export function timingMeanMs({ sumMs, count }: Timing): number | null {
  return count > 0 ? sumMs / count : null;
}

/**
 * The quantile (0 to 1) by linear interpolation within its bucket, as Prometheus' `histogram_quantile`
 * (https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile): from zero in the first bucket, and
 * the highest finite bound where it lies in the last one. Null when nothing was timed or there are no buckets.
 */
export function timingQuantileMs({ buckets }: Timing, quantile: number): number | null {
  const total = buckets?.at(-1)?.count ?? 0;
  if (!buckets || total <= 0) return null;
  const rank = quantile * total;
  const index = buckets.findIndex(({ count }) => count >= rank);
  const bucket = buckets[index];
  if (!bucket) return null;
  const below = buckets[index - 1];
  if (bucket.leMs === Number.POSITIVE_INFINITY) return below ? below.leMs : null;
  const fromMs = below?.leMs ?? 0;
  const fromCount = below?.count ?? 0;
  const within = bucket.count - fromCount;
  return within <= 0 ? bucket.leMs : fromMs + ((bucket.leMs - fromMs) * (rank - fromCount)) / within;
}

/**
 * How many took longer than `limitMs`, by the same interpolation. Where the limit lies in the last, open bucket, all of
 * that bucket count. Null without buckets.
 */
export function timingAbove({ buckets }: Timing, limitMs: number): number | null {
  const total = buckets?.at(-1)?.count;
  if (!buckets || total === undefined) return null;
  const index = buckets.findIndex(({ leMs }) => leMs >= limitMs);
  const bucket = buckets[index];
  if (!bucket) return total;
  const below = buckets[index - 1];
  const fromMs = below?.leMs ?? 0;
  const fromCount = below?.count ?? 0;
  if (bucket.leMs === Number.POSITIVE_INFINITY) return total - fromCount;
  const share = (limitMs - fromMs) / (bucket.leMs - fromMs);
  return total - (fromCount + (bucket.count - fromCount) * share);
}

function sameBounds(left: Timing['buckets'], right: Timing['buckets']): boolean {
  if (left === null || right === null) return left === right;
  return left.length === right.length && left.every(({ leMs }, i) => leMs === right[i]?.leMs);
}
