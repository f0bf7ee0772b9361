import { describe, expect, it } from 'vitest';
import { fed, minute, monday, resolved } from './forecast.fixture.ts';
import { lastPeak } from './lastPeak.ts';

describe('last peak', () => {
  it('expects the largest peak of the last five buckets', () => {
    const { forecaster, endMs } = fed(lastPeak, [9, 3, 4, 1, 2, 2]);
    expect(forecaster.peakWithin(endMs, endMs + minute)).toBe(4);
    expect(forecaster.because(endMs, endMs)).toEqual({ buckets: 5, newestPeak: 2 });
  });

  it('cannot tell before the first bucket', () => {
    expect(lastPeak.open(undefined, resolved()).peakWithin(monday, monday + minute)).toBeNull();
  });

  it('has nothing left after a silent quarter of an hour', () => {
    const { forecaster, endMs } = fed(lastPeak, [9]);
    forecaster.learn({ startMs: endMs, lengthMs: 15 * minute, mean: 0, peak: 0 });
    expect(forecaster.peakWithin(endMs, endMs + minute)).toBe(0);
  });

  it('begins anew on a memory that is none of its own', () => {
    expect(lastPeak.open([1, 'two'], resolved()).peakWithin(monday, monday + minute)).toBeNull();
    expect(lastPeak.open([1, 2, 3, 4, 5, 6], resolved()).peakWithin(monday, monday + minute)).toBeNull();
    expect(lastPeak.open([1, 2], resolved()).peakWithin(monday, monday + minute)).toBe(2);
  });
});
