import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Kernel } from '../kernel/kernel.ts';
import { fullSlowdown, serviceRates, unitsPerUs } from './batching.ts';
import { type NaiveService, shareNaively } from './naiveSharing.fixture.ts';
import { SharedService } from './sharedService.ts';
import { SharedServices } from './sharedServices.ts';

const noArrivals = { nextUs: Number.POSITIVE_INFINITY, arrive: () => false, refill: async () => {} };

/** Ends of the services by the kernel's events. */
async function shared(services: readonly NaiveService[], rates: Float64Array): Promise<number[]> {
  const kernel = new Kernel();
  const ends = services.map(() => -1);
  const replica = new SharedServices(kernel, rates, (row) => {
    ends[row] = kernel.nowUs;
  });
  const begin = kernel.kind((row) => replica.begin(3, row, services[row]?.lengthUs ?? 0));
  for (const [row, { beginUs }] of services.entries()) kernel.put(beginUs, begin, row);
  await kernel.run(noArrivals, () => false);
  return ends;
}

const slowdownArbitrary = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.double({ min: 1, max: 20, noNaN: true })), {
    minLength: 1,
    maxLength: 4,
  })
  .map((steps) => {
    let requests = 0;
    return {
      slowdown: steps.map(([step, times]) => {
        requests += step;
        return [requests, times] as const;
      }),
    };
  })
  .filter(({ slowdown }) => slowdown.some(([, times]) => times > 1));

describe('services that slow each other down', () => {
  it('end to the microsecond when the plainest re-computing says', async () => {
    await fc.assert(
      fc.asyncProperty(
        slowdownArbitrary,
        fc.integer({ min: 1, max: 12 }),
        fc.array(fc.record({ beginUs: fc.nat({ max: 300 }), lengthUs: fc.integer({ min: 1, max: 120 }) }), {
          minLength: 1,
          maxLength: 12,
        }),
        async (batching, slots, services) => {
          const rates = serviceRates(batching, slots);
          if (!rates) throw new Error('a slowdown has rates');
          const rate = (requests: number) => rates[Math.min(slots, requests)] ?? 0;
          expect(await shared(services, rates)).toEqual(shareNaively(services, unitsPerUs, rate));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('take as long as alone where nothing slows them, and twice as long where all are twice as slow', async () => {
    const services = [
      { beginUs: 5, lengthUs: 1000 },
      { beginUs: 7, lengthUs: 10 },
      { beginUs: 500, lengthUs: 3_000_000_000 },
    ];
    expect(await shared(services, new Float64Array(5).fill(unitsPerUs))).toEqual([1005, 17, 3_000_000_500]);
    expect(await shared(services, new Float64Array(5).fill(unitsPerUs / 2))).toEqual([2005, 27, 6_000_000_500]);
  });

  it('stay exact over a month without a pause', () => {
    // Two at once: one begins as another ends. What is left of each is re-computed at every end, in whole numbers.
    const rates = Float64Array.of(0, unitsPerUs, 43_691);
    const service = new SharedService(rates);
    const left = new Map<number, number>();
    const begin = (nowUs: number, row: number) => {
      const lengthUs = 60_000_000 + ((row * 7_654_321) % 1_000_003);
      service.begin(nowUs, row, lengthUs);
      left.set(row, lengthUs * unitsPerUs);
    };
    begin(0, 0);
    begin(0, 1);
    let nowUs = 0;
    for (let row = 2; nowUs < 30 * 86_400_000_000; row++) {
      const us = Math.ceil(Math.min(...left.values()) / 43_691);
      nowUs += us;
      const ended = [...left].map(([one, units]) => [one, units - us * 43_691] as const);
      left.clear();
      for (const [one, units] of ended) if (units > 0) left.set(one, units);
      const [first] = ended.filter(([, units]) => units <= 0).map(([one]) => one);
      expect([service.nextUs(), service.take(nowUs)]).toEqual([nowUs, first]);
      begin(nowUs, row);
    }
  });

  it('go in the order of their begins where they end together', () => {
    const service = new SharedService(Float64Array.of(0, unitsPerUs, unitsPerUs / 2));
    for (let row = 0; row < 40; row++) service.begin(10, row, 100);
    expect(service.nextUs()).toBe(210);
    expect(Array.from({ length: 41 }, () => service.take(210))).toEqual([...Array.from({ length: 40 }).keys(), null]);
  });

  it('are forgotten with their replica', async () => {
    const kernel = new Kernel();
    const ends: number[] = [];
    const replicas = new SharedServices(kernel, new Float64Array(3).fill(unitsPerUs), (row) => ends.push(row));
    replicas.begin(1, 10, 50);
    replicas.begin(2, 20, 60);
    replicas.forget(1);
    await kernel.run(noArrivals, () => false);
    expect(ends).toEqual([20]);
  });
});

describe('serviceRates', () => {
  const rates = (slowdown: [number, number][], slots: number) =>
    Array.from(serviceRates({ slowdown }, slots) ?? [], (rate) => Math.round((1000 * unitsPerUs) / rate) / 1000).slice(
      1,
    );

  it('follow a line through the points, from once as long for one, and stay', () => {
    expect(
      rates(
        [
          [1, 1],
          [3, 2],
        ],
        5,
      ),
    ).toEqual([1, 1.5, 2, 2, 2]);
    expect(rates([[5, 5]], 4)).toEqual([1, 2, 3, 4]);
    expect(
      rates(
        [
          [1, 2],
          [2, 1],
        ],
        3,
      ),
    ).toEqual([2, 1, 1]);
    expect(
      fullSlowdown({
        concurrency: 4,
        batching: {
          slowdown: [
            [1, 1],
            [8, 1.7],
          ],
        },
      }),
    ).toBeCloseTo(1.3, 12);
    expect(fullSlowdown({ concurrency: 4 })).toBe(1);
  });

  it('are none where nothing is slower', () => {
    expect(serviceRates(undefined, 4)).toBe(null);
    expect(
      serviceRates(
        {
          slowdown: [
            [1, 1],
            [8, 1],
          ],
        },
        4,
      ),
    ).toBe(null);
  });

  it.each<[[number, number][], string]>([
    [[[0, 1]], 'rise from 1, found 0'],
    [
      [
        [2, 1],
        [2, 3],
      ],
      'found 2 after 2',
    ],
    [[[2.5, 1]], 'whole'],
    [[[2, 0.9]], 'from 1 to 100 times as long, found 0.9'],
    [[[2, Number.NaN]], 'found NaN'],
  ])('refuse %j', (slowdown, message) => {
    expect(() => serviceRates({ slowdown }, 4)).toThrow(message);
  });
});
