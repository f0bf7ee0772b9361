import { describe, expect, it } from 'vitest';
import { blockSize, type Trace } from '../contract/trace.ts';
import { diurnal } from './diurnal.ts';
import { flashCrowd } from './flashCrowd.ts';
import { mmpp } from './mmpp.ts';
import { onOff } from './onOff.ts';
import { poisson } from './poisson.ts';

async function arrivals(trace: Trace): Promise<number[]> {
  const seconds: number[] = [];
  for await (const { count, atUs } of trace.blocks()) {
    expect(count).toBeLessThanOrEqual(blockSize);
    for (let row = 0; row < count; row++) seconds.push((atUs[row] as number) / 1e6);
  }
  return seconds;
}

const between = (seconds: readonly number[], from: number, to: number) =>
  seconds.filter((at) => at >= from && at < to).length / (to - from);

describe('generators', () => {
  it('have arrivals in order, the same each time they are read', async () => {
    const tokens = { median: 200, sigma: 1 };
    for (const trace of [
      poisson({ seed: 1, spanSeconds: 3000, ratePerSecond: 10, tokens }),
      mmpp({
        seed: 1,
        spanSeconds: 3000,
        states: [
          { ratePerSecond: 5, meanSeconds: 60 },
          { ratePerSecond: 20, meanSeconds: 20 },
        ],
      }),
      diurnal({ seed: 1, spanSeconds: 3000, ratePerSecond: 10, peak: 2, daySeconds: 1000 }),
      flashCrowd({
        seed: 1,
        spanSeconds: 3000,
        ratePerSecond: 5,
        atSeconds: 600,
        riseSeconds: 30,
        halfLifeSeconds: 300,
        peak: 10,
      }),
      onOff({ seed: 1, spanSeconds: 3000, ratePerSecond: 40, onSeconds: 30, offSeconds: 90 }),
    ]) {
      const first = await arrivals(trace);
      expect(first).toEqual(await arrivals(trace));
      expect(first).toEqual([...first].sort((a, b) => a - b));
      expect(first.length).toBeGreaterThan(1000);
      expect(first.at(-1)).toBeLessThan(trace.spanUs / 1e6);
    }
  });

  it('poisson: rate and spread of counts are those of its law', async () => {
    const seconds = await arrivals(poisson({ seed: 4, spanSeconds: 20_000, ratePerSecond: 5 }));
    expect(seconds.length / 100_000).toBeCloseTo(1, 1);
    const counts = new Array<number>(20_000).fill(0);
    for (const at of seconds) counts[Math.floor(at)] = (counts[Math.floor(at)] ?? 0) + 1;
    const mean = seconds.length / counts.length;
    const variance = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / counts.length;
    expect(variance / mean).toBeCloseTo(1, 1);
  });

  it('mmpp: each state has its rate for its share of the time', async () => {
    const states = [
      { ratePerSecond: 1, meanSeconds: 30 },
      { ratePerSecond: 11, meanSeconds: 10 },
    ];
    const seconds = await arrivals(mmpp({ seed: 2, spanSeconds: 100_000, states }));
    expect(seconds.length / 100_000 / 3.5).toBeCloseTo(1, 1);
  });

  it('diurnal: nothing at midnight with a peak of 2, the most at noon', async () => {
    const seconds = await arrivals(
      diurnal({ seed: 3, spanSeconds: 10_000, ratePerSecond: 20, peak: 2, daySeconds: 10_000 }),
    );
    expect(between(seconds, 0, 100)).toBeLessThan(0.5);
    expect(between(seconds, 4900, 5100) / 40).toBeCloseTo(1, 1);
    expect(seconds.length / 200_000).toBeCloseTo(1, 1);
  });

  it('flash crowd: the peak after the rise, half of it a half-life later', async () => {
    const crowd = {
      seed: 3,
      spanSeconds: 4000,
      ratePerSecond: 10,
      atSeconds: 1000,
      riseSeconds: 10,
      halfLifeSeconds: 500,
      peak: 21,
    };
    const seconds = await arrivals(flashCrowd(crowd));
    expect(between(seconds, 0, 1000)).toBeCloseTo(10, 0);
    expect(between(seconds, 1010, 1030) / 207).toBeCloseTo(1, 1);
    expect(between(seconds, 1505, 1515) / 110).toBeCloseTo(1, 0);
  });

  it('draw tokens around their median', async () => {
    const trace = poisson({ seed: 5, spanSeconds: 2000, ratePerSecond: 20, tokens: { median: 300, sigma: 1 } });
    const counts: number[] = [];
    for await (const { count, outputTokens } of trace.blocks()) counts.push(...(outputTokens ?? []).slice(0, count));
    counts.sort((a, b) => a - b);
    expect((counts[Math.floor(counts.length / 2)] as number) / 300).toBeCloseTo(1, 1);
    // One standard deviation of the logarithm up.
    expect((counts[Math.floor(counts.length * 0.8413)] as number) / (300 * Math.E)).toBeCloseTo(1, 1);
  });

  it('refuse what makes no sense', () => {
    expect(() => diurnal({ seed: 1, spanSeconds: 1, ratePerSecond: 1, peak: 3 })).toThrow(
      '1 to 2 times its mean, not 3',
    );
    expect(() => mmpp({ seed: 1, spanSeconds: 1, states: [] })).toThrow('at least one state');
  });
});
