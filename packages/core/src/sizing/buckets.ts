/**
 * Buckets that grow by a fixed ratio: bucket n is `firstWidth * ratio^n` wide, so every value is known to within
 * that ratio. Source: exponential histogram options of the VPA recommender.
 */
export interface BucketScheme {
  count: number;
  firstWidth: number;
  ratio: number;
  /** Where each bucket begins; it ends where the next one begins, and the last one never. */
  starts: Float64Array;
  /** A bucket with less weight counts as empty. */
  epsilon: number;
}

const growth = 1.05;
/** A thousandth of the weight of one CPU sample at its reference time. */
const epsilon = 0.0001;

export function exponentialBuckets(max: number, firstWidth: number, ratio: number, emptyBelow: number): BucketScheme {
  const count = Math.ceil(logarithm(ratio, (max * (ratio - 1)) / firstWidth + 1)) + 1;
  const starts = new Float64Array(count);
  for (let n = 1; n < count; n++) starts[n] = (firstWidth * (power(ratio, n) - 1)) / (ratio - 1);
  return { count, firstWidth, ratio, starts, epsilon: emptyBelow };
}

/** In cores: 0.01 to 1000. */
export const cpuBuckets = exponentialBuckets(1000, 0.01, growth, epsilon);
/** In bytes: 10 MB to 1 TB. */
export const memoryBuckets = exponentialBuckets(1e12, 1e7, growth, epsilon);

/** Index of the bucket a value falls into; values outside go to the first or the last. */
export function bucketOf(scheme: BucketScheme, value: number): number {
  const { count, firstWidth, ratio } = scheme;
  if (!(value >= firstWidth)) return 0;
  return Math.min(count - 1, Math.trunc(logarithm(ratio, (value * (ratio - 1)) / firstWidth + 1)));
}

function logarithm(base: number, value: number): number {
  return Math.log(value) / Math.log(base);
}

/**
 * By squaring, as the VPA's language does it: `Math.pow` may differ in the last bit, and a boundary that is truncated
 * to whole bytes would then differ by one.
 */
function power(base: number, exponent: number): number {
  let result = 1;
  let square = base;
  for (let rest = exponent; rest > 0; rest >>= 1) {
    if (rest & 1) result *= square;
    square *= square;
  }
  return result;
}
