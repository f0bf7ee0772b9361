import { expect, test } from 'vitest';
import { Failure } from './failure.ts';
import { parseMoment } from './timeArgument.ts';

const now = new Date(2026, 2, 1, 15, 0, 0).getTime();

test('how long ago, a time of today, an ISO time', () => {
  expect(parseMoment('90s', now)).toBe(now - 90_000);
  expect(parseMoment('1.5h', now)).toBe(now - 5_400_000);
  expect(parseMoment('14:03:07', now)).toBe(new Date(2026, 2, 1, 14, 3, 7).getTime());
  expect(parseMoment('9:30', now)).toBe(new Date(2026, 2, 1, 9, 30).getTime());
  expect(parseMoment('2026-03-01T09:30:00Z', now)).toBe(Date.UTC(2026, 2, 1, 9, 30));
});

test.each(['yesterday', '25:00', '5', '', '-5m', '2026-13-99'])('%j is refused with what to write', (input) => {
  expect(() => parseMoment(input, now)).toThrow(Failure);
});
