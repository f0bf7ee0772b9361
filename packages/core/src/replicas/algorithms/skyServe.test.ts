import { describe, expect, it } from 'vitest';
import { base, Run, reading, second } from './algorithms.fixture.ts';
import { decideBySky, defaultSkySettings, type SkyDecisionSpec } from './skyServe.ts';

const spec = (more: Partial<SkyDecisionSpec> = {}): SkyDecisionSpec => ({
  policy: 'skyserve',
  ...base,
  ...defaultSkySettings,
  minReplicas: 1,
  maxReplicas: 10,
  targetQpsPerReplica: 2,
  ...more,
});

const start = 1_000_000;

function go(run: Run<SkyDecisionSpec>, fromSecond: number, seconds: number, rate: number): number[] {
  const counts: number[] = [];
  for (let s = fromSecond; s < fromSecond + seconds; s++) {
    const atMs = start + s * second;
    counts.push(run.at(atMs, { ready: run.last?.replicas ?? 0, readings: [reading('requestRate', atMs, rate)] }));
  }
  return counts;
}

describe('votes', () => {
  it('let it grow at the fifteenth of twenty seconds each', () => {
    const run = new Run(decideBySky, spec());
    go(run, 0, 61, 0);
    const counts = go(run, 61, 400, 10);
    // Rate 10 at 2 a replica: 5. The first vote at 80 s already sees a part of the minute.
    const grownAt = 61 + counts.findIndex((count) => count > 1);
    expect(grownAt).toBe(80 + 14 * 20);
    expect(counts.at(-1)).toBe(5);
  });

  it('let it shrink at the sixtieth', () => {
    const run = new Run(decideBySky, spec({ upscaleDelayMs: 0 }));
    go(run, 0, 130, 10);
    expect(run.last?.replicas).toBe(5);
    const counts = go(run, 130, 1400, 1);
    const first = 130 + counts.findIndex((count) => count < 5);
    // At 140 s the minute still asks for five.
    expect(first).toBe(160 + 59 * 20);
  });

  it('are lost when one says otherwise', () => {
    const run = new Run(decideBySky, spec({ upscaleDelayMs: 60 * second, qpsWindowMs: 20 * second }));
    go(run, 0, 21, 1);
    // Two votes for more, then one for less.
    go(run, 21, 40, 10);
    expect(run.last?.reasons.some((reason) => reason.code === 'waits-for-votes')).toBe(true);
    go(run, 61, 20, 1);
    expect(go(run, 81, 59, 10).every((count) => count === 1)).toBe(true);
    expect(go(run, 140, 1, 10)).toEqual([5]);
  });
});

it('divides the requests of the last minute by sixty, also in the first seconds', () => {
  const run = new Run(decideBySky, spec({ upscaleDelayMs: 0 }));
  go(run, 0, 21, 30);
  // Twenty seconds of 30 a second are 600 requests: 10 a second, over a minute.
  const reason = run.last?.reasons.find((one) => one.code === 'algorithm-asks');
  expect(reason?.data.value).toBeCloseTo((21 * 30) / 60, 0);
});

it('leaves zero at its next look, every five seconds, without votes', () => {
  const run = new Run(decideBySky, spec({ minReplicas: 0 }));
  go(run, 0, 21, 0);
  expect(run.last?.replicas).toBe(0);
  const counts = go(run, 21, 10, 1);
  expect(counts.findIndex((count) => count > 0)).toBeLessThanOrEqual(4);
});

it('stays at the minimum without a target rate', () => {
  const run = new Run(decideBySky, spec({ targetQpsPerReplica: null, minReplicas: 3 }));
  expect(go(run, 0, 100, 50).every((count) => count === 3)).toBe(true);
});
