import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exhaustiveOptimum, exhaustivePriced, type SmallCase } from './exhaustive.fixture.ts';
import type { OracleRequests } from './model.ts';
import { oracle } from './oracle.ts';

const smallCase: fc.Arbitrary<SmallCase> = fc
  .record({
    gaps: fc.array(fc.tuple(fc.integer({ min: 0, max: 7 }), fc.integer({ min: 1, max: 6 })), {
      minLength: 1,
      maxLength: 6,
    }),
    slots: fc.integer({ min: 1, max: 3 }),
    coldStart: fc.integer({ min: 1, max: 9 }),
    onTime: fc.integer({ min: 0, max: 2 }),
    mostLate: fc.integer({ min: 0, max: 2 }),
  })
  .map(({ gaps, ...rest }) => {
    let at = 0;
    const requests = gaps.map(([gap, service]) => ({ at: (at += gap), service }));
    return { requests, ...rest, mostLate: Math.min(rest.mostLate, requests.length - 1) };
  });

const toRequests = ({ requests }: Pick<SmallCase, 'requests'>): OracleRequests => ({
  atUs: Float64Array.from(requests, ({ at }) => at * 1e6),
  serviceUs: Float64Array.from(requests, ({ service }) => service * 1e6),
});

const ask = (one: SmallCase) =>
  oracle('small', toRequests(one), {
    concurrency: one.slots,
    coldStartMs: one.coldStart * 1000,
    onTimeMs: one.onTime * 1000,
    onTimeShare: 1 - one.mostLate / one.requests.length,
  });

describe('against trying everything', () => {
  it('bound ≤ optimum ≤ plan', () => {
    fc.assert(
      fc.property(smallCase, (one) => {
        const { lowerBoundSeconds, planSeconds, planOnTimeShare } = ask(one);
        const optimum = exhaustiveOptimum(one);
        expect(lowerBoundSeconds).toBeLessThanOrEqual(optimum + 1e-6);
        expect(lowerBoundSeconds).toBeGreaterThanOrEqual(0);
        expect(planSeconds).toBeGreaterThanOrEqual(optimum - 1e-6);
        expect(planOnTimeShare).toBeGreaterThanOrEqual(1 - one.mostLate / one.requests.length - 1e-9);
      }),
      { numRuns: 250 },
    );
  });

  it('priced bound ≤ least of cost and 2 D a late request', () => {
    fc.assert(
      fc.property(smallCase, (one) => {
        expect(ask(one).pricedBoundSeconds).toBeLessThanOrEqual(exhaustivePriced(one, 2 * one.coldStart) + 1e-6);
      }),
      { numRuns: 60 },
    );
  });
});

it('a rounding error is no late request', () => {
  const requests = [
    { at: 0, service: 3 },
    { at: 5, service: 6 },
    { at: 8, service: 2 },
    { at: 11, service: 4 },
  ];
  const one = { requests, slots: 1, coldStart: 3, onTime: 2, mostLate: 0 };
  expect(ask(one).lowerBoundSeconds).toBeLessThanOrEqual(exhaustiveOptimum(one) + 1e-6);
});

describe('cases that can be reckoned by hand', () => {
  const plain = { slots: 2, coldStart: 10, onTime: 0, mostLate: 0 };
  const at = (...moments: number[]) => moments.map((moment) => ({ at: moment, service: 4 }));
  it.each<[string, SmallCase, { bound: number; optimum: number; plan: number }]>([
    ['a start and its service', { ...plain, requests: at(3) }, { bound: 14, optimum: 14, plan: 14 }],
    ['a short gap is kept', { ...plain, requests: at(0, 9) }, { bound: 23, optimum: 23, plan: 23 }],
    ['a long gap is not', { ...plain, requests: at(0, 40) }, { bound: 28, optimum: 28, plan: 28 }],
    ['two at once share a replica', { ...plain, requests: at(0, 0) }, { bound: 14, optimum: 14, plan: 14 }],
    // The bound knows of two starts, but counts the work as if the second replica were full.
    ['three at once need another', { ...plain, requests: at(0, 0, 0) }, { bound: 27, optimum: 28, plan: 28 }],
    [
      'two wait for one slot',
      { ...plain, slots: 1, onTime: 4, requests: at(0, 0) },
      { bound: 18, optimum: 18, plan: 18 },
    ],
    // Left out in the bound; the plan has to serve it some time.
    ['all may be late', { ...plain, mostLate: 1, requests: at(0) }, { bound: 0, optimum: 0, plan: 14 }],
    // The plan has to serve the far one as well, on a replica of its own.
    ['the far one is late', { ...plain, mostLate: 1, requests: at(0, 1, 90) }, { bound: 15, optimum: 15, plan: 29 }],
  ])('%s', (_name, one, { bound, optimum, plan }) => {
    const { lowerBoundSeconds, planSeconds } = ask(one);
    expect(exhaustiveOptimum(one)).toBe(optimum);
    expect(lowerBoundSeconds).toBeCloseTo(bound, 2);
    expect(lowerBoundSeconds).toBeLessThanOrEqual(optimum + 1e-6);
    expect(planSeconds).toBeCloseTo(plan, 6);
  });
});

describe('larger loads', () => {
  const steady = (count: number, gapUs: number, serviceUs: number): OracleRequests => ({
    atUs: Float64Array.from({ length: count }, (_, index) => index * gapUs),
    serviceUs: new Float64Array(count).fill(serviceUs),
  });
  const model = { concurrency: 8, coldStartMs: 60_000, onTimeMs: 5000, onTimeShare: 0.99 };

  it('lies close to a load that fills its replicas', () => {
    // 32 slots of 2 s with 16 requests a second: 4 replicas for 1,000 s.
    const { lowerBoundSeconds, planSeconds, planOnTimeShare } = oracle('steady', steady(16_000, 62_500, 2e6), model);
    expect(planOnTimeShare).toBeGreaterThanOrEqual(0.99);
    expect(planSeconds).toBeLessThan(4 * 1062 * 1.03);
    expect(lowerBoundSeconds).toBeGreaterThan(4 * 1062 * 0.95);
    expect(lowerBoundSeconds).toBeLessThanOrEqual(planSeconds ?? 0);
  });

  it('sums workloads with replicas of their own, and shares what may be late', () => {
    const one = steady(50, 300e6, 2e6);
    const all = { ...model, onTimeShare: 1 };
    const alone = oracle('one', one, all);
    const both = oracle('two', [one, one], all);
    expect(alone.lowerBoundSeconds).toBeCloseTo(50 * 62, 6);
    expect(both.lowerBoundSeconds).toBeCloseTo(2 * alone.lowerBoundSeconds, 6);
    expect(both.planSeconds).toBeCloseTo(both.lowerBoundSeconds, 6);
    // 1 of 100 may be late, which is none of 50.
    const shared = oracle('two', [one, one], model);
    expect(shared.lowerBoundSeconds / (99 * 62)).toBeCloseTo(1, 3);
    expect(shared.lowerBoundSeconds).toBeLessThanOrEqual(99 * 62 + 1e-6);
    // The plan serves it late, on a replica that is there anyway.
    expect(shared.planSeconds).toBeLessThan(99 * 62 + 5);
    expect(oracle('one', one, model).lowerBoundSeconds).toBeCloseTo(50 * 62, 6);
  });

  it('does not charge the start of replicas that are there at the beginning', () => {
    const load = steady(1000, 1e6, 2e6);
    const cold = oracle('cold', load, { ...model, onTimeShare: 1 });
    const warm = oracle('warm', load, { ...model, onTimeShare: 1, readyReplicas: 1 });
    expect(cold.lowerBoundSeconds - warm.lowerBoundSeconds).toBeGreaterThan(30);
    expect(warm.lowerBoundSeconds).toBeLessThanOrEqual(warm.planSeconds ?? 0);
    expect((cold.planSeconds ?? 0) - (warm.planSeconds ?? 0)).toBeCloseTo(60, 6);
  });

  it('has nothing to pay for nothing', () => {
    const empty = { atUs: new Float64Array(0), serviceUs: new Float64Array(0) };
    expect(oracle('empty', empty, model)).toMatchObject({ lowerBoundSeconds: 0, planSeconds: 0 });
  });

  it.each([
    [{ concurrency: 0 }, 'concurrency is 0'],
    [{ coldStartMs: 0 }, 'coldStartMs is 0'],
    [{ onTimeMs: -1 }, 'onTimeMs is -1'],
    [{ onTimeShare: 1.5 }, 'onTimeShare is 1.5'],
  ])('refuses %j', (change, message) => {
    expect(() => oracle('bad', steady(2, 1, 1), { ...model, ...change })).toThrow(message);
  });

  it('refuses requests out of order', () => {
    const bad = { atUs: Float64Array.of(2, 1), serviceUs: Float64Array.of(1, 1) };
    expect(() => oracle('bad', bad, model)).toThrow('request 1 arrives before');
  });
});
