import { Cron } from 'croner';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { calendars, scalers } from './registry.ts';
import { createScheduleScaler, ScheduleError } from './schedule.ts';

const at = (text: string) => Date.parse(text);
const spec = (change: Partial<Parameters<typeof createScheduleScaler>[0][number]> = {}) => ({
  name: 'day',
  timezone: 'UTC',
  start: '0 8 * * *',
  end: '0 18 * * *',
  minReplicas: 3,
  ...change,
});

async function read(change: Parameters<typeof spec>[0], wall: string) {
  const wallMs = at(wall);
  const [reading] = await createScheduleScaler([spec(change)], { wallNowMs: () => wallMs }).read(wallMs);
  const { value, nextChangeMs } = reading ?? {};
  return [value, nextChangeMs === undefined ? null : new Date(nextChangeMs).toISOString().replace('.000Z', 'Z')];
}

describe('a schedule', () => {
  it.each([
    ['2026-03-10T07:59:59.999Z', 0, '2026-03-10T08:00:00Z'],
    ['2026-03-10T08:00:00.000Z', 3, '2026-03-10T18:00:00Z'],
    ['2026-03-10T08:00:00.001Z', 3, '2026-03-10T18:00:00Z'],
    ['2026-03-10T17:59:59.999Z', 3, '2026-03-10T18:00:00Z'],
    ['2026-03-10T18:00:00.000Z', 0, '2026-03-11T08:00:00Z'],
    ['2026-12-31T23:00:00.000Z', 0, '2027-01-01T08:00:00Z'],
  ])('at %s is %i until %s', async (wall, value, until) => {
    expect(await read({}, wall)).toEqual([value, until]);
  });

  it('may run over midnight and the weekend', async () => {
    const weekend = { start: '0 20 * * 5', end: '0 6 * * 1' };
    expect(await read(weekend, '2026-03-13T19:59:00Z')).toEqual([0, '2026-03-13T20:00:00Z']);
    expect(await read(weekend, '2026-03-15T12:00:00Z')).toEqual([3, '2026-03-16T06:00:00Z']);
    expect(await read(weekend, '2026-03-16T06:00:00Z')).toEqual([0, '2026-03-20T20:00:00Z']);
  });

  it('is on from its last start on, however often that fires before the end', async () => {
    const hourly = { start: '0 8-12 * * *', end: '0 18 * * *' };
    expect(await read(hourly, '2026-03-10T11:30:00Z')).toEqual([3, '2026-03-10T18:00:00Z']);
  });

  it('is never on when start and end are the same moments, and off where they meet', async () => {
    expect(await read({ start: '0 8 * * *', end: '0 8 * * *' }, '2026-03-10T09:00:00Z')).toEqual([0, null]);
    // Mondays end at the very moment at which the others start.
    const met = { start: '0 8 * * *', end: '0 8 * * 1' };
    expect(await read(met, '2026-03-09T08:00:00Z')).toEqual([0, '2026-03-10T08:00:00Z']);
    expect(await read(met, '2026-03-15T12:00:00Z')).toEqual([3, '2026-03-16T08:00:00Z']);
  });

  it('knows the 29th of February, and days that never come', async () => {
    const leap = { start: '0 0 29 2 *', end: '0 0 1 3 *' };
    expect(await read(leap, '2026-03-10T00:00:00Z')).toEqual([0, '2028-02-29T00:00:00Z']);
    expect(await read(leap, '2028-02-29T12:00:00Z')).toEqual([3, '2028-03-01T00:00:00Z']);
    expect(await read({ start: '0 0 30 2 *' }, '2026-03-10T00:00:00Z')).toEqual([0, null]);
    expect(await read({ end: '0 0 30 2 *' }, '2026-03-10T00:00:00Z')).toEqual([3, null]);
  });
});

describe('when the clocks change', () => {
  const berlin = { timezone: 'Europe/Berlin' };
  const newYork = { timezone: 'America/New_York' };

  it('the hours stay those of the zone', async () => {
    expect(await read(berlin, '2026-03-28T07:30:00Z')).toEqual([3, '2026-03-28T17:00:00Z']);
    expect(await read(berlin, '2026-03-28T20:00:00Z')).toEqual([0, '2026-03-29T06:00:00Z']);
    expect(await read(newYork, '2026-10-31T23:00:00Z')).toEqual([0, '2026-11-01T13:00:00Z']);
  });

  it('a start within the skipped hour fires after it', async () => {
    const night = { ...berlin, start: '30 2 * * *', end: '0 4 * * *' };
    expect(await read(night, '2026-03-29T00:59:59Z')).toEqual([0, '2026-03-29T01:00:00Z']);
    expect(await read(night, '2026-03-29T01:45:00Z')).toEqual([3, '2026-03-29T02:00:00Z']);
    const american = { ...newYork, start: '30 2 * * *', end: '0 4 * * *' };
    expect(await read(american, '2026-03-08T06:59:59Z')).toEqual([0, '2026-03-08T07:00:00Z']);
    expect(await read(american, '2026-03-08T07:45:00Z')).toEqual([3, '2026-03-08T08:00:00Z']);
  });

  it('an end within the skipped hour fires after it', async () => {
    const night = { ...berlin, start: '0 1 * * *', end: '30 2 * * *' };
    const [value, until] = await read(night, '2026-03-29T00:30:00Z');
    expect(value).toBe(3);
    expect(await read(night, String(until))).toEqual([0, '2026-03-29T23:00:00Z']);
  });

  it('a time that occurs twice fires once', async () => {
    const night = { ...berlin, start: '30 2 * * *', end: '45 2 * * *' };
    expect(await read(night, '2026-10-25T00:29:59Z')).toEqual([0, '2026-10-25T00:30:00Z']);
    expect(await read(night, '2026-10-25T00:30:00Z')).toEqual([3, '2026-10-25T00:45:00Z']);
    expect(await read(night, '2026-10-25T00:45:00Z')).toEqual([0, '2026-10-26T01:30:00Z']);
    const american = { ...newYork, start: '30 1 * * *', end: '45 1 * * *' };
    expect(await read(american, '2026-11-01T05:30:00Z')).toEqual([3, '2026-11-01T05:45:00Z']);
    expect(await read(american, '2026-11-01T06:35:00Z')).toEqual([0, '2026-11-02T06:30:00Z']);
  });

  it('the answer at any moment is the one reached by firing every start and end in turn', async () => {
    const zone = fc.constantFrom('Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'UTC');
    const field = fc.tuple(fc.constantFrom('0', '30', '*/20'), fc.constantFrom('0', '1', '2', '3', '*/5', '22'));
    const day = fc.constantFrom('2026-03-08', '2026-03-29', '2026-04-05', '2026-10-04', '2026-10-25', '2026-11-01');
    const cron = field.map(([minute, hour]) => `${minute} ${hour} * * *`);
    await fc.assert(
      fc.asyncProperty(zone, cron, cron, day, async (timezone, start, end, date) => {
        const fromMs = at(`${date}T00:00:00Z`) - 36 * 3_600_000;
        const moments = (pattern: string) =>
          new Cron(pattern, { timezone, paused: true }).nextRuns(400, new Date(fromMs)).map((run) => run.getTime());
        const starts = new Set(moments(start));
        const ends = new Set(moments(end));
        let wallMs = fromMs;
        const scaler = createScheduleScaler([spec({ timezone, start, end })], { wallNowMs: () => wallMs });
        let on: boolean | null = null;
        let promisedMs = 0;
        for (; wallMs < fromMs + 60 * 3_600_000; wallMs += 300_000) {
          if (starts.has(wallMs)) on = true;
          if (ends.has(wallMs)) on = false;
          const [reading] = await scaler.read(wallMs - 5000);
          if (on === null) continue;
          expect({ wallMs, value: reading?.value }).toEqual({ wallMs, value: on ? 3 : 0 });
          const change: number = (reading?.nextChangeMs ?? Number.POSITIVE_INFINITY) + 5000;
          // What was promised holds until it comes true.
          if (promisedMs > wallMs) expect(change).toBe(promisedMs);
          promisedMs = change;
        }
      }),
      { numRuns: 25 },
    );
  });
});

describe('the scaler', () => {
  it('gives one reading a schedule, on the clock it is asked with', async () => {
    const wallMs = at('2026-03-10T17:59:59.500Z');
    const schedules = [spec(), spec({ name: 'night', start: '0 22 * * *', end: '0 6 * * *', minReplicas: 7 })];
    const readings = await createScheduleScaler(schedules, { wallNowMs: () => wallMs }).read(5000);
    const common = { class: null, peak: null, spanMs: 0, atMs: 5000, state: 'ok' };
    expect(readings).toEqual([
      { ...common, trigger: 'schedule:day', value: 3, nextChangeMs: 5500 },
      { ...common, trigger: 'schedule:night', value: 0, nextChangeMs: 5500 + 4 * 3_600_000 },
    ]);
  });

  it('follows a wall clock that is set back', async () => {
    let wallMs = at('2026-03-10T12:00:00Z');
    const scaler = createScheduleScaler([spec()], { wallNowMs: () => wallMs });
    expect((await scaler.read(0))[0]?.value).toBe(3);
    wallMs = at('2026-03-10T07:00:00Z');
    expect((await scaler.read(0))[0]).toMatchObject({ value: 0, nextChangeMs: 3_600_000 });
  });

  it.each([
    [{ start: '0 25 * * *' }, 'start', '0 25 * * *'],
    [{ end: 'tomorrow' }, 'end', 'tomorrow'],
    [{ end: '* * * * * *' }, 'end', '* * * * * *'],
    [{ timezone: 'Mars/Olympus' }, 'timezone', 'Mars/Olympus'],
  ] as const)('refuses %j by name', (change, field, value) => {
    const make = () => createScheduleScaler([spec(change)], { wallNowMs: () => 0 });
    expect(make).toThrow(ScheduleError);
    expect(make).toThrow(expect.objectContaining({ schedule: 'day', field, value }));
    expect(make).toThrow(`schedule "day": ${field} "${value}" is not valid: `);
  });

  it('is in the registry, which is sorted', () => {
    const types = scalers.map(({ type }) => type);
    expect(calendars.map(({ type }) => type)).toEqual(['event', 'schedule']);
    expect(types).toEqual(types.toSorted());
    for (const { summary } of scalers) expect(summary).toMatch(/^[A-Z].*\.$/);
  });
});
