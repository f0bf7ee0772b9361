import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isoTime } from './isoTime.ts';

it('is what Date says, from 1970 to 9999', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), (ms) => {
      expect(isoTime(ms)).toBe(new Date(ms).toISOString());
    }),
    { numRuns: 2000 },
  );
  for (const text of ['2000-02-29T23:59:59.999Z', '2100-02-28T00:00:00.000Z', '1970-01-01T00:00:00.000Z']) {
    expect(isoTime(Date.parse(text))).toBe(text);
  }
});
