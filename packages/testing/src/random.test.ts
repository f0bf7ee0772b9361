import { expect, it } from 'vitest';
import { SeededRandom } from './random.ts';

const draw = (random: SeededRandom, count: number) => Array.from({ length: count }, () => random.next());

it('gives the same numbers for the same seed, and others for another', () => {
  expect(draw(new SeededRandom(5), 50)).toEqual(draw(new SeededRandom(5), 50));
  expect(draw(new SeededRandom(5), 50)).not.toEqual(draw(new SeededRandom(6), 50));
});

it('is spread evenly over [0, 1)', () => {
  const random = new SeededRandom(1);
  const buckets = Array(10).fill(0);
  for (const value of draw(random, 100_000)) {
    expect(value >= 0 && value < 1).toBe(true);
    buckets[Math.floor(value * 10)]++;
  }
  // Ten sigmas around 10,000.
  for (const count of buckets) expect(Math.abs(count - 10_000)).toBeLessThan(1000);
});

it('gives forks that depend on their label alone', () => {
  const used = new SeededRandom(9);
  draw(used, 10);
  expect(draw(used.fork('load'), 5)).toEqual(draw(new SeededRandom(9).fork('load'), 5));
  expect(draw(used.fork('load'), 5)).not.toEqual(draw(used.fork('driver'), 5));
});

it('has the means it promises', () => {
  const random = new SeededRandom(2);
  const mean = (next: () => number) =>
    Array.from({ length: 50_000 }, next).reduce((sum, value) => sum + value, 0) / 50_000;
  expect(mean(() => random.exponential(20))).toBeCloseTo(20, 0);
  expect(mean(() => Math.log(random.logNormal(100, 0.5)))).toBeCloseTo(Math.log(100), 1);
  expect(mean(() => random.integer(1, 6))).toBeCloseTo(3.5, 1);
});
