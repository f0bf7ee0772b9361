import fc from 'fast-check';
import { expect, it } from 'vitest';
import { exhaustiveOptimum, exhaustivePriced } from './exhaustive.fixture.ts';
import { oracle } from './oracle.ts';

/** Requests that may wait longer than they take: three of them, all within 12 s. */
const patientCase = fc
  .record({
    gaps: fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 1, max: 4 })), {
      minLength: 1,
      maxLength: 4,
    }),
    slots: fc.integer({ min: 1, max: 2 }),
    coldStart: fc.integer({ min: 1, max: 3 }),
    onTime: fc.integer({ min: 3, max: 8 }),
    mostLate: fc.integer({ min: 0, max: 1 }),
  })
  .map(({ gaps, ...rest }) => {
    let at = 0;
    const requests = gaps.map(([gap, service]) => ({ at: (at += gap), service }));
    return { requests, ...rest, mostLate: Math.min(rest.mostLate, requests.length - 1) };
  });

it('is no more than the optimum, and no less than the work', () => {
  fc.assert(
    fc.property(patientCase, (one) => {
      const { requests, slots, coldStart, onTime, mostLate } = one;
      const serviceUs = Float64Array.from(requests, ({ service }) => service * 1e6);
      const atUs = Float64Array.from(requests, ({ at }) => at * 1e6);
      const { lowerBoundSeconds, pricedBoundSeconds } = oracle(
        'small',
        { atUs, serviceUs },
        {
          concurrency: slots,
          coldStartMs: coldStart * 1000,
          onTimeMs: onTime * 1000,
          onTimeShare: 1 - mostLate / requests.length,
        },
      );
      expect(lowerBoundSeconds).toBeLessThanOrEqual(exhaustiveOptimum(one) + 1e-6);
      expect(pricedBoundSeconds).toBeLessThanOrEqual(exhaustivePriced(one, 2 * coldStart) + 1e-6);
      const kept = requests.map(({ service }) => service).sort((a, b) => a - b);
      const work = kept.slice(0, kept.length - mostLate).reduce((sum, service) => sum + service, 0);
      expect(lowerBoundSeconds).toBeGreaterThanOrEqual(work / slots + coldStart - 1e-6);
    }),
    { numRuns: 150 },
  );
});
