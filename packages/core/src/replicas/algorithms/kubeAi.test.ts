import { describe, expect, it } from 'vitest';
import { base, Run, second } from './algorithms.fixture.ts';
import { decideByKubeAi, defaultKubeAiSettings, type KubeAiDecisionSpec } from './kubeAi.ts';

const spec = (more: Partial<KubeAiDecisionSpec> = {}): KubeAiDecisionSpec => ({
  policy: 'kubeai',
  ...base,
  ...defaultKubeAiSettings,
  ...more,
});

const start = 1_000_000;

/** One call every ten seconds; counts by turn. */
function go(run: Run<KubeAiDecisionSpec>, fromTurn: number, turns: number, inFlight: number): number[] {
  const counts: number[] = [];
  for (let turn = fromTurn; turn < fromTurn + turns; turn++) {
    counts.push(run.at(start + turn * 10 * second, { ready: run.last?.replicas ?? 0, inFlight }));
  }
  return counts;
}

it('reaches the right size for a step only after ten minutes', () => {
  const run = new Run(decideByKubeAi, spec());
  run.at(start, {});
  const counts = go(run, 1, 60, 500);
  expect(counts[0]).toBe(1);
  expect(counts.indexOf(5)).toBe(48);
  expect(counts.at(-1)).toBe(5);
});

it('begins with the mean that was saved', () => {
  const run = new Run(decideByKubeAi, spec({ savedAverage: 250 }));
  run.at(start, { ready: 3 });
  expect(go(run, 1, 1, 250)).toEqual([3]);
});

describe('an arrival at zero', () => {
  it('starts exactly one at once, whatever waits', () => {
    const run = new Run(decideByKubeAi, spec());
    expect(run.at(start, {})).toBe(0);
    expect(run.at(start + 10 * second, {})).toBe(0);
    expect(run.last?.revisitAtMs).toBeNull();
    expect(run.at(start + 13 * second + 7, { held: 900 })).toBe(1);
  });
});

describe('a shrink', () => {
  it('waits for three votes, and the next follow without', () => {
    const run = new Run(decideByKubeAi, spec({ timeWindowMs: 10 * second, minReplicas: 1 }));
    run.at(start, { ready: 5 });
    expect(go(run, 1, 2, 500)).toEqual([5, 5]);
    // One sample is the window: each turn wants what is in flight now.
    expect(go(run, 3, 4, 350)).toEqual([5, 5, 5, 4]);
    expect(go(run, 7, 2, 150)).toEqual([2, 2]);
    // A turn that did not want to shrink clears the votes.
    expect(go(run, 9, 4, 50)).toEqual([2, 2, 2, 1]);
  });
});

it('takes no sample while the counts are unknown', () => {
  const run = new Run(decideByKubeAi, spec({ timeWindowMs: 10 * second }));
  run.at(start, { ready: 3 });
  expect(go(run, 1, 1, 300)).toEqual([3]);
  for (let turn = 2; turn < 30; turn++) {
    expect(run.at(start + turn * 10 * second, { ready: 3, more: { countsKnown: false } })).toBe(3);
  }
  expect(go(run, 30, 1, 400)).toEqual([4]);
});

it('stays within its bounds', () => {
  const run = new Run(decideByKubeAi, spec({ minReplicas: 2, maxReplicas: 4, timeWindowMs: 10 * second }));
  expect(run.at(start, {})).toBe(2);
  expect(go(run, 1, 1, 5000)).toEqual([4]);
  expect(go(run, 2, 6, 0).at(-1)).toBe(2);
});
