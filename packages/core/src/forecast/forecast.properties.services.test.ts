import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Forecast, openForecast } from './forecast.ts';
import { day, hour, minute, monday, poissonOf, seeded, settings } from './forecast.fixture.ts';
import { forecasterTypes } from './registry.ts';
import { resolveSettings } from './settings.ts';
import type { ForecastSettings } from './types.ts';

/** Waits from a millisecond to two days, demand from none to absurd, and what the reactive part holds. */
const calls = fc.array(
  fc.record({
    waitMs: fc.oneof(
      fc.integer({ min: 1, max: 90_000 }),
      fc.integer({ min: 60_000, max: 4 * hour }),
      fc.integer({ min: hour, max: 2 * day }),
    ),
    demand: fc.oneof(
      fc.constant(0),
      fc.double({ min: 0, max: 200, noNaN: true }),
      fc.double({ min: 0, max: 1e9, noNaN: true }),
    ),
    reactive: fc.option(fc.integer({ min: 0, max: 50 }), { nil: undefined }),
  }),
  { minLength: 1, maxLength: 30 },
);

const stored = (forecast: Forecast) => JSON.parse(JSON.stringify(forecast.toMemory()));
const sale = { name: 'sale', startMs: monday + hour, endMs: monday + 2 * day, factor: 3 };
const withSale: ForecastSettings = { ...settings, coldStartMs: 150_000, utcOffsetMs: 2 * hour, events: [sale] };

describe('a forecast', () => {
  it('is finite and not negative', () => {
    fc.assert(
      fc.property(calls, (list) => {
        const forecast = openForecast(null, withSale);
        let now = monday;
        for (const { waitMs, demand, reactive } of list) {
          forecast.observe((now += waitMs), demand, reactive);
          for (const horizonMs of [1, minute, 3 * hour]) {
            const expected = forecast.expectedPeak(now, horizonMs);
            for (const value of expected ? [expected.slots, ...Object.values(expected.because)] : []) {
              expect(Number.isFinite(value)).toBe(true);
            }
            expect(expected?.slots ?? 0).toBeGreaterThanOrEqual(0);
            expect(expected?.confidence ?? 0).toBeGreaterThanOrEqual(0);
            expect(expected?.confidence ?? 0).toBeLessThanOrEqual(1);
          }
        }
        for (const { costSeconds, lateShare } of forecast.scores()) {
          expect(costSeconds).toBeGreaterThanOrEqual(0);
          expect(costSeconds).toBeLessThan(Number.POSITIVE_INFINITY);
          expect(lateShare).toBeGreaterThanOrEqual(0);
          expect(lateShare).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('goes on the same whether it was kept, handed on, or stored as JSON', () => {
    fc.assert(
      fc.property(calls, (list) => {
        const kept = openForecast(null, withSale);
        let memory = openForecast(null, withSale).toMemory();
        let json = stored(openForecast(null, withSale));
        let now = monday;
        for (const { waitMs, demand, reactive } of list) {
          now += waitMs;
          const handed = openForecast(memory, withSale);
          const read = openForecast(json, withSale);
          for (const forecast of [kept, handed, read]) forecast.observe(now, demand, reactive);
          expect(handed.expectedPeak(now, minute)).toEqual(kept.expectedPeak(now, minute));
          expect(read.expectedPeak(now, minute)).toEqual(kept.expectedPeak(now, minute));
          memory = handed.toMemory();
          json = stored(read);
        }
        expect(stored(kept)).toEqual(json);
        expect(JSON.parse(JSON.stringify(memory))).toEqual(json);
      }),
      { numRuns: 20 },
    );
  });

  it('is not changed by others that were opened on the same memory', () => {
    fc.assert(
      fc.property(calls, calls, (before, after) => {
        let now = monday;
        const origin = openForecast(null, settings);
        for (const { waitMs, demand } of before) origin.observe((now += waitMs), demand);
        const memory = origin.toMemory();
        const text = JSON.stringify(memory);
        const run = (forecast: Forecast) => {
          let ms = now;
          for (const { waitMs, demand } of after) forecast.observe((ms += waitMs), demand);
          return JSON.stringify(forecast.toMemory());
        };
        const waiting = openForecast(memory, settings);
        const expected = run(openForecast(JSON.parse(text), settings));
        expect(run(openForecast(memory, settings))).toBe(expected);
        expect(run(waiting)).toBe(expected);
        expect(run(origin)).toBe(expected);
        expect(run(openForecast(memory, settings))).toBe(expected);
        expect(JSON.stringify(memory)).toBe(text);
      }),
      { numRuns: 20 },
    );
  });

  it('remembers at most 6 KB, of any load', () => {
    const demandOf: ((random: () => number) => number)[] = [
      (random) => random() * 99_900,
      (random) => random() * 12.345,
      (random) => random() * 0.01,
      (random) => 1e9 * random() ** 20,
    ];
    for (const [seed, next] of demandOf.entries()) {
      const random = seeded(seed);
      const forecast = openForecast(null, { ...settings, coldStartMs: 30 * minute });
      for (let ms = monday; ms < monday + 8 * day; ms += 47_111) {
        forecast.observe(ms, next(random), Math.floor(random() * 9_999));
      }
      expect(JSON.stringify(forecast.toMemory()).length).toBeLessThanOrEqual(6 * 1_024);
    }
  });

  it('begins anew on a memory of another version, another bucket length or another form', () => {
    const forecast = openForecast(null, settings);
    for (let ms = monday; ms < monday + day; ms += minute) forecast.observe(ms, 5);
    const memory = stored(forecast);
    const others = [
      { ...memory, version: 2 },
      { ...memory, bucketMs: 30_000 },
      [],
      'none',
      { ...memory, core: 7, now: [] },
    ];
    for (const other of others) {
      expect(stored(openForecast(other, settings))).toEqual(stored(openForecast(null, settings)));
    }
  });
});

describe('every forecaster', () => {
  it.each(forecasterTypes)('$name grows with demand', (type) => {
    const random = seeded(7);
    const resolved = resolveSettings({ ...settings, events: [{ ...sale, endMs: monday + 30 * day }] });
    const one = type.open(undefined, resolved);
    const ten = type.open(undefined, resolved);
    let ms = monday;
    for (; ms < monday + 8 * day; ms += minute) {
      const peak = 10 + Math.round(90 * random());
      one.learn({ startMs: ms, lengthMs: minute, mean: peak / 2, peak });
      ten.learn({ startMs: ms, lengthMs: minute, mean: peak * 5, peak: peak * 10 });
    }
    for (let ahead = 0; ahead < day; ahead += hour) {
      const expected = (one.peakWithin(ms + ahead, ms + ahead + minute) ?? Number.NaN) * 10;
      expect((ten.peakWithin(ms + ahead, ms + ahead + minute) ?? 0) / expected).toBeCloseTo(1, 3);
    }
  });
});

describe('load without a pattern', () => {
  const week = (seed: number, next: (random: () => number) => number, keepMs: number | null): string[] => {
    const random = seeded(seed);
    const forecast = openForecast(null, settings);
    const recent: { ms: number; replicas: number }[] = [];
    const everTrusted = new Set<string>();
    for (let ms = monday; ms < monday + 8 * day; ms += 30_000) {
      const demand = next(random);
      if (keepMs === null) forecast.observe(ms, demand);
      else {
        recent.push({ ms, replicas: Math.ceil(demand / 8) });
        while ((recent[0]?.ms ?? ms) < ms - keepMs) recent.shift();
        forecast.observe(ms, demand, Math.max(...recent.map((one) => one.replicas)));
      }
      if (ms % hour === 0) for (const { name, trusted } of forecast.scores()) if (trusted) everTrusted.add(name);
    }
    return [...everTrusted];
  };

  it.each([1, 2, 3])('is foreseen by nobody (seed %i)', (seed) => {
    // Poisson demand as of an M/G/∞ system at 30 s, and white noise; a stand-in, and a keep-alive of five minutes.
    for (const mean of [1, 12]) expect(week(seed, (random) => poissonOf(mean, random), null)).toEqual([]);
    expect(week(seed, (random) => poissonOf(12, random), 5 * minute)).toEqual([]);
    expect(week(seed, (random) => 40 * random(), 5 * minute)).toEqual([]);
  });
});
