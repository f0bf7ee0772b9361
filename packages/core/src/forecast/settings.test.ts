import { describe, expect, it } from 'vitest';
import { settings } from './forecast.fixture.ts';
import { resolveSettings } from './settings.ts';

describe('settings', () => {
  it('have defaults', () => {
    expect(resolveSettings({ slots: 8, coldStartMs: 0, latePriceSeconds: 0 })).toEqual({
      bucketMs: 60_000,
      slots: 8,
      coldStartMs: 0,
      latePriceSeconds: 0,
      serviceMs: 1_000,
      utcOffsetMs: 0,
      events: [],
      leastSaving: 0.03,
      followed: null,
    });
  });

  it.each([
    [{ bucketMs: 7_000 }, 'bucketMs is 7000; it has to divide 900000 and be 1000 or more.'],
    [{ bucketMs: Number.NaN }, 'bucketMs is NaN'],
    [{ slots: 0 }, 'slots is 0; it has to be above 0.'],
    [{ coldStartMs: -1 }, 'coldStartMs is -1; it has to be 0 or more.'],
    [{ latePriceSeconds: Number.POSITIVE_INFINITY }, 'latePriceSeconds is Infinity'],
    [{ serviceMs: 0 }, 'serviceMs is 0; it has to be above 0.'],
    [{ utcOffsetMs: 1 }, 'utcOffsetMs is 1; it has to be a multiple of bucketMs (60000).'],
    [{ events: [{ name: 'sale', startMs: 5, endMs: 5, factor: 2 }] }, 'Event sale ends at 5; it has to end after 5.'],
    [{ events: [{ name: 'sale', startMs: 5, endMs: 6, factor: -2 }] }, 'factor of event sale is -2'],
  ])('refuse %o', (wrong, message) => {
    expect(() => resolveSettings({ ...settings, ...wrong })).toThrow(message);
  });
});
