import { describe, expect, it } from 'vitest';
import { base, minute, Run, second } from './algorithms.fixture.ts';
import { type ClarifaiDecisionSpec, decideByClarifai, defaultClarifaiSettings } from './clarifai.ts';

const spec = (more: Partial<ClarifaiDecisionSpec> = {}): ClarifaiDecisionSpec => ({
  policy: 'clarifai',
  ...base,
  ...defaultClarifaiSettings,
  maxReplicas: 10,
  ...more,
});

const start = 1_000_000;

/** One call a second; counts by second. */
function go(run: Run<ClarifaiDecisionSpec>, fromSecond: number, seconds: number, inFlight: number): number[] {
  const counts: number[] = [];
  for (let s = fromSecond; s < fromSecond + seconds; s++) {
    counts.push(run.at(start + s * second, { ready: run.last?.replicas ?? 0, inFlight }));
  }
  return counts;
}

describe('up', () => {
  it('is at once from zero, and then once in a delay', () => {
    const run = new Run(decideByClarifai, spec({ concurrency: 2 }));
    expect(go(run, 0, 1, 0)).toEqual([0]);
    expect(go(run, 1, 1, 4)).toEqual([2]);
    // Six for a capacity of four is no burst.
    const counts = go(run, 2, 400, 6);
    expect(counts.indexOf(3)).toBe(299);
  });

  it('does not wait in a burst: more than twice the capacity', () => {
    const run = new Run(decideByClarifai, spec({ concurrency: 2 }));
    go(run, 0, 10, 4);
    expect(go(run, 10, 1, 8)).toEqual([2]);
    expect(go(run, 11, 1, 9)).toEqual([5]);
    expect(run.codes()).toContain('clarifai-burst');
  });

  it('follows the peak of the history, not the moment', () => {
    const run = new Run(decideByClarifai, spec({ scaleUpDelayMs: 60 * second }));
    go(run, 0, 1, 1);
    go(run, 1, 1, 2);
    // The second request is over in a moment, but it was there.
    expect(go(run, 2, 100, 1).at(-1)).toBe(2);
  });
});

describe('down', () => {
  it('needs a history without the peak and a delay without the need', () => {
    const run = new Run(decideByClarifai, spec({ minReplicas: 1 }));
    go(run, 0, 1, 1);
    go(run, 1, 10, 6);
    const counts = go(run, 11, 1200, 1);
    const shrunkAfter = counts.findIndex((count) => count < 6);
    expect(shrunkAfter).toBeGreaterThanOrEqual(590);
    expect(shrunkAfter).toBeLessThanOrEqual(620);
    expect(counts.at(-1)).toBe(1);
  });

  it('goes to zero after an hour of nothing, keeping one until then', () => {
    const run = new Run(decideByClarifai, spec());
    go(run, 0, 10, 3);
    const counts = go(run, 10, 3700, 0);
    expect(counts.indexOf(1)).toBeGreaterThan(590);
    const zeroAfter = counts.indexOf(0);
    expect(zeroAfter).toBeGreaterThanOrEqual(3599);
    expect(zeroAfter).toBeLessThanOrEqual(3601);
  });
});

describe('the floor', () => {
  it('is the minimum and the soft minimum together, capped by the maximum', () => {
    const run = new Run(decideByClarifai, spec({ minReplicas: 2, softMinReplicas: 3 }));
    expect(go(run, 0, 1, 0)).toEqual([5]);
    const capped = new Run(decideByClarifai, spec({ minReplicas: 2, softMinReplicas: 30 }));
    expect(go(capped, 0, 1, 0)).toEqual([10]);
  });

  it('is reached without waiting when it is raised', () => {
    const run = new Run(decideByClarifai, spec({ minReplicas: 1 }));
    go(run, 0, 5, 1);
    Object.assign(run.spec, { minReplicas: 4 });
    expect(go(run, 5, 1, 1)).toEqual([4]);
  });
});

it('asks to be woken when something can change, and not before', () => {
  const run = new Run(
    decideByClarifai,
    spec({ trafficHistoryMs: minute, scaleDownDelayMs: minute, scaleToZeroDelayMs: 2 * minute }),
  );
  go(run, 0, 2, 3);
  let nowMs = start + 2 * second;
  const asked: number[] = [];
  while (run.last?.replicas !== 0 && asked.length < 500) {
    run.at(nowMs, { ready: run.last?.replicas ?? 0 });
    asked.push(nowMs);
    if (run.last?.revisitAtMs === null || run.last?.revisitAtMs === undefined) break;
    nowMs = run.last.revisitAtMs;
  }
  expect(run.last?.replicas).toBe(0);
  expect(run.last?.revisitAtMs).toBeNull();
});
