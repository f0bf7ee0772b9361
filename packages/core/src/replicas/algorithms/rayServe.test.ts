import { describe, expect, it } from 'vitest';
import { base, Run, reading, second } from './algorithms.fixture.ts';
import { decideByRay, defaultRaySettings, desiredReplicas, type RayDecisionSpec } from './rayServe.ts';

const spec = (more: Partial<RayDecisionSpec> = {}): RayDecisionSpec => ({
  policy: 'ray',
  ...base,
  ...defaultRaySettings,
  maxReplicas: 100,
  ...more,
});

const start = 1_000_000;

describe('replicas for ongoing requests', () => {
  it.each([
    ['ongoing over target', 10, 4, 1, 1, 5],
    ['rounded up', 9, 4, 1, 1, 5],
    ['part of the way up', 20, 4, 0.5, 1, 7],
    ['further than the way up', 20, 4, 1.5, 1, 13],
    ['part of the way down', 2, 10, 1, 0.5, 6],
    ['one down where the factor would keep it', 16, 10, 1, 0.1, 9],
    ['stays where it is right', 20, 10, 1, 0.1, 10],
    ['to none', 0, 1, 1, 1, 0],
  ])('%s', (_name, ongoing, running, upscalingFactor, downscalingFactor, wanted) => {
    expect(desiredReplicas({ targetOngoingRequests: 2, upscalingFactor, downscalingFactor }, ongoing, running)).toBe(
      wanted,
    );
  });
});

/** One call a second with this many ongoing requests; counts by second. */
function go(run: Run<RayDecisionSpec>, fromSecond: number, seconds: number, ongoing: number, ready?: number): number[] {
  const counts: number[] = [];
  for (let s = fromSecond; s < fromSecond + seconds; s++) {
    const atMs = start + s * second;
    const replicas = ready ?? run.last?.replicas ?? 1;
    counts.push(run.at(atMs, { ready: replicas, readings: [reading('concurrency', atMs, ongoing)] }));
  }
  return counts;
}

describe('delays', () => {
  it('grow after thirty seconds of wanting to', () => {
    const run = new Run(decideByRay, spec());
    const counts = go(run, 0, 60, 10);
    expect(counts.indexOf(5)).toBe(30);
  });

  it('begin anew when it did not want to in between', () => {
    const run = new Run(decideByRay, spec({ lookBackMs: second }));
    go(run, 0, 20, 10);
    go(run, 20, 1, 2);
    expect(go(run, 21, 30, 10).every((count) => count === 1)).toBe(true);
    expect(go(run, 51, 1, 10)).toEqual([5]);
  });

  it('shrink after ten minutes', () => {
    const run = new Run(decideByRay, spec({ upscaleDelayMs: 0, lookBackMs: second }));
    go(run, 0, 5, 10);
    const counts = go(run, 5, 700, 2);
    expect(counts.indexOf(1)).toBe(600);
  });

  it('never go straight to zero, and have their own delay from one', () => {
    const one = spec({
      minReplicas: 0,
      upscaleDelayMs: 0,
      lookBackMs: second,
      downscaleDelayMs: 10 * second,
      downscaleToZeroDelayMs: 20 * second,
    });
    const run = new Run(decideByRay, one);
    go(run, 0, 5, 10);
    const counts = go(run, 5, 60, 0);
    const changes = counts.filter((count, i) => count !== counts[i - 1]);
    expect(changes).toEqual([5, 1, 0]);
    expect(counts.indexOf(0) - counts.indexOf(1)).toBeGreaterThanOrEqual(20);
  });

  it('are measured by the clock, however seldom it is asked', () => {
    const run = new Run(decideByRay, spec());
    const at = (s: number) =>
      run.at(start + s * second, { ready: 1, readings: [reading('concurrency', start + s * second, 10)] });
    expect([at(0), at(17), at(31)]).toEqual([1, 1, 5]);
  });
});

describe('at zero', () => {
  const zero = spec({ minReplicas: 0, initialReplicas: 0, upscalingFactor: 3 });

  it('starts the factor at once when something waits, and holds it while nothing is ready', () => {
    const run = new Run(decideByRay, zero);
    expect(run.at(start, {})).toBe(0);
    expect(run.at(start + 37, { held: 5 })).toBe(3);
    for (let s = 1; s < 60; s++) expect(run.at(start + s * second, { starting: 3, held: 50 })).toBe(3);
  });

  it('stays when nothing waits', () => {
    const run = new Run(decideByRay, zero);
    for (let s = 0; s < 60; s++) expect(run.at(start + s * second)).toBe(0);
    expect(run.last?.revisitAtMs).toBeNull();
  });
});

it('comes in whole gangs, within the bounds', () => {
  const run = new Run(decideByRay, spec({ gangSize: 4, upscaleDelayMs: 0, maxReplicas: 10 }));
  expect(go(run, 0, 1, 10, 1)).toEqual([8]);
  expect(go(run, 1, 40, 100, 8).at(-1)).toBe(10);
});

it.each([
  ['max', 6],
  ['min', 1],
] as const)('takes the %s of its look-back', (aggregation, wanted) => {
  const run = new Run(decideByRay, spec({ aggregation, upscaleDelayMs: 0, downscaleDelayMs: 0 }));
  go(run, 0, 10, 2, 1);
  go(run, 10, 1, 12, 1);
  expect(go(run, 11, 1, 2, 1)).toEqual([wanted]);
});
