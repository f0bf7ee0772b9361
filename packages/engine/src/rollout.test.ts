import fc from 'fast-check';
import { expect, it } from 'vitest';
import { rolloutStep } from './rollout.ts';

const rolling = (maxSurge: number, maxUnavailable: number) => ({ type: 'Rolling' as const, maxSurge, maxUnavailable });
const none = { ready: 0, notReady: 0, leaving: 0 };

it('starts what is missing where nothing is old', () => {
  const input = { update: rolling(1, 0), desired: 3, old: none, surgeLeft: 1 };
  expect(rolloutStep({ ...input, fresh: { ready: 1, notReady: 1 } })).toEqual({
    start: 1,
    drainOldReady: 0,
    drainOldNotReady: 0,
  });
  expect(rolloutStep({ ...input, fresh: { ready: 4, notReady: 0 } }).start).toBe(0);
});

it('starts before it drains with maxSurge, and drains before it starts with maxUnavailable', () => {
  const input = { desired: 3, fresh: { ready: 0, notReady: 0 }, old: { ready: 3, notReady: 0, leaving: 0 } };
  expect(rolloutStep({ ...input, update: rolling(1, 0), surgeLeft: 1 })).toEqual({
    start: 1,
    drainOldReady: 0,
    drainOldNotReady: 0,
  });
  expect(rolloutStep({ ...input, update: rolling(0, 1), surgeLeft: 0 })).toEqual({
    start: 1,
    drainOldReady: 1,
    drainOldNotReady: 0,
  });
  // Another class of the workload has used the surge.
  expect(rolloutStep({ ...input, update: rolling(1, 0), surgeLeft: 0 })).toEqual({
    start: 0,
    drainOldReady: 0,
    drainOldNotReady: 0,
  });
});

it('ends old replicas that are not ready at once, and everything old at zero', () => {
  const old = { ready: 2, notReady: 3, leaving: 0 };
  const step = rolloutStep({ update: rolling(1, 0), desired: 0, fresh: { ready: 0, notReady: 0 }, old, surgeLeft: 1 });
  expect(step).toEqual({ start: 0, drainOldReady: 2, drainOldNotReady: 3 });
});

it('with Recreate waits until the last old one is gone, not only on its way', () => {
  const input = { update: { type: 'Recreate' as const, maxSurge: 1, maxUnavailable: 1 }, desired: 2, surgeLeft: 1 };
  const fresh = { ready: 0, notReady: 0 };
  expect(rolloutStep({ ...input, fresh, old: { ready: 2, notReady: 0, leaving: 0 } })).toEqual({
    start: 0,
    drainOldReady: 2,
    drainOldNotReady: 0,
  });
  expect(rolloutStep({ ...input, fresh, old: { ...none, leaving: 1 } }).start).toBe(0);
  expect(rolloutStep({ ...input, fresh, old: none }).start).toBe(2);
});

it('always reaches all fresh, and never leaves its bounds on the way', () => {
  const count = fc.integer({ min: 0, max: 6 });
  fc.assert(
    fc.property(count, count, count, count, fc.boolean(), (desired, oldReady, maxSurge, maxUnavailable, recreate) => {
      const update = recreate
        ? { ...rolling(maxSurge, maxUnavailable), type: 'Recreate' as const }
        : rolling(maxSurge, maxUnavailable);
      let old = { ready: oldReady, notReady: 0, leaving: 0 };
      let fresh = { ready: 0, notReady: 0 };
      for (let round = 0; round < 60; round++) {
        const readyBefore = fresh.ready + old.ready;
        const step = rolloutStep({ update, desired, fresh, old, surgeLeft: maxSurge });
        const leaving = step.drainOldReady + step.drainOldNotReady;
        old = { ready: old.ready - step.drainOldReady, notReady: 0, leaving: old.leaving + leaving };
        const kept = fresh.ready + fresh.notReady + step.start + old.ready;
        if (step.start > 0) expect(kept).toBeLessThanOrEqual(Math.max(desired + (recreate ? 0 : maxSurge), 0));
        const allowed = maxSurge === 0 && maxUnavailable === 0 ? 1 : maxUnavailable;
        if (!recreate) {
          const least = Math.min(readyBefore, Math.max(0, desired - allowed));
          expect(fresh.ready + old.ready).toBeGreaterThanOrEqual(least);
        }
        // By the next round the leaving ones are gone, and what was started is ready.
        fresh = { ready: fresh.ready + fresh.notReady + step.start, notReady: 0 };
        old = { ...old, leaving: 0 };
      }
      expect(fresh.ready).toBe(desired);
      expect(old.ready).toBe(0);
    }),
  );
});
