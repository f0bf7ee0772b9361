import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evenConsumers, type LagRules, lagOfPartition, type MetricRules, metricOf } from './lag.ts';

const latest: LagRules = { offsetResetPolicy: 'latest', scaleToZeroOnInvalidOffset: false };
const earliest: LagRules = { offsetResetPolicy: 'earliest', scaleToZeroOnInvalidOffset: false };
const zero = (rules: LagRules): LagRules => ({ ...rules, scaleToZeroOnInvalidOffset: true });

describe('lagOfPartition', () => {
  it.each([
    ['what is not yet committed', { committed: 7, latest: 10 }, latest, false, 3, 3],
    ['nothing at the end', { committed: 10, latest: 10 }, latest, false, 0, 0],
    ['a commit counts alike for earliest', { committed: 7, latest: 10 }, earliest, false, 3, 3],
    ['no commit, latest: one', { committed: null, latest: 10 }, latest, false, 1, 1],
    ['no commit, latest, empty log: one', { committed: null, latest: 0 }, latest, false, 1, 1],
    ['no commit, latest, to zero', { committed: null, latest: 10 }, zero(latest), false, 0, 0],
    ['no commit, earliest: the whole log', { committed: null, latest: 10 }, earliest, false, 10, 10],
    ['no commit, earliest, to zero', { committed: null, latest: 10 }, zero(earliest), false, 0, 0],
    ['to zero leaves a commit alone', { committed: 7, latest: 10 }, zero(latest), false, 3, 3],
    ['a partition left out: none', { committed: 7, latest: null }, latest, false, 0, 0],
    ['a partition left out, no commit, latest: one', { committed: null, latest: null }, latest, false, 1, 1],
    ['a partition left out, no commit, earliest: none', { committed: null, latest: null }, earliest, false, 0, 0],
    ['a stuck partition counts for the activation only', { committed: 7, latest: 10 }, latest, true, 0, 3],
    ['a log that was made anew', { committed: 10, latest: 4 }, latest, false, -6, -6],
  ] as const)('%s', (_name, position, rules, isStuck, lag, withPersistent) => {
    expect(lagOfPartition(position, rules, isStuck)).toEqual({ lag, withPersistent });
  });

  it('grows with the log and shrinks with commits', () => {
    const offset = fc.nat(1_000_000);
    fc.assert(
      fc.property(offset, offset, offset, (committed, end, more) => {
        const lagAt = (position: { committed: number; latest: number }) => lagOfPartition(position, latest, false).lag;
        expect(lagAt({ committed, latest: end + more })).toBe(lagAt({ committed, latest: end }) + more);
        expect(lagAt({ committed: committed + more, latest: end })).toBe(lagAt({ committed, latest: end }) - more);
      }),
    );
  });
});

const plain: MetricRules = {
  lagThreshold: 10,
  allowIdleConsumers: false,
  limitToPartitionsWithLag: false,
  ensureEvenDistributionOfPartitions: false,
};
const idle = { ...plain, allowIdleConsumers: true };
const limited = { ...plain, limitToPartitionsWithLag: true };
const even = { ...plain, ensureEvenDistributionOfPartitions: true };

describe('metricOf', () => {
  it.each([
    // total, partitions, partitions with lag, rules, metric
    ['below the bound', 25, 3, 1, plain, 25],
    ['at the bound, rounded down', 39, 3, 1, plain, 39],
    ['above the bound', 40, 3, 1, plain, 30],
    ['idle consumers know no bound', 400, 3, 1, idle, 400],
    ['bound by partitions with lag', 40, 3, 2, limited, 20],
    ['no partition with lag', 5, 3, 0, limited, 5],
    ['no partition with lag, above the threshold', 15, 3, 0, limited, 0],
    ['even: one consumer', 7, 10, 1, even, 10],
    ['even: nothing to do is one threshold', 0, 10, 0, even, 10],
    ['even: two of ten', 11, 10, 1, even, 20],
    ['even: three would not divide, five do', 21, 10, 1, even, 50],
    ['even: six would not divide, all do', 51, 10, 1, even, 100],
    ['even: more than all', 1000, 10, 1, even, 100],
    ['even with idle consumers is bound too', 1000, 10, 1, { ...even, allowIdleConsumers: true }, 100],
    ['even without partitions', 1000, 0, 0, even, 0],
    ['no partitions', 0, 0, 0, plain, 0],
    ['negative', -5, 3, 0, plain, 0],
    ['negative, idle', -5, 3, 0, idle, 0],
  ] as const)('%s', (_name, total, partitions, withLag, rules, metric) => {
    expect(metricOf(total, partitions, withLag, rules)).toBe(metric);
  });

  const rules: fc.Arbitrary<MetricRules> = fc.record({
    lagThreshold: fc.integer({ min: 1, max: 500 }),
    allowIdleConsumers: fc.boolean(),
    limitToPartitionsWithLag: fc.boolean(),
    ensureEvenDistributionOfPartitions: fc.boolean(),
  });
  const situation = fc.tuple(fc.integer({ min: -1000, max: 100_000 }), fc.nat(60), fc.nat(60), rules);

  it('is never negative and never less for more lag', () => {
    fc.assert(
      fc.property(situation, fc.nat(100_000), ([total, partitions, withLag, given], more) => {
        // The bound stands, as in KEDA, only from one whole threshold above it on: in between it may fall by less than one.
        const slack = given.lagThreshold;
        const metric = metricOf(total, partitions, withLag, given);
        expect(metric).toBeGreaterThanOrEqual(0);
        expect(metricOf(total + more, partitions, withLag, given)).toBeGreaterThan(metric - slack);
      }),
    );
  });

  it('never asks for more replicas than the bound and one, and with even only for divisors', () => {
    fc.assert(
      fc.property(situation, ([total, partitions, withLag, given]) => {
        fc.pre(!given.allowIdleConsumers);
        const replicas = metricOf(total, partitions, withLag, given) / given.lagThreshold;
        const bound = given.limitToPartitionsWithLag ? withLag : partitions;
        expect(Math.floor(replicas)).toBeLessThanOrEqual(bound);
        if (given.ensureEvenDistributionOfPartitions && !given.limitToPartitionsWithLag && partitions > 0) {
          expect(partitions % replicas).toBe(0);
        }
      }),
    );
  });

  it('finds the smallest divisor that is enough', () => {
    fc.assert(
      fc.property(
        fc.nat(100_000),
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 500 }),
        (total, n, threshold) => {
          const found = evenConsumers(total, n, threshold);
          const divisors = Array.from({ length: n }, (_, index) => index + 1).filter((divisor) => n % divisor === 0);
          expect(found).toBe(divisors.find((divisor) => divisor * threshold >= total) ?? n);
        },
      ),
    );
  });
});
