import { describe, expect, it } from 'vitest';
import { day, fed, hour, hourly, minute, monday } from './forecast.fixture.ts';
import { fourier } from './fourier.ts';

const wave = (hourNumber: number) => 20 + 10 * Math.cos((2 * Math.PI * (hourNumber + 0.5)) / 24);

describe('Fourier', () => {
  it('cannot tell before a day is over', () => {
    const { forecaster, endMs } = fed(fourier, hourly(23, wave));
    expect(forecaster.peakWithin(endMs, endMs + minute)).toBeNull();
  });

  it('finds mean and harmonic of a wave', () => {
    const { forecaster } = fed(fourier, hourly(14 * 24, wave));
    const midnight = monday + 14 * day;
    // Its crest is at midnight (30), its trough at noon (10); 20 at six.
    for (const [offset, expected] of [
      [0, 30],
      [6 * hour, 20],
      [12 * hour, 10],
    ] as const) {
      const peak = forecaster.peakWithin(midnight + offset, midnight + offset + minute);
      expect(Math.abs((peak ?? 0) - expected)).toBeLessThan(0.2);
    }
    expect(Math.abs((forecaster.because(midnight, midnight).mean ?? 0) - 20)).toBeLessThan(0.1);
  });

  it('is the least-squares fit of one hour with a prior, by hand', () => {
    // One hour of 10 at its middle: gain Pφ / (keep + φᵀPφ); φᵀPφ = 10 + 3 · 10 + 2 · 1 = 42, as cos² + sin² = 1.
    const { forecaster } = fed(
      fourier,
      hourly(1, () => 10),
    );
    const keep = 0.5 ** (1 / 336);
    expect(forecaster.because(monday, monday).mean).toBeCloseTo((10 * 10) / (keep + 42), 4);
  });

  it('sees the crest inside a long horizon', () => {
    const { forecaster } = fed(fourier, hourly(14 * 24, wave));
    const noon = monday + 14 * day + 12 * hour;
    expect(forecaster.peakWithin(noon, noon + 14 * hour)).toBeGreaterThan(29);
  });

  it('stays a fit over months of changing load', () => {
    const { forecaster, endMs } = fed(
      fourier,
      hourly(120 * 24, (hourNumber) => (hourNumber % 168 < 120 ? wave(hourNumber) : 2)),
    );
    const expected = forecaster.peakWithin(endMs, endMs + day) ?? Number.NaN;
    expect(expected).toBeGreaterThan(15);
    expect(expected).toBeLessThan(60);
  });
});
