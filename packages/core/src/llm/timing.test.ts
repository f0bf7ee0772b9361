import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Timing, timingAbove, timingMeanMs, timingQuantileMs, timingSince, timingTogether } from './timing.ts';

const bounds = [100, 250, 500, 1000, Number.POSITIVE_INFINITY];

/** A histogram of these times. */
function timed(timesMs: readonly number[]): Timing {
  const buckets = bounds.map((leMs) => ({ leMs, count: timesMs.filter((ms) => ms <= leMs).length }));
  return { sumMs: timesMs.reduce((sum, ms) => sum + ms, 0), count: timesMs.length, buckets };
}

const anyTimes = fc.array(fc.integer({ min: 1, max: 2000 }), { maxLength: 60 });

describe('quantiles', () => {
  it('lie within their bucket in proportion, as histogram_quantile has them', () => {
    const timing = timed([50, 50, 200, 200, 200, 200, 400, 400, 400, 400]);
    expect(timingQuantileMs(timing, 0.5)).toBeCloseTo(100 + (150 * 3) / 4, 9);
    expect(timingQuantileMs(timing, 0.1)).toBeCloseTo(50, 9);
    expect(timingQuantileMs(timing, 1)).toBe(500);
  });

  it('beyond the last bound are that bound, and without times there are none', () => {
    expect(timingQuantileMs(timed([5000, 6000]), 0.95)).toBe(1000);
    expect(timingQuantileMs(timed([]), 0.95)).toBeNull();
    expect(timingMeanMs(timed([]))).toBeNull();
    expect(timingQuantileMs({ sumMs: 10, count: 1, buckets: null }, 0.5)).toBeNull();
  });

  it('are within the bucket of the time that has this rank', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (times, quantile) => {
          const sorted = [...times].sort((a, b) => a - b);
          const exact = sorted[Math.max(0, Math.ceil(quantile * sorted.length) - 1)] ?? 0;
          const index = bounds.findIndex((bound) => exact <= bound);
          const found = timingQuantileMs(timed(times), quantile) ?? Number.NaN;
          expect(found).toBeGreaterThanOrEqual((bounds[index - 1] ?? 0) - 1e-9);
          expect(found).toBeLessThanOrEqual((bounds[index] ?? 0) + 1e-9);
        },
      ),
    );
  });
});

describe('two scrapes', () => {
  it('differ by what came between them', () => {
    fc.assert(
      fc.property(anyTimes, anyTimes, (before, between) => {
        expect(timingSince(timed(before), timed([...before, ...between]))).toEqual(timed(between));
        expect(timingTogether(timed(before), timed(between))).toEqual(timed([...before, ...between]));
      }),
    );
  });

  it('of which the later has begun anew: all of it is new', () => {
    expect(timingSince(timed([50, 50, 300]), timed([700]))).toEqual(timed([700]));
    // As many again, but others: a bucket went backwards.
    expect(timingSince(timed([50, 50]), timed([700, 800, 900]))).toEqual(timed([700, 800, 900]));
  });

  it('of servers with other bounds keep those that both have', () => {
    const other: Timing = {
      sumMs: 300,
      count: 1,
      buckets: [
        { leMs: 500, count: 1 },
        { leMs: Number.POSITIVE_INFINITY, count: 1 },
      ],
    };
    expect(timingTogether(timed([50]), other).buckets).toEqual([
      { leMs: 500, count: 2 },
      { leMs: Number.POSITIVE_INFINITY, count: 2 },
    ]);
    expect(timingSince(timed([50]), other)).toEqual(other);
  });
});

describe('how many took longer', () => {
  it('is exact at a bound and in proportion between', () => {
    const timing = timed([50, 200, 200, 400, 3000]);
    expect(timingAbove(timing, 250)).toBe(2);
    expect(timingAbove(timing, 175)).toBeCloseTo(3, 9);
    expect(timingAbove(timing, 2000)).toBe(1);
    expect(timingAbove({ sumMs: 1, count: 1, buckets: null }, 5)).toBeNull();
  });
});
