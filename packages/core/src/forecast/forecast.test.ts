import { describe, expect, it } from 'vitest';
import { type Forecast, openForecast } from './forecast.ts';
import { day, hour, minute, monday, settings } from './forecast.fixture.ts';
import type { ForecastScore } from './types.ts';

const stepMs = 15_000;

/** Tells a forecast demand every 15 s of [fromMs, toMs). */
function tell(forecast: Forecast, demandAt: (ms: number) => number, fromMs: number, toMs: number): void {
  for (let ms = fromMs; ms < toMs; ms += stepMs) forecast.observe(ms, demandAt(ms));
}

const isWithin = (ms: number, fromHour: number, toHour: number): boolean => {
  const hours = (ms % day) / hour;
  return hours >= fromHour && hours < toHour;
};
const spikeAtNine = (ms: number) => (isWithin(ms, 9, 9.5) ? 30 : 0);
const officeHours = (ms: number) => (isWithin(ms, 8, 18) ? 20 + 6 * Math.floor((ms / hour) % 3) : 2);

const scoreOf = (forecast: Forecast, name: ForecastScore['name']): ForecastScore => {
  const score = forecast.scores().find((row) => row.name === name);
  if (!score) throw new Error(`no score of ${name}`);
  return score;
};
const trusted = (forecast: Forecast): string[] =>
  forecast
    .scores()
    .filter((row) => row.trusted)
    .map((row) => row.name);

describe('scores', () => {
  it('are replica-seconds held and late requests at their price, by hand', () => {
    const forecast = openForecast(null, settings);
    // A minute of 8 slots that meets nothing ready: 480 slot-seconds are 240 requests of 2 s at 120 each.
    // The replica is told to be held for the whole hour.
    forecast.observe(monday, 8, 1);
    forecast.observe(monday + hour, 0, 1);
    expect(scoreOf(forecast, 'reactive')).toEqual({
      name: 'reactive',
      costSeconds: 3_600 + 240 * 120,
      lateShare: 1,
      trusted: false,
      isBest: false,
    });
    // The next hour decays the week by exp(−1 / 168) and adds 3 600 s and, as the replica is ready now, nothing late.
    forecast.observe(monday + hour + minute, 8, 1);
    forecast.observe(monday + 2 * hour, 0, 1);
    expect(scoreOf(forecast, 'reactive').costSeconds / (32_400 * Math.exp(-1 / 168) + 3_600)).toBeCloseTo(1, 4);
    expect(scoreOf(forecast, 'reactive').lateShare).toBeCloseTo(0.5, 2);
  });

  it('stand in for a reactive part that is not told of: what demand needs, for a cold start longer', () => {
    const forecast = openForecast(null, { ...settings, latePriceSeconds: 0 });
    forecast.observe(monday, 17);
    forecast.observe(monday + 10_000, 0);
    forecast.observe(monday + minute, 0);
    forecast.observe(monday + hour, 0);
    // 3 replicas from the start to the end of the cold start.
    expect(scoreOf(forecast, 'reactive').costSeconds).toBe(180);
  });

  it('leave dated events out where there are none', () => {
    const forecast = openForecast(null, settings);
    expect(forecast.scores().map((row) => row.name)).toEqual([
      'reactive',
      'constant',
      'last-peak',
      'day-profile',
      'day-mean',
      'week-profile',
      'holt-winters',
      'fourier',
      'envelope',
    ]);
    expect(trusted(forecast)).toEqual([]);
  });
});

describe('trust', () => {
  it('comes within three days of clean office hours', () => {
    const forecast = openForecast(null, settings);
    tell(forecast, officeHours, monday, monday + 3 * day);
    expect(trusted(forecast)).toContain('day-profile');
    const before = monday + 3 * day + 8 * hour - 2 * minute;
    tell(forecast, officeHours, monday + 3 * day, before);
    const expected = forecast.expectedPeak(before, 2 * minute);
    expect(expected?.slots).toBeGreaterThanOrEqual(20);
    expect(expected?.confidence).toBeGreaterThan(0.9);
    expect(expected?.because.costSeconds).toBeLessThan(expected?.because.reactiveCostSeconds ?? 0);
  });

  it('has the floor up before a daily spike, and down long before and after', () => {
    const forecast = openForecast(null, settings);
    const nine = monday + 7 * day + 9 * hour;
    tell(forecast, spikeAtNine, monday, nine - 5 * hour);
    expect(forecast.expectedPeak(nine - 5 * hour, 2 * minute)?.slots).toBe(0);
    tell(forecast, spikeAtNine, nine - 5 * hour, nine - minute);
    expect(forecast.expectedPeak(nine - minute, 2 * minute)).toMatchObject({ slots: 30 });
    tell(forecast, spikeAtNine, nine - minute, nine + hour);
    expect(forecast.expectedPeak(nine + hour, 2 * minute)?.slots).toBe(0);
    // Covered from the second day on: the first one is what is late.
    expect(scoreOf(forecast, 'day-profile').lateShare).toBeLessThan(scoreOf(forecast, 'reactive').lateShare / 3);
  });

  it('goes within four days when the spike does not come any more', () => {
    const forecast = openForecast(null, settings);
    tell(forecast, spikeAtNine, monday, monday + 10 * day);
    expect(trusted(forecast)).toContain('day-profile');
    // Being ready for nothing is cheap beside what a missed spike costs: one day without it proves nothing.
    tell(forecast, () => 0, monday + 10 * day, monday + 11 * day);
    expect(trusted(forecast)).toContain('day-profile');
    tell(forecast, () => 0, monday + 11 * day, monday + 14 * day);
    expect(trusted(forecast)).toEqual([]);
  });

  it('costs little in a season that is broken: spikes at another hour each day', () => {
    const forecast = openForecast(null, settings);
    tell(forecast, spikeAtNine, monday, monday + 10 * day);
    const wander = (ms: number) => {
      const start = 2 + ((Math.floor(ms / day) * 7) % 19);
      return isWithin(ms, start, start + 0.5) ? 30 : 0;
    };
    // Replica-seconds that the trusted forecast holds where demand has not come: at most those of two days' spikes.
    let wasted = 0;
    for (let ms = monday + 10 * day; ms < monday + 17 * day; ms += stepMs) {
      forecast.observe(ms, wander(ms));
      const slots = forecast.expectedPeak(ms, 2 * minute)?.slots ?? 0;
      if (wander(ms) === 0) wasted += (Math.ceil(slots / 8) * stepMs) / 1_000;
    }
    expect(wasted).toBeGreaterThan(0);
    expect(wasted).toBeLessThanOrEqual(2 * 4 * 2 * 3_600);
    expect(forecast.expectedPeak(monday + 17 * day, 2 * minute)).toBeNull();
  });

  it('is given to dated events from the first, and taken when they are wrong', () => {
    // A sale of ten minutes every twenty minutes, during which nothing more comes.
    const sales = Array.from({ length: 60 }, (_, index) => {
      const startMs = monday + 2 * hour + index * 20 * minute;
      return { name: `sale ${index}`, startMs, endMs: startMs + 10 * minute, factor: 5 };
    });
    const forecast = openForecast(null, { ...settings, events: sales });
    const first = monday + 2 * hour - minute;
    tell(forecast, () => 8, monday, first);
    expect(forecast.expectedPeak(first, 30_000)).toBeNull();
    expect(forecast.expectedPeak(first, 2 * minute)).toMatchObject({
      slots: 40,
      forecaster: 'dated-events',
      because: { factor: 5, withoutEvent: 8 },
    });
    expect(scoreOf(forecast, 'dated-events').trusted).toBe(true);
    tell(forecast, () => 8, first, first + 8 * hour);
    expect(scoreOf(forecast, 'dated-events').trusted).toBe(false);
    expect(forecast.expectedPeak(first + 8 * hour, 2 * minute)).toBeNull();
  });
});

describe('time', () => {
  it('without calls is time without demand', () => {
    const told = openForecast(null, settings);
    const silent = openForecast(null, settings);
    for (const forecast of [told, silent]) tell(forecast, officeHours, monday, monday + day);
    tell(told, () => 0, monday + day, monday + 4 * day);
    silent.observe(monday + day, 0);
    told.observe(monday + 4 * day, 0);
    silent.observe(monday + 4 * day, 0);
    type Learnt = { core: { forecasters: Record<string, unknown> } };
    const [one, other] = [told, silent].map((forecast) => (forecast.toMemory() as Learnt).core.forecasters);
    for (const name of ['last-peak', 'day-profile', 'week-profile', 'holt-winters', 'fourier']) {
      expect(one?.[name]).toEqual(other?.[name]);
    }
    const ratio = scoreOf(told, 'reactive').costSeconds / scoreOf(silent, 'reactive').costSeconds;
    expect(ratio).toBeCloseTo(1, 2);
  });

  it('of weeks without calls is little work', () => {
    const forecast = openForecast(null, settings);
    tell(forecast, officeHours, monday, monday + 3 * day);
    const bytes = JSON.stringify(forecast.toMemory()).length;
    expect(bytes).toBeGreaterThan(2_000);
    forecast.observe(monday + 16 * day, 3);
    expect(trusted(forecast)).toEqual([]);
    // More than two weeks: everything is forgotten.
    forecast.observe(monday + 40 * day, 3);
    expect(JSON.stringify(forecast.toMemory()).length).toBeLessThan(bytes);
    expect(scoreOf(forecast, 'reactive').costSeconds).toBe(0);
  });

  it('that steps back or demand that is no number changes nothing', () => {
    const forecast = openForecast(null, settings);
    tell(forecast, officeHours, monday, monday + hour);
    const before = JSON.stringify(forecast.toMemory());
    forecast.observe(Number.NaN, 5);
    forecast.observe(monday + hour - stepMs, Number.NaN);
    forecast.observe(monday + hour - stepMs, -1);
    expect(JSON.stringify(forecast.toMemory())).toBe(before);
  });
});
