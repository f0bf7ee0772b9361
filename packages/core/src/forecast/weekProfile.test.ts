import { describe, expect, it } from 'vitest';
import { day, fed, hour, hourly, minute, monday } from './forecast.fixture.ts';
import { weekProfile } from './weekProfile.ts';

describe('week profile', () => {
  it('knows Monday at nine from Tuesday at nine, after a week', () => {
    const { forecaster } = fed(
      weekProfile,
      hourly(168, (hourNumber) => (hourNumber === 9 ? 20 : 1)),
    );
    const nine = monday + 7 * day + 9 * hour;
    expect(forecaster.peakWithin(nine, nine + minute)).toBe(20);
    expect(forecaster.peakWithin(nine + day, nine + day + minute)).toBe(1);
    // 1970 began on a Thursday at hour 0: Monday at nine is hour 4 · 24 + 9 of that week.
    expect(forecaster.because(nine, nine + minute)).toEqual({ slot: 105, slotMs: hour });
  });

  it('cannot tell of a day that it has not seen', () => {
    const { forecaster, endMs } = fed(
      weekProfile,
      hourly(24, () => 5),
    );
    expect(forecaster.peakWithin(endMs + minute, endMs + 2 * minute)).toBeNull();
  });
});
