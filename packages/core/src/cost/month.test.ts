import fc from 'fast-check';
import { expect, it } from 'vitest';
import { monthOf } from './month.ts';

it('agrees with the calendar of the platform', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: Date.UTC(2400, 0) }), (atMs) => {
      const date = new Date(atMs);
      const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
      expect(monthOf(atMs)).toEqual({ startMs: Date.UTC(year, month), endMs: Date.UTC(year, month + 1) });
    }),
    { numRuns: 2000 },
  );
});

it('begins with its first millisecond and not with the one before', () => {
  const march = Date.UTC(2028, 2);
  expect(monthOf(march).startMs).toBe(march);
  expect(monthOf(march - 1)).toEqual({ startMs: Date.UTC(2028, 1), endMs: march });
});
