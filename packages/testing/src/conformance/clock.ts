import type { Clock } from '@ebb/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

export interface ClockUnderTest {
  clock: Clock;
  /** Lets at least this much of the clock's own time pass. */
  pass(ms: number): Promise<void>;
  close?(): Promise<void>;
}

/** What the engine relies on in a Clock. */
export function describeClockConformance(name: string, create: () => Promise<ClockUnderTest> | ClockUnderTest): void {
  describe(`${name} is a Clock`, () => {
    let under: ClockUnderTest;
    beforeEach(async () => {
      under = await create();
    });
    afterEach(async () => under.close?.());

    it('gives integers that never step back, and moves', async () => {
      const { clock } = under;
      let ms = clock.nowMs();
      let us = clock.nowUs();
      const first = { ms, us };
      for (let round = 0; round < 5; round++) {
        await under.pass(3);
        expect(Number.isSafeInteger(clock.nowMs()) && Number.isSafeInteger(clock.nowUs())).toBe(true);
        expect(clock.nowMs()).toBeGreaterThanOrEqual(ms);
        expect(clock.nowUs()).toBeGreaterThan(us);
        ms = clock.nowMs();
        us = clock.nowUs();
      }
      expect(ms - first.ms).toBeGreaterThanOrEqual(10);
      expect(us - first.us).toBeGreaterThanOrEqual(14_000);
    });

    it('calls back once, at or after the time, in order of time', async () => {
      const { clock } = under;
      const calls: { which: string; atMs: number }[] = [];
      const startMs = clock.nowMs();
      const note = (which: string) => () => calls.push({ which, atMs: clock.nowMs() });
      clock.at(startMs + 30, note('late'));
      clock.at(startMs + 10, note('early'));
      clock.at(startMs - 1000, note('past'));
      expect(calls).toEqual([]);
      await under.pass(60);
      expect(calls.map((call) => call.which)).toEqual(['past', 'early', 'late']);
      expect(calls[1]?.atMs).toBeGreaterThanOrEqual(startMs + 10);
      expect(calls[2]?.atMs).toBeGreaterThanOrEqual(startMs + 30);
      await under.pass(40);
      expect(calls.length).toBe(3);
    });

    it('does not call back what was called off, also twice and late', async () => {
      const { clock } = under;
      let called = 0;
      const cancel = clock.at(clock.nowMs() + 10, () => called++);
      cancel();
      cancel();
      const done = clock.at(clock.nowMs() + 1, () => called++);
      await under.pass(30);
      done();
      expect(called).toBe(1);
    });

    it('takes times that lie beyond what a timer can hold', async () => {
      const { clock } = under;
      let called = 0;
      const cancel = clock.at(clock.nowMs() + 40 * 86_400_000, () => called++);
      await under.pass(20);
      expect(called).toBe(0);
      cancel();
    });
  });
}
