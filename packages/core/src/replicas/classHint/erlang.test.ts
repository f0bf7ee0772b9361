import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lateShareOf, replicasNeeded } from './erlang.ts';

/** The same by brute force: the birth-death chain's balance, and for each place in the line the chance to wait longer. */
function lateBySums(rate: number, service: number, onTime: number, slots: number): number {
  const most = 3000;
  const weights = [1];
  for (let there = 1; there <= most; there++) {
    weights.push((weights[there - 1] ?? 0) * ((rate * service) / Math.min(there, slots)));
  }
  const whole = weights.reduce((sum, weight) => sum + weight, 0);
  // Of who finds `there` requests, there - slots + 1 must go first: a Poisson process of ends has fewer within the time.
  const mean = (slots * onTime) / service;
  let late = 0;
  let term = Math.exp(-mean);
  let fewer = 0;
  for (let there = slots; there <= most; there++) {
    fewer += term;
    term *= mean / (there - slots + 1);
    late += (weights[there] ?? 0) * fewer;
  }
  return late / whole;
}

test.each([
  [0.5, 1, 0, 1],
  [0.5, 1, 2, 1],
  [3, 1.5, 0.5, 5],
  [3, 1.5, 5, 6],
  [40, 0.5, 0.2, 22],
  [0.01, 30, 10, 2],
])(
  '%f a second of %f s, on time within %f s, on %i slots: as the sums of the chain',
  (rate, service, onTime, slots) => {
    const waiting = { ratePerSecond: rate, serviceSeconds: service, onTimeSeconds: onTime };
    const sums = lateBySums(rate, service, onTime, slots);
    expect(Math.abs(lateShareOf(waiting, slots) - sums)).toBeLessThan(1e-9);
  },
);

test('one slot at half its load: half wait, and the wait fades by exp(-t/2)', () => {
  const waiting = { ratePerSecond: 0.5, serviceSeconds: 1, onTimeSeconds: 0 };
  expect(lateShareOf(waiting, 1)).toBeCloseTo(0.5, 12);
  expect(lateShareOf({ ...waiting, onTimeSeconds: 2 }, 1)).toBeCloseTo(0.5 * Math.exp(-1), 12);
  expect(lateShareOf(waiting, 0)).toBe(1);
});

test('the replicas are the fewest that keep the share', () => {
  const case_ = fc.record({
    ratePerSecond: fc.double({ min: 0.001, max: 50, noNaN: true }),
    serviceSeconds: fc.double({ min: 0.01, max: 10, noNaN: true }),
    onTimeSeconds: fc.double({ min: 0, max: 10, noNaN: true }),
  });
  fc.assert(
    fc.property(case_, fc.integer({ min: 1, max: 16 }), fc.constantFrom(0.05, 0.01, 0.001), (waiting, slots, share) => {
      const { replicas, lateShare, enough } = replicasNeeded(waiting, slots, share, 100_000);
      expect(enough).toBe(true);
      expect(lateShare).toBeLessThanOrEqual(share);
      expect(lateShareOf(waiting, slots * replicas)).toBeCloseTo(lateShare, 9);
      if (replicas > 1) expect(lateShareOf(waiting, slots * (replicas - 1))).toBeGreaterThan(share);
      const fewer = replicasNeeded(waiting, slots, share, replicas - 1);
      expect(fewer).toMatchObject({ replicas: replicas - 1, enough: false });
    }),
    { numRuns: 300 },
  );
});

test('no load needs nothing; a huge one is answered at once, near its load', () => {
  const huge = { ratePerSecond: 1e6, serviceSeconds: 10, onTimeSeconds: 1 };
  expect(replicasNeeded({ ...huge, ratePerSecond: 0 }, 1, 0.01, 10).replicas).toBe(0);
  const { replicas } = replicasNeeded(huge, 1, 0.01, 1e9);
  expect(replicas).toBeGreaterThan(1e7);
  expect(replicas).toBeLessThan(1.002e7);
  expect(replicasNeeded(huge, 1, 0.01, 1000)).toEqual({ replicas: 1000, lateShare: 1, enough: false });
});
