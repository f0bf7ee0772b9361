import { expect, it } from 'vitest';
import { OnTimeMeter } from './onTime.ts';

const minuteMs = 60_000;
const nothing = { requests: 0, late: 0 };

it('adds up what rose, and forgets what is older than an hour for the hour alone', () => {
  const meter = new OnTimeMeter({ requests: 100, late: 5 });
  meter.note({ requests: 10, late: 1 }, nothing, 0);
  meter.note({ requests: 14, late: 1 }, { requests: 10, late: 1 }, 4 * minuteMs);
  meter.note({ requests: 20, late: 3 }, { requests: 14, late: 1 }, 50 * minuteMs);
  expect(meter.total).toEqual({ requests: 120, late: 8 });
  expect(meter.lastHour(55 * minuteMs)).toEqual({ requests: 20, late: 3 });
  expect(meter.lastHour(65 * minuteMs)).toEqual({ requests: 6, late: 2 });
  expect(meter.lastHour(200 * minuteMs)).toEqual(nothing);
  expect(new OnTimeMeter(meter.total).lastHour(55 * minuteMs)).toEqual(nothing);
});

it('takes counts that went back for nothing new', () => {
  const meter = new OnTimeMeter();
  meter.note({ requests: 3, late: 0 }, { requests: 9, late: 4 }, 0);
  expect(meter.total).toEqual(nothing);
});

it('keeps an hour in at most thirteen slots', () => {
  const meter = new OnTimeMeter();
  for (let minute = 0; minute < 600; minute++) meter.note({ requests: 1, late: 0 }, nothing, minute * minuteMs);
  expect(meter.total.requests).toBe(600);
  expect(meter.lastHour(599 * minuteMs).requests).toBeGreaterThanOrEqual(60);
  expect(meter.lastHour(599 * minuteMs).requests).toBeLessThanOrEqual(65);
});
