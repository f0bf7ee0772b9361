import { describe, expect, it } from 'vitest';
import { ContainerAggregate } from './aggregate.ts';
import { inProportion, maxAmount, roundUp, toAmount } from './amounts.ts';
import { confidenceOf, estimateContainer } from './estimator.ts';
import { defaultRecommender as settings } from './types.ts';

const minuteMs = 60_000;
const dayMs = 1440 * minuteMs;
const t = 19_000 * dayMs;
const mib = 1024 * 1024;

/** One CPU sample a minute and one memory peak. */
function aggregateOf(samples: number, cpuMilli: number, memoryBytes?: number) {
  const aggregate = new ContainerAggregate(t, settings);
  for (let i = 0; i < samples; i++) aggregate.addCpu(cpuMilli, t + i * minuteMs);
  if (memoryBytes !== undefined) aggregate.addPeak(memoryBytes, t);
  return aggregate;
}

describe('amounts', () => {
  it.each([
    [1.999, 1],
    [-3, 0],
    [-0, 0],
    [Number.NaN, 0],
    [Number.POSITIVE_INFINITY, 1e14],
    [2e14, 1e14],
  ])('%d becomes %d', (value, amount) => {
    expect(Object.is(toAmount(value), amount)).toBe(true);
  });

  it.each([
    [100, 1, 100],
    [101, 50, 150],
    [150, 50, 150],
    [0, 50, 0],
  ])('%d rounded up to %d is %d', (amount, step, up) => {
    expect(roundUp(amount, step)).toBe(up);
  });

  it('in proportion are exact beyond what a double holds', () => {
    // 9e15 * 7 / 3 = 2.1e16, cut to the largest safe integer; 1e14 * 1e14 / 3e14 = 33333333333333.3.
    expect(inProportion(9e15, 7, 3, 'down')).toBe(Number.MAX_SAFE_INTEGER);
    expect(inProportion(1e14, 1e14, 3e14, 'down')).toBe(33_333_333_333_333);
    expect(inProportion(1e14, 1e14, 3e14, 'up')).toBe(33_333_333_333_334);
  });
});

describe('confidence', () => {
  it.each([
    // span 0 days; span 99 min; span 10079 min against 10080 samples.
    [1, 0],
    [100, 99 / 1440],
    [10_080, 10_079 / 1440],
  ])('of %i samples a minute apart is %d', (samples, confidence) => {
    expect(confidenceOf(aggregateOf(samples, 100), dayMs)).toBe(confidence);
  });

  it('is limited by the number of samples', () => {
    const aggregate = aggregateOf(1, 100);
    aggregate.addCpu(100, t + 10 * dayMs);
    expect(confidenceOf(aggregate, dayMs)).toBe(2 / 1440);
  });
});

describe('an estimate', () => {
  it('truncates at each step', () => {
    // 0.1 core lies in bucket 8, which ends at 0.2 * (1.05 ^ 9 − 1) = 0.11026…: 110; 15 % are 16.5: 16; sum 126.
    // Confidence 99 / 1440 = 0.06875: 126 * 1.01454… ^ −2 = 122.4; 126 * (1 + 14.5454…) = 1958.7.
    const { cpu, confidence } = estimateContainer(aggregateOf(100, 100), 1, settings);
    expect(confidence).toBe(0.06875);
    expect(cpu).toEqual({
      targetPercentile: 110,
      withMargin: 126,
      target: 126,
      lowerBound: 122,
      upperBound: 1958,
      minimum: 25,
    });
  });

  it('takes the percentiles of each bound', () => {
    // 96 % at 0.1 and 4 % at 1 core: 1 core is above the 95th percentile; at 94 % it is not.
    const used = (small: number) => {
      const aggregate = new ContainerAggregate(t, settings);
      for (let i = 0; i < 100; i++) aggregate.addCpu(i < small ? 100 : 1000, t);
      aggregate.addCpu(100, t + 1000 * dayMs - 900 * dayMs);
      return [0.5, 0.9, 0.95].map((p) => Math.trunc(aggregate.cpu.percentile(p) * 1000));
    };
    expect(used(100)).toEqual([110, 110, 110]);
    const aggregate = new ContainerAggregate(t, settings);
    for (let i = 0; i < 100; i++) aggregate.addCpu(i < 94 ? 100 : 1000, t);
    const { cpu } = estimateContainer(aggregate, 1, settings);
    // 1 core: 1.05 ^ n = 6, n = 36.7; bucket 36 ends at 0.2 * (1.05 ^ 37 − 1) = 1.0162…
    expect(cpu.targetPercentile).toBe(110);
    expect(Math.trunc(aggregate.cpu.percentile(0.95) * 1000)).toBe(1016);
    // No time between first and last: the upper bound has no bound, the lower one none either.
    expect([cpu.lowerBound, cpu.upperBound]).toEqual([25, maxAmount]);
  });

  it('of nothing is the minimum, shared by the containers', () => {
    // 25 / 3 = 8.3; 250 MiB / 3 = 87381333.3. Nothing times an unbounded factor is nothing.
    const nothing = estimateContainer(aggregateOf(0, 0), 3, settings);
    for (const bound of ['lowerBound', 'target', 'upperBound'] as const) {
      expect([nothing.cpu[bound], nothing.memory[bound]]).toEqual([8, 87_381_333]);
    }
    expect(estimateContainer(aggregateOf(0, 0), 1, settings).memory.target).toBe(250 * mib);
  });

  it('of memory uses the confidence of CPU', () => {
    // 1 GiB: 1.05 ^ n = 6.36870912, n = 37.9; bucket 37 ends at 200e6 * (1.05 ^ 38 − 1) = 1077095…
    const { memory } = estimateContainer(aggregateOf(1441, 100, 1024 * mib), 1, settings);
    const base = Math.trunc(200e6 * (1.05 ** 38 - 1));
    const withMargin = base + Math.trunc(base * 0.15);
    // Confidence 1: twice, and 1.001 ^ −2.
    expect(memory).toMatchObject({ target: withMargin, upperBound: 2 * withMargin });
    expect(memory.lowerBound).toBe(Math.trunc(withMargin / 1.001 / 1.001));
  });
});
