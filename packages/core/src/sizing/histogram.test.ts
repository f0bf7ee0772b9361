import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketOf, cpuBuckets, exponentialBuckets, memoryBuckets } from './buckets.ts';
import { DecayingHistogram, noReferenceMs } from './histogram.ts';

const dayMs = 86_400_000;
/** A midnight, so that it is a reference time of a half-life of a day. */
const midnightMs = 19_000 * dayMs;

const histogramOf = (samples: [value: number, weight: number, atMs?: number][]) => {
  const histogram = new DecayingHistogram(memoryBuckets, dayMs);
  for (const [value, weight, atMs = midnightMs] of samples) histogram.add(value, weight, atMs);
  return histogram;
};

describe('buckets', () => {
  it('are 176 of both resources', () => {
    // log(1000 * 0.05 / 0.01 + 1) / log 1.05 = 174.57, rounded up 175, and one more; 1e12 / 1e7 is the same ratio.
    expect([cpuBuckets.count, memoryBuckets.count]).toEqual([176, 176]);
  });

  it('begin where the widths before them end', () => {
    // 10 MB, 10 MB * 1.05 and 10 MB * 1.05 ^ 2 wide.
    const starts = [...memoryBuckets.starts.subarray(0, 4)];
    expect(starts.map(Math.round)).toEqual([0, 10_000_000, 20_500_000, 31_525_000]);
  });

  it.each([
    [-5, 0],
    [Number.NaN, 0],
    [0, 0],
    [9_999_999, 0],
    [10_000_001, 1],
    [20_499_999, 1],
    [20_500_001, 2],
    [1e12, 174],
    [9e15, 175],
    [Number.POSITIVE_INFINITY, 175],
  ])('take %d bytes into bucket %i', (value, bucket) => {
    expect(bucketOf(memoryBuckets, value)).toBe(bucket);
  });

  it('can be of another size', () => {
    // 1 + 2 + 4 + 8 = 15, so 16 lies in the fifth: log2(16 * 1 / 1 + 1) = 4.09, rounded up, and one more.
    const scheme = exponentialBuckets(16, 1, 2, 0.01);
    expect([...scheme.starts]).toEqual([0, 1, 3, 7, 15, 31]);
    expect([0.5, 1, 2.9, 3.1, 14, 16, 100].map((value) => bucketOf(scheme, value))).toEqual([0, 1, 1, 2, 3, 4, 5]);
  });
});

describe('percentiles', () => {
  const nineOfTen = histogramOf([
    [15e6, 9],
    [100e6, 1],
  ]);
  // 100 MB: 1.05 ^ n = 100e6 * 0.05 / 10e6 + 1 = 1.5, n = 8.31; bucket 8 ends at 200e6 * (1.05 ^ 9 − 1).
  const endOf100 = 110_265_643;

  it.each([
    [-1, 20_500_000],
    [0, 20_500_000],
    [0.9, 20_500_000],
    [0.91, endOf100],
    [1, endOf100],
    [7, endOf100],
  ])('of %d are the end of the bucket that reaches it', (p, end) => {
    expect(Math.floor(nineOfTen.percentile(p) + 1e-6)).toBe(end);
  });

  it('are 0 when empty, also when what there is weighs next to nothing', () => {
    expect(histogramOf([]).percentile(0.5)).toBe(0);
    expect(histogramOf([[15e6, 0.00009]]).percentile(0.5)).toBe(0);
    expect(histogramOf([[15e6, 0.00009]]).isEmpty).toBe(true);
  });

  it('are the start of the last bucket, which has no end', () => {
    expect(histogramOf([[1e15, 1]]).percentile(0.5)).toBe(memoryBuckets.starts[175]);
  });

  it('never fall as p grows', () => {
    const samples = fc.array(
      fc.tuple(
        fc.double({ min: 0, max: 2e12, noNaN: true }),
        fc.double({ min: 0, max: 5, noNaN: true }),
        fc.integer({ min: midnightMs, max: midnightMs + 200 * dayMs }),
      ),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(samples, (list) => {
        const histogram = histogramOf(list);
        let last = 0;
        for (let p = 0; p <= 1; p += 0.05) {
          const value = histogram.percentile(p);
          expect(value).toBeGreaterThanOrEqual(last);
          last = value;
        }
      }),
    );
  });
});

describe('decay', () => {
  it('halves a weight for every half-life that passes', () => {
    // 1 before against 2 now: the older one is a third.
    const histogram = histogramOf([
      [15e6, 1],
      [100e6, 1, midnightMs + dayMs],
    ]);
    expect(histogram.totalWeight).toBe(3);
    expect(Math.round(histogram.percentile(0.33))).toBe(20_500_000);
    expect(histogram.percentile(0.34)).toBeGreaterThan(100e6);
  });

  it('moves the reference after 100 half-lives, to the nearest multiple', () => {
    const histogram = histogramOf([[15e6, 1]]);
    expect(histogram.referenceMs).toBe(midnightMs);
    histogram.add(100e6, 1, midnightMs + 100 * dayMs);
    expect(histogram.referenceMs).toBe(midnightMs);
    histogram.add(200e6, 1, midnightMs + 100.6 * dayMs);
    expect(histogram.referenceMs).toBe(midnightMs + 101 * dayMs);
    // What was 100 days old is below the empty threshold now, what came half a day before is not.
    expect(histogram.percentile(0)).toBeGreaterThan(100e6);
    expect(histogram.percentile(0)).toBeLessThan(200e6);
    expect(histogram.totalWeight).toBeCloseTo(2 ** -1 + 2 ** -0.4, 12);
  });

  it('takes a sample back out', () => {
    const histogram = histogramOf([
      [15e6, 1],
      [100e6, 1, midnightMs + dayMs],
    ]);
    histogram.subtract(100e6, 1, midnightMs + dayMs);
    expect(histogram.totalWeight).toBe(1);
    expect(Math.round(histogram.percentile(1))).toBe(20_500_000);
    histogram.subtract(15e6, 1, midnightMs);
    expect(histogram.isEmpty).toBe(true);
  });

  it('needs a half-life', () => {
    expect(() => new DecayingHistogram(memoryBuckets, 0)).toThrow('A half-life is 0 ms; it has to be above 0.');
  });
});

describe('merging', () => {
  it('aligns the older reference, whichever side it is on', () => {
    const older = histogramOf([[15e6, 4]]);
    const newer = histogramOf([[100e6, 1, midnightMs + 2 * dayMs]]);
    const untouched = older.copy();
    const merged = newer.copy();
    merged.merge(older);
    // 4 two half-lives ago weigh 1 now.
    expect(merged.referenceMs).toBe(midnightMs + 2 * dayMs);
    expect(merged.totalWeight).toBe(2);
    expect(older).toEqual(untouched);
    older.merge(newer);
    expect(older.save()).toEqual(merged.save());
  });

  it('gives the same either way round', () => {
    const part = fc.array(
      fc.tuple(
        fc.double({ min: 0, max: 1e11, noNaN: true }),
        fc.double({ min: 0.1, max: 3, noNaN: true }),
        fc.integer({ min: midnightMs, max: midnightMs + 300 * dayMs }),
      ),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(part, part, (left, right) => {
        const one = histogramOf(left);
        one.merge(histogramOf(right));
        const other = histogramOf(right);
        other.merge(histogramOf(left));
        expect(one.referenceMs).toBe(other.referenceMs);
        expect(Math.abs(one.totalWeight - other.totalWeight)).toBeLessThanOrEqual(memoryBuckets.epsilon * 176);
        one.weights.forEach((weight, bucket) => {
          expect(Math.abs(weight - (other.weights[bucket] ?? 0))).toBeLessThanOrEqual(memoryBuckets.epsilon);
        });
      }),
    );
  });

  it('needs the same buckets and half-life', () => {
    const histogram = histogramOf([]);
    expect(() => histogram.merge(new DecayingHistogram(cpuBuckets, dayMs))).toThrow(RangeError);
    expect(() => histogram.merge(new DecayingHistogram(memoryBuckets, 2 * dayMs))).toThrow(RangeError);
  });
});

describe('checkpoints', () => {
  it('hold whole weights relative to the heaviest, rounded half up, without zeros', () => {
    // 3 is 10000; 1 is 3333.3; 0.00015 is 0.5 and rounds to 1; 0.00012 is 0.4 and goes.
    const { bucketWeights, totalWeight } = histogramOf([
      [5e6, 0.00012],
      [15e6, 0.00015],
      [25e6, 3],
      [35e6, 1],
    ]).save();
    expect(bucketWeights).toEqual({ 1: 1, 2: 10_000, 3: 3333 });
    expect(totalWeight).toBeCloseTo(4.00027, 10);
  });

  it('are loaded to the saved total', () => {
    const loaded = histogramOf([]);
    loaded.load({ referenceMs: midnightMs, totalWeight: 6, bucketWeights: { 1: 10_000, 8: 5000 } });
    expect([loaded.weights[1], loaded.weights[8], loaded.totalWeight]).toEqual([4, 2, 6]);
    expect(loaded.referenceMs).toBe(midnightMs);
  });

  it('of nothing are of nothing', () => {
    const saved = histogramOf([]).save();
    expect(saved).toEqual({ referenceMs: noReferenceMs, totalWeight: 0, bucketWeights: {} });
    const loaded = histogramOf([]);
    loaded.load(saved);
    expect(loaded.isEmpty).toBe(true);
  });

  it('do not read as empty when rounding brings the smallest weight below the threshold (7726)', () => {
    // 0.0001 beside 0.9 is saved as 1 of 10001; of a total of 0.9001 that loads as 0.00009: empty.
    const histogram = histogramOf([
      [1e7, 0.0001],
      [5e8, 0.9],
    ]);
    expect(histogram.save().bucketWeights).toMatchObject({ 1: 1 });
    const loaded = histogramOf([]);
    loaded.load(histogram.save());
    expect(loaded.isEmpty).toBe(false);
    expect(loaded.percentile(0.9)).toBe(histogram.percentile(0.9));
    expect(loaded.percentile(0)).toBeGreaterThan(histogram.percentile(0));
  });

  it.each([
    [{ totalWeight: -1, bucketWeights: {} }, "A checkpoint's total weight is -1"],
    [{ totalWeight: Number.NaN, bucketWeights: {} }, "A checkpoint's total weight is NaN"],
    [{ totalWeight: 1, bucketWeights: { 176: 1 } }, 'names bucket 176; there are 0 to 175'],
    [{ totalWeight: 1, bucketWeights: { [-1]: 1 } }, 'names bucket -1'],
    [{ totalWeight: 1, bucketWeights: { 4: -2 } }, 'Bucket 4 of a checkpoint weighs -2'],
  ])('that cannot be are refused: %o', (checkpoint, says) => {
    const histogram = histogramOf([[15e6, 1]]);
    expect(() => histogram.load({ referenceMs: midnightMs, ...checkpoint })).toThrow(says);
    expect(histogram.totalWeight).toBe(1);
  });

  it('lose no more by being loaded and saved again', () => {
    const samples = fc.array(
      fc.tuple(fc.double({ min: 0, max: 1e12, noNaN: true }), fc.double({ min: 0, max: 100, noNaN: true })),
      { minLength: 1, maxLength: 80 },
    );
    const again = (histogram: DecayingHistogram) => {
      const loaded = histogramOf([]);
      loaded.load(histogram.save());
      return loaded;
    };
    fc.assert(
      fc.property(samples, (list) => {
        const first = histogramOf(list);
        const second = again(first);
        const third = again(second);
        // Only edges below the empty threshold may go, once.
        expect(first.save().bucketWeights).toMatchObject(second.save().bucketWeights);
        expect(third.save().bucketWeights).toEqual(second.save().bucketWeights);
      }),
    );
  });
});
