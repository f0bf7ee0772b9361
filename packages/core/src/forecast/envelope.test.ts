import { describe, expect, it } from 'vitest';
import { envelope } from './envelope.ts';
import { day, fed, minute, resolved } from './forecast.fixture.ts';

const quiet = (minutes: number) => Array.from({ length: minutes }, () => 0);

describe('arrival envelope', () => {
  it('is the most demand of every window', () => {
    const { forecaster, endMs } = fed(envelope, [4, 6, 2, 0, 0, 0]);
    // Windows of 1, 2, 5, 10 .. 60 buckets; the last number is the largest peak. Fading by 0.5^(1/1440) a minute.
    const fade = 0.5 ** (1 / 1_440);
    const { most } = forecaster.toJson() as { most: number[] };
    expect(most).toHaveLength(8);
    const expected = [6 * fade ** 4, 10 * fade ** 4, 12 * fade, 12, 12, 12, 12, 6 * fade ** 4];
    for (const [index, value] of expected.entries()) expect(most[index]).toBeCloseTo(value, 4);
    expect(forecaster.because(endMs, endMs).mostOf10Buckets).toBe(12);
  });

  it('expects no more than what can still come', () => {
    // A burst of 10 slot-minutes once: after it has come, nothing of it is left for the next minute.
    const { forecaster, endMs } = fed(envelope, [...quiet(60), 10]);
    expect(forecaster.peakWithin(endMs, endMs + minute)).toBe(0);
  });

  it('expects the largest peak again when the burst is forgotten by the windows', () => {
    const { forecaster, endMs } = fed(envelope, [10, ...quiet(60)]);
    expect(forecaster.peakWithin(endMs, endMs + minute)).toBeCloseTo(10 * 0.5 ** (60 / 1_440), 3);
  });

  it('forgets half in a day', () => {
    const { forecaster, endMs } = fed(envelope, [10, ...quiet(1_440)]);
    expect(forecaster.peakWithin(endMs, endMs + minute)).toBeCloseTo(5, 3);
  });

  it('takes a silent quarter as fifteen minutes', () => {
    const minutes = fed(envelope, [10, ...quiet(15)]);
    const quarter = fed(envelope, [10]);
    quarter.forecaster.learn({ startMs: quarter.endMs, lengthMs: 15 * minute, mean: 0, peak: 0 });
    const from = minutes.endMs;
    const one = minutes.forecaster.peakWithin(from, from + 5 * minute) ?? Number.NaN;
    expect(quarter.forecaster.peakWithin(from, from + 5 * minute)).toBeCloseTo(one, 4);
  });

  it('cannot tell before the first bucket', () => {
    expect(envelope.open(undefined, resolved()).peakWithin(day, day + minute)).toBeNull();
  });
});
