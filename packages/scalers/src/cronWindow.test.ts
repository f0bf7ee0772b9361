import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cronWindow } from './cronWindow.ts';

const at = (text: string) => Date.parse(`2026-11-${text}Z`);
const hourMs = 3_600_000;

test.each([
  ['before it begins', '23T08:59:59', false, '23T09:00:00'],
  ['at its beginning', '23T09:00:00', true, '23T17:00:00'],
  ['in it', '23T12:00:00', true, '23T17:00:00'],
  ['at its end', '23T17:00:00', false, '24T09:00:00'],
  ['over the week-end', '27T20:00:00', false, '30T09:00:00'],
])('nine to five on weekdays, %s', (_name, now, isOpen, changes) => {
  expect(cronWindow('0 9 * * 1-5', 8 * hourMs, at(now))).toEqual({ isOpen, changesAtMs: at(changes) });
});

test('windows that meet or overlap are one', () => {
  expect(cronWindow('0 8,9 * * *', hourMs, at('23T08:30:00'))).toEqual({
    isOpen: true,
    changesAtMs: at('23T10:00:00'),
  });
  expect(cronWindow('* * * * *', hourMs, at('23T08:30:00'))).toEqual({ isOpen: true, changesAtMs: null });
});

test('nothing changes before the moment that it names, and there it does', () => {
  const schedules = fc.constantFrom('*/7 * * * *', '0 3 * * *', '30 22 * * 6', '0 0 1 * *', '15 */4 * * 1-5');
  fc.assert(
    fc.property(
      schedules,
      fc.integer({ min: 1, max: 9 * 60 }),
      fc.integer({ min: at('01T00:00:00'), max: at('30T00:00:00') }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (schedule, minutes, nowMs, part) => {
        const { isOpen, changesAtMs } = cronWindow(schedule, minutes * 60_000, nowMs);
        if (changesAtMs === null) return;
        expect(changesAtMs).toBeGreaterThan(nowMs);
        const between = Math.floor(nowMs + part * (changesAtMs - 1 - nowMs));
        expect(cronWindow(schedule, minutes * 60_000, between)).toEqual({ isOpen, changesAtMs });
        expect(cronWindow(schedule, minutes * 60_000, changesAtMs).isOpen).toBe(!isOpen);
      },
    ),
    { numRuns: 300 },
  );
});
