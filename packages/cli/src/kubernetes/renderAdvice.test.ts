import type { Comparison } from '@ebb/kubernetes';
import { expect, test } from 'vitest';
import type { EbbContext } from '../context.ts';
import { adviceLines } from './renderAdvice.ts';

const plain = (text: string) => text;
const context = { colors: { bold: plain, dim: plain } } as EbbContext;
const none = { wanted: 0, live: 0, ready: 0 };
const totals = { replicaMs: 0, unreadyMs: 0, shortMs: 0, changes: 0 };
const replicas: Comparison = {
  ...{ namespace: 'shop', name: 'site', document: 'HorizontalPodAutoscaler/site', target: 'Deployment/site' },
  ...{ sinceMs: 0, atMs: 60_000, actual: none, advised: none, actualTotals: totals, advisedTotals: totals },
  ...{ startMs: 0, because: 'quiet' },
};
const jobs: Comparison = {
  ...replicas,
  ...{ name: 'resize', document: 'ScaledJob/resize', target: 'Job/resize', because: 'queue 50 asks for 5' },
  ...{ actual: { wanted: 2, live: 2, ready: 1 }, advised: { wanted: 5, live: 5, ready: 5 } },
  ...{ actualTotals: { ...totals, shortMs: 20_000 }, made: { actual: 2, advised: 5 } },
};

test('Jobs of ScaledJobs have a column of their own, where there are any', () => {
  const both = adviceLines(context, { comparisons: [replicas, jobs], leftOut: 0 }, false);
  expect(both[0]).toMatch(/JOBS$/);
  expect(both[2]).toMatch(/^Job\/resize +ScaledJob\/resize +60\.0 s +2 +5 .* 2 → 5$/);
  expect(both.at(-1)).toContain('Jobs made');
  const alone = adviceLines(context, { comparisons: [replicas], leftOut: 0 }, false).join('\n');
  expect(alone).not.toMatch(/jobs/i);
});

test('one of a ScaledJob says what runs, what was made and what was missing', () => {
  const text = adviceLines(context, { comparisons: [jobs], leftOut: 0 }, true).join('\n');
  expect(text).toContain('made            2 → 5 Jobs');
  expect(text).toContain('short           20 → 0.0 fewer running');
  expect(text).toContain('2 Jobs, 1 of them with a pod that runs');
});
