/** Curves have about this many points: enough for a plot of a page's width. */
const mostBuckets = 600;
const lengthsMs = [
  1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000,
];

/** Bucket length of the curves of a run that long: a round one, whole hours from an hour on. */
export function bucketLengthMs(spanMs: number): number {
  const found = lengthsMs.find((ms) => spanMs / ms <= mostBuckets);
  return found ?? Math.ceil(spanMs / mostBuckets / 3_600_000) * 3_600_000;
}
