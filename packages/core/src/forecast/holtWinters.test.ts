import { describe, expect, it } from 'vitest';
import { day, fed, hour, hourly, minute, monday } from './forecast.fixture.ts';
import { holtWinters } from './holtWinters.ts';

describe('Holt-Winters', () => {
  it('cannot tell before a day is over', () => {
    const { forecaster, endMs } = fed(
      holtWinters,
      hourly(23, () => 3),
    );
    expect(forecaster.peakWithin(endMs, endMs + minute)).toBeNull();
  });

  it('takes level and season from the first day', () => {
    // 12 hours of 4 and 12 of 10: level 7, season −3 and 3.
    const { forecaster, endMs } = fed(
      holtWinters,
      hourly(24, (hourNumber) => (hourNumber < 12 ? 4 : 10)),
    );
    expect(forecaster.because(endMs, endMs)).toEqual({ level: 7, trendPerHour: 0, margin: 0 });
    expect(forecaster.peakWithin(endMs, endMs + minute)).toBe(4);
    expect(forecaster.peakWithin(endMs + 12 * hour, endMs + 13 * hour)).toBe(10);
  });

  it('moves level, trend, season and margin by one hour of more demand', () => {
    // A flat day of 10, then an hour of 20. Level 0.2 · 20 + 0.8 · 10 = 12, trend 0.02 · 2 = 0.04,
    // season of that hour 0.3 · (20 − 12) = 2.4, margin 0.3 · (20 − 10) = 3.
    const { forecaster, endMs } = fed(
      holtWinters,
      hourly(25, (hourNumber) => (hourNumber < 24 ? 10 : 20)),
    );
    expect(forecaster.because(endMs, endMs)).toEqual({ level: 12, trendPerHour: 0.04, margin: 3 });
    // The next hour: 12 + 0.9 · 0.04 + 0 + 3.
    expect(forecaster.peakWithin(endMs, endMs + minute)).toBeCloseTo(15.036, 9);
    // The same hour tomorrow: 12 + 0.04 · (0.9 + 0.9² + … + 0.9²⁴) + 2.4 + 3.
    const damped = (0.04 * 0.9 * (1 - 0.9 ** 24)) / 0.1;
    expect(forecaster.peakWithin(monday + 2 * day, monday + 2 * day + minute)).toBeCloseTo(17.4 + damped, 9);
  });

  it('never expects less than nothing', () => {
    const { forecaster, endMs } = fed(
      holtWinters,
      hourly(72, (hourNumber) => (hourNumber < 24 ? 50 * (hourNumber % 2) : 0)),
    );
    for (let step = 0; step < 24; step += 1) {
      expect(forecaster.peakWithin(endMs + step * hour, endMs + step * hour + minute)).toBeGreaterThanOrEqual(0);
    }
  });
});
