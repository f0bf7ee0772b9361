import { describe, expect, it } from 'vitest';
import { dayMean } from './dayMean.ts';
import { day, fed, hour, hourly, minute, monday } from './forecast.fixture.ts';

describe('day mean', () => {
  it('follows larger and smaller days alike', () => {
    const nine = monday + 3 * day + 9 * hour;
    const peakOfDay = [20, 40, 0];
    const { forecaster } = fed(
      dayMean,
      hourly(72, (hourNumber) => (hourNumber % 24 === 9 ? (peakOfDay[Math.floor(hourNumber / 24)] ?? 0) : 1)),
    );
    // 20, 20 + 0.3 · 20 = 26, 26 − 0.3 · 26 = 18.2.
    expect(forecaster.peakWithin(nine, nine + minute)).toBe(18.2);
    expect(forecaster.peakWithin(nine + hour, nine + hour + minute)).toBe(1);
  });
});
