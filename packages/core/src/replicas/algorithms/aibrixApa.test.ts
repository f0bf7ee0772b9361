import { describe, expect, it } from 'vitest';
import { type AibrixDecisionSpec, apaReplicas, decideByAibrix, defaultAibrixSettings } from './aibrixApa.ts';
import { base, Run, reading, second } from './algorithms.fixture.ts';

const spec = (more: Partial<AibrixDecisionSpec> = {}): AibrixDecisionSpec => ({
  policy: 'aibrix',
  ...base,
  ...defaultAibrixSettings,
  targetValue: 10,
  ...more,
});

const start = 1_000_000;

describe('use a pod over the target', () => {
  it.each([
    ['in proportion', 4, 15, 6],
    ['at most twice', 4, 100, 8],
    ['within the tolerance above', 4, 11, 4],
    ['just over it', 10, 11.01, 12],
    ['within the tolerance below', 4, 9, 4],
    ['just under it', 10, 8.99, 9],
    ['half at least', 8, 1, 4],
    ['half rounded down', 5, 0, 2],
    ['one to none', 1, 0, 0],
  ])('%s', (_name, current, use, wanted) => {
    expect(apaReplicas(spec(), current, use)).toBe(wanted);
  });
});

/** One call every ten seconds with this many requests in all. */
function go(run: Run<AibrixDecisionSpec>, fromTurn: number, turns: number, total: number): number[] {
  const counts: number[] = [];
  for (let turn = fromTurn; turn < fromTurn + turns; turn++) {
    const atMs = start + turn * 10 * second;
    const readings = [reading('concurrency', atMs, total, { spanMs: 10 * second })];
    counts.push(run.at(atMs, { ready: run.last?.replicas ?? 1, readings }));
  }
  return counts;
}

it('doubles step by step, and comes down after the cool-down only', () => {
  const run = new Run(decideByAibrix, spec({ stableWindowMs: 10 * second }));
  expect(go(run, 0, 5, 100)).toEqual([2, 4, 8, 10, 10]);
  // Each halving has to leave the window before the next: a quarter of an hour from ten to one.
  const down = go(run, 5, 95, 10);
  expect(down.slice(0, 29).every((count) => count === 10)).toBe(true);
  expect(down.at(-1)).toBe(1);
});

it('waits as long as its cool-down says before it grows', () => {
  const run = new Run(decideByAibrix, spec({ stableWindowMs: 10 * second, scaleUpCooldownMs: 30 * second }));
  expect(go(run, 0, 5, 100)).toEqual([1, 1, 1, 2, 2]);
});

it('starts one for somebody who waits at zero, which upstream cannot', () => {
  const run = new Run(decideByAibrix, spec({ minReplicas: 0 }));
  expect(run.at(start, {})).toBe(0);
  expect(run.at(start + second, { held: 7 })).toBe(1);
  expect(run.codes()).toContain('cold-start');
});
