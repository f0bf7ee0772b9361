import { describe, expect, it } from 'vitest';
import { dayProfile } from './dayProfile.ts';
import { day, fed, hour, hourly, minute, monday, resolved } from './forecast.fixture.ts';

const nineOnly = (peak: number) => (hourNumber: number) => (hourNumber % 24 === 9 ? peak : 0);

describe('day profile', () => {
  it('expects of a quarter what it was yesterday, and its neighbours nothing', () => {
    const { forecaster } = fed(dayProfile, hourly(24, nineOnly(20)));
    const nine = monday + day + 9 * hour;
    expect(forecaster.peakWithin(nine, nine + minute)).toBe(20);
    expect(forecaster.peakWithin(nine - 2 * minute, nine - minute)).toBe(0);
    // The quarter that begins at the end of the horizon counts.
    expect(forecaster.peakWithin(nine - 2 * minute, nine)).toBe(20);
    expect(forecaster.peakWithin(nine + hour, nine + hour + minute)).toBe(0);
  });

  it('follows a larger day fast and a smaller one slowly', () => {
    const nine = monday + 2 * day + 9 * hour;
    // 20 + 0.6 (40 − 20) = 32; 40 + 0.15 (20 − 40) = 37.
    const up = fed(dayProfile, [...hourly(24, nineOnly(20)), ...hourly(24, nineOnly(40))]).forecaster;
    expect(up.peakWithin(nine, nine + minute)).toBe(32);
    expect(up.because(nine, nine + minute)).toEqual({ slot: 36, slotMs: 900_000 });
    const down = fed(dayProfile, [...hourly(24, nineOnly(40)), ...hourly(24, nineOnly(20))]).forecaster;
    expect(down.peakWithin(nine, nine + minute)).toBe(37);
  });

  it('cannot tell of a quarter that it has not seen', () => {
    const { forecaster, endMs } = fed(
      dayProfile,
      hourly(8, () => 5),
    );
    expect(forecaster.peakWithin(endMs + hour, endMs + hour + minute)).toBeNull();
  });

  it('takes the largest bucket of a quarter', () => {
    const { forecaster } = fed(dayProfile, [1, 1, 7, ...Array.from({ length: 12 }, () => 1)]);
    expect(forecaster.peakWithin(monday + day, monday + day + minute)).toBe(7);
  });

  it('counts hours of local time', () => {
    const using = resolved({ utcOffsetMs: 2 * hour });
    const { forecaster } = fed(dayProfile, hourly(24, nineOnly(20)), { using });
    const nine = monday + day + 9 * hour;
    expect(forecaster.because(nine, nine + minute).slot).toBe((9 + 2) * 4);
    expect(forecaster.peakWithin(nine, nine + minute)).toBe(20);
  });
});
