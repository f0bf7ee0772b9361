import { describeClockConformance } from '@ebb/testing/conformance';
import * as fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { liveClock, machineTime } from './clock.ts';

describeClockConformance('LiveClock', () => {
  const clock = liveClock(0);
  return {
    clock,
    pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    close: async () => clock.close(),
  };
});

describe('liveClock', () => {
  it('never steps back whatever the wall clock does, and is never behind it', () => {
    const step = fc.record({
      wallStepMs: fc.integer({ min: -1e9, max: 1e9 }),
      elapsedMs: fc.integer({ min: 0, max: 1e7 }),
    });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2e12 }), fc.array(step), (floorMs, steps) => {
        let wallMs = 1e12;
        let steadyUs = 0;
        const clock = liveClock(floorMs, { wallMs: () => wallMs, steadyUs: () => steadyUs });
        let before = clock.nowMs();
        expect(before).toBeGreaterThanOrEqual(floorMs);
        for (const { wallStepMs, elapsedMs } of steps) {
          wallMs += elapsedMs + wallStepMs;
          steadyUs += elapsedMs * 1000;
          const now = clock.nowMs();
          expect(Number.isSafeInteger(now)).toBe(true);
          expect(now).toBeGreaterThanOrEqual(before);
          expect(now).toBeGreaterThanOrEqual(wallMs);
          before = now;
        }
      }),
    );
  });

  it('goes on from what somebody else knew, and never goes back to it', () => {
    let wallMs = 1_000_000;
    let steadyUs = 0;
    const clock = liveClock(0, { wallMs: () => wallMs, steadyUs: () => steadyUs });
    clock.raise(1_005_000);
    expect(clock.nowMs()).toBe(1_005_000);
    clock.raise(1_000_000);
    wallMs += 2000;
    steadyUs += 2_000_000;
    expect(clock.nowMs()).toBe(1_006_000);
  });

  it('goes on at half speed until wall time has caught up', () => {
    let wallMs = 1_000_000;
    let steadyUs = 0;
    const clock = liveClock(0, { wallMs: () => wallMs, steadyUs: () => steadyUs });
    wallMs -= 10_000;
    const pass = (ms: number): number => {
      wallMs += ms;
      steadyUs += ms * 1000;
      return clock.nowMs();
    };
    expect(pass(10_000)).toBe(1_005_000);
    expect(pass(10_000)).toBe(1_010_000);
    expect(pass(1_000)).toBe(1_011_000);
  });

  it('begins no earlier than the floor', () => {
    const ahead = Date.now() + 3_600_000;
    expect(liveClock(ahead).nowMs()).toBeGreaterThanOrEqual(ahead);
  });

  it('calls back at or after the moment, once, and not after it was called off', async () => {
    const clock = liveClock(0);
    onTestFinished(() => clock.close());
    let calls = 0;
    const calledOff = clock.at(clock.nowMs() + 5, () => {
      calls += 1;
    });
    calledOff();
    const due = clock.nowMs() + 20;
    const calledAtMs = await new Promise<number>((resolve) => clock.at(due, () => resolve(clock.nowMs())));
    expect(calledAtMs).toBeGreaterThanOrEqual(due);
    expect(calls).toBe(0);
  });

  it('waits through delays that a timer of the system cannot hold, and notices that wall time jumped', () => {
    vi.useFakeTimers({ now: 1_000_000 });
    onTestFinished(() => void vi.useRealTimers());
    let jumpMs = 0;
    const clock = liveClock(0, { wallMs: () => Date.now() + jumpMs, steadyUs: machineTime.steadyUs });
    const hundredDaysMs = 100 * 86_400_000;
    let called = 0;
    clock.at(clock.nowMs() + hundredDaysMs, () => {
      called += 1;
    });
    vi.advanceTimersByTime(hundredDaysMs / 2);
    expect(called).toBe(0);
    jumpMs = hundredDaysMs / 2;
    vi.advanceTimersByTime(30_000);
    expect(called).toBe(1);
  });
});
