import { describe, expect, it } from 'vitest';
import { datedEvents } from './datedEvents.ts';
import { fed, minute, monday, resolved } from './forecast.fixture.ts';

const at = (minutes: number) => monday + minutes * minute;
const launch = { name: 'launch', startMs: at(10), endMs: at(20), factor: 4 };

describe('dated events', () => {
  const using = resolved({ events: [launch] });

  it('say nothing outside of an event', () => {
    const { forecaster, endMs } = fed(datedEvents, [3, 3, 3], { using });
    expect(forecaster.peakWithin(endMs, endMs + 2 * minute)).toBeNull();
    expect(forecaster.peakWithin(at(20), at(22))).toBeNull();
  });

  it('multiply what persistence expects, from before the event on', () => {
    const { forecaster } = fed(datedEvents, [3, 3, 3, 3, 3, 3, 3, 3], { using });
    expect(forecaster.peakWithin(at(8), at(10))).toBe(12);
    expect(forecaster.because(at(8), at(10))).toEqual({ factor: 4, withoutEvent: 3 });
  });

  it('do not apply the factor twice', () => {
    const peaks = Array.from({ length: 15 }, (_, index) => (index < 10 ? 3 : 12));
    const { forecaster, endMs } = fed(datedEvents, peaks, { using });
    expect(forecaster.peakWithin(endMs, endMs + 2 * minute)).toBe(12);
  });

  it('take the largest factor of events that overlap', () => {
    const sale = { ...launch, name: 'sale', factor: 6 };
    const { forecaster } = fed(datedEvents, [3, 3], { using: resolved({ events: [launch, sale] }) });
    expect(forecaster.peakWithin(at(8), at(10))).toBe(18);
  });

  it('learn nothing of the demand without them from an event of factor 0', () => {
    const off = { ...launch, factor: 0 };
    const peaks = Array.from({ length: 15 }, (_, index) => (index < 10 ? 3 : 0));
    const { forecaster } = fed(datedEvents, peaks, { using: resolved({ events: [off] }) });
    expect(forecaster.because(at(30), at(31)).withoutEvent).toBe(3);
  });
});
