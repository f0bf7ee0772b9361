import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Digest } from './digest.ts';
import { Draws } from './draws.ts';
import { EventQueue } from './eventQueue.ts';
import { exp, ln, normalQuantile, squareRoot } from './mathematics.ts';
import { WaitSketch } from './waitSketch.ts';

describe('EventQueue', () => {
  it('gives events in order of time, those of one moment as they were put in', () => {
    const step = fc.option(fc.integer({ min: 0, max: 50 }), { nil: null, freq: 3 });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 3000 }), (steps) => {
        const queue = new EventQueue();
        const sorted: { atUs: number; subject: number }[] = [];
        for (const [subject, atUs] of steps.entries()) {
          if (atUs !== null) {
            queue.put(atUs, 3, subject, 7 - subject);
            sorted.push({ atUs, subject });
            continue;
          }
          sorted.sort((a, b) => a.atUs - b.atUs || a.subject - b.subject);
          const expected = sorted.shift();
          expect(queue.nextUs()).toBe(expected?.atUs ?? Number.POSITIVE_INFINITY);
          if (!expected) continue;
          queue.take();
          expect([queue.kind, queue.subject, queue.life]).toEqual([3, expected.subject, 7 - expected.subject]);
        }
        expect(queue.size).toBe(sorted.length);
      }),
    );
  });
});

describe('mathematics', () => {
  it('is as near as the engine’s own', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-300, max: 1e300, noNaN: true }), (value) => {
        expect(Math.abs(ln(value) - Math.log(value))).toBeLessThanOrEqual(
          1e-13 * Math.max(1, Math.abs(Math.log(value))),
        );
        expect(squareRoot(value) / Math.sqrt(value)).toBeCloseTo(1, 12);
      }),
    );
    fc.assert(
      fc.property(fc.double({ min: -700, max: 700, noNaN: true }), (power) => {
        expect(exp(power) / Math.exp(power)).toBeCloseTo(1, 11);
      }),
    );
  });

  it('has the quantiles of the tables', () => {
    for (const [share, quantile] of [
      [0.5, 0],
      [0.975, 1.959963985],
      [0.001, -3.090232306],
      [0.9999999, 5.199337582],
    ] as const) {
      expect(normalQuantile(share)).toBeCloseTo(quantile, 7);
    }
  });
});

describe('Draws', () => {
  it('draws evenly, whatever the seed and the purpose', () => {
    for (const draws of [new Draws(1), new Draws(2).fork('crash', 7), new Draws(2 ** 40 + 5)]) {
      const bins = new Array<number>(64).fill(0);
      const count = 64_000;
      let before = 0;
      let product = 0;
      for (let number = 0; number < count; number++) {
        const share = draws.next();
        expect(share >= 0 && share < 1).toBe(true);
        bins[Math.floor(share * 64)] = (bins[Math.floor(share * 64)] ?? 0) + 1;
        product += (share - 0.5) * (before - 0.5);
        before = share;
      }
      // Chi-squared of 63 degrees of freedom: beyond 115 once in ten thousand times. Correlation: five standard errors.
      expect(bins.reduce((sum, seen) => sum + (seen - 1000) ** 2 / 1000, 0)).toBeLessThan(115);
      expect(Math.abs((12 * product) / count)).toBeLessThan(5 / Math.sqrt(count));
    }
  });

  it('draws by number: others do not move it, and the numbers are these on every machine', () => {
    const draws = new Draws(42);
    const third = draws.fork('service').at(3);
    draws.next();
    draws.fork('service').next();
    expect(draws.fork('service').at(3)).toBe(third);
    expect(draws.fork('service', 1).at(3)).not.toBe(third);
    const digest = new Digest();
    for (let number = 0; number < 1000; number++) digest.number(Math.floor(draws.at(number) * 9007199254740992));
    expect(digest.toString()).toBe('e82526e39a2c9cc2');
  });

  it('has exponential gaps with the mean', () => {
    const draws = new Draws(9);
    let sum = 0;
    for (let number = 0; number < 100_000; number++) sum += draws.exponential(3);
    expect(sum / 100_000).toBeCloseTo(3, 1);
  });
});

describe('WaitSketch', () => {
  it('has each quantile within its bound, and the exact mean and largest value', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.integer({ min: 0, max: 300 }), fc.maxSafeInteger().map(Math.abs)), { minLength: 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, share) => {
          const sketch = new WaitSketch();
          for (const value of values) sketch.add(value);
          const sorted = [...values].sort((a, b) => a - b);
          const exact = sorted[Math.max(1, Math.ceil(share * sorted.length - 1e-9)) - 1] as number;
          expect(Math.abs(sketch.quantileMs(share) * 1000 - exact)).toBeLessThanOrEqual(exact / 256 + 1e-6 * exact);
          expect(sketch.mostMs()).toBe((sorted.at(-1) as number) / 1000);
          expect(sketch.count).toBe(values.length);
        },
      ),
    );
  });
});
