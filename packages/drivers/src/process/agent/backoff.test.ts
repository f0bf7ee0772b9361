import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { afterCrash, type CrashHistory, maxStartsWithoutReady, newHistory } from './backoff.ts';

function crashes(readyForMs: (number | null)[]): (number | null)[] {
  let history: CrashHistory = newHistory;
  return readyForMs.map((value) => {
    const next = afterCrash({ ...history, starts: history.starts + 1 }, value);
    history = next.history;
    return next.delayMs;
  });
}

describe('afterCrash', () => {
  it('doubles from 500 ms to 60 s', () => {
    expect(crashes(Array<number>(9).fill(10))).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
  });

  it('gives up after five starts that never got ready', () => {
    expect(crashes([null, null, null, null, null])).toEqual([500, 1000, 2000, 4000, null]);
  });

  it('never gives up on a replica that was ready once', () => {
    expect(crashes([1, null, null, null, null, null, null]).every((delay) => delay !== null)).toBe(true);
  });

  it('begins anew after a minute of being ready', () => {
    expect(crashes([10, 10, 59_999, 60_000, 10])).toEqual([500, 1000, 2000, 500, 1000]);
  });

  it('stays within its bounds for any history', () => {
    const lives = fc.array(fc.option(fc.nat(200_000)), { maxLength: 80 });
    fc.assert(
      fc.property(lives, (readyForMs) => {
        const delays = crashes(readyForMs);
        const firstReady = readyForMs.findIndex((value) => value !== null);
        delays.forEach((delay, index) => {
          if (delay !== null) return expect(delay >= 500 && delay <= 60_000).toBe(true);
          expect(index + 1).toBeGreaterThanOrEqual(maxStartsWithoutReady);
          return expect(firstReady === -1 || firstReady > index).toBe(true);
        });
      }),
    );
  });
});
