import { expect, test } from 'vitest';
import { coldStartStages } from '../live/coldStartText.ts';
import { coldStart, workloadStatus } from '../live/status.fixture.ts';
import { type DemoFacts, summarize, summaryRows } from './summary.ts';

const picture = { name: 'parrot.png', bytes: Buffer.alloc(0), contentType: 'image/png', width: 64, height: 64 };
const answer = { picture, problem: null, latencyMs: 120, width: 256, height: 256, bytes: 9_000 };

function facts(changes: Partial<DemoFacts> = {}): DemoFacts {
  return {
    workload: 'upscaler',
    answers: [{ ...answer, latencyMs: 742.4 }, answer, { ...answer, latencyMs: 310 }],
    coldStart: coldStartStages(coldStart),
    replicaPeak: 3,
    peakRatePerHourMicro: 210_000,
    starts: 3,
    cost: workloadStatus().cost,
    backToZero: true,
    backToZeroMs: 17_200,
    leftRunning: [],
    launch: { startedAtMs: 0, installMs: 12_000, buildMs: 1_100 },
    readyMs: 14_000,
    firstAnswerMs: 15_000,
    totalMs: 40_000,
    ...changes,
  };
}

test('all went right', () => {
  const summary = summarize(facts());
  expect(summary.ok).toBe(true);
  expect(summary.requests).toEqual({ sent: 3, answered: 3, failed: 0, problems: [] });
  expect(summary.latencyMs).toEqual({ first: 742, median: 310, slowest: 742 });
  expect(summary.coldStartMs).toEqual({ spawn: 3.1, load: 612, ready: 0.31, ebb: 3.83, total: 615.83 });
  const text = summaryRows(summary).map(({ label, text }) => `${label.padEnd(12)} ${text}`);
  expect(`\n${text.join('\n')}\n`).toMatchSnapshot();
});

test.each<[string, Partial<DemoFacts>]>([
  ['an answer was wrong', { answers: [answer, { ...answer, problem: 'status 503: full' }] }],
  ['nothing was answered', { answers: [] }],
  ['it did not go back to zero', { backToZero: false, backToZeroMs: null }],
  ['a process is left', { leftRunning: [4711] }],
  ['no replica was ever ready', { replicaPeak: 0 }],
])('not right when %s', (_, changes) => {
  const summary = summarize(facts(changes));
  expect(summary.ok).toBe(false);
  expect(JSON.parse(JSON.stringify(summary))).toEqual(summary);
});

test('problems are named once each', () => {
  const wrong = { ...answer, problem: 'status 503: full' };
  expect(summarize(facts({ answers: [wrong, wrong] })).requests.problems).toEqual(['parrot.png: status 503: full']);
});
