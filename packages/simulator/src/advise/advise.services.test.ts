import { expect, test } from 'vitest';
import { comparableModel } from '../contract/model.ts';
import { onOff } from '../generators/onOff.ts';
import { poisson } from '../generators/poisson.ts';
import { comparableWorkload } from '../policies/comparableWorkload.ts';
import { policyDocuments } from '../policies/registry.ts';
import { traceOf } from '../run/simulate.fixture.ts';
import type { AdviseOptions } from './advice.ts';
import { advise } from './advise.ts';
import { blocksOf, blockSums, bootstrap } from './blocks.ts';
import { loadFacts } from './facts.ts';
import { adviceSentences } from './sentences.ts';

const model = { ...comparableModel(20_000), onTimeShare: 0.95 };
const workload = comparableWorkload('model', model);
const settings = { model, maxReplicas: 50 };
const hour = 3600;

function options(more: Partial<AdviseOptions>): AdviseOptions {
  const trace = { trace: traceOf([{ atUs: 0, tokens: 1 }]) };
  return {
    trace,
    base: { workload, settings },
    present: null,
    model,
    seed: 1,
    price: 1_200_000,
    threads: 2,
    startReplicas: 'first-minute-mean',
    ...more,
  };
}

test('on for ten minutes, off for one hour: to zero, with what it saves and how much the parts differ', async () => {
  const trace = onOff({ seed: 3, spanSeconds: 4 * hour, ratePerSecond: 0.5, onSeconds: 600, offSeconds: hour });
  const advice = await advise(options({ trace: { trace } }));
  expect(advice.verdict).toBe('scale-to-zero');
  expect(advice.whyNotZero).toBeNull();
  expect(advice.chosen.qualifies).toBe(true);
  expect(advice.chosen.minReplicas).toBe(0);
  expect(advice.facts.idleShare).toBeGreaterThan(0.5);
  expect(advice.alwaysOn.minReplicas).toBe(advice.staticPeak);
  // All the time at 1.20 an hour, 730 hours a month.
  expect(advice.alwaysOn.microAMonth).toBeCloseTo(advice.staticPeak * 1_200_000 * 730, -5);
  const { value, spread } = advice.savesAgainstAlwaysOn;
  expect(value).toBeCloseTo((advice.alwaysOn.microAMonth ?? 0) - (advice.chosen.microAMonth ?? 0), -6);
  expect(spread?.low).toBeLessThan(value);
  expect(spread?.high).toBeGreaterThan(value);
  expect(advice.confidence).toBeGreaterThan(0);
  expect(advice.scaling).toMatchObject({ minReplicas: 0 });
  const words = adviceSentences(advice);
  expect(words.headline).toMatch(
    /^Scale to zero: \d+ % of the time nobody is here; keep a replica \w+ after it was last needed; saves about \$[\d,.]+ \(±[\d,.]+\) a month against 1 replica that always runs; [\d.]+ % of the requests wait longer than 5/,
  );
  expect(JSON.stringify(words)).not.toMatch(/NaN|undefined|Infinity/);
  // The same again, whatever the number of threads.
  expect(await advise(options({ trace: { trace }, threads: 1 }))).toEqual(advice);
});

test('steady: not to zero, because there is always somebody here', async () => {
  const trace = poisson({ seed: 1, spanSeconds: hour / 2, ratePerSecond: 2 });
  const advice = await advise(options({ trace: { trace } }));
  expect(advice.verdict).not.toBe('scale-to-zero');
  expect(adviceSentences(advice).headline).toMatch(
    /^Not worth it to scale to zero: (there is always somebody here|gaps are shorter than the cold start)/,
  );
});

test('gaps that are shorter than the cold start are named with both lengths', async () => {
  const rows = Array.from({ length: 240 }, (_, index) => ({ atUs: index * 10e6, tokens: 40 }));
  const advice = await advise(options({ trace: { trace: traceOf(rows) }, price: null }));
  expect(advice.whyNotZero).toBe('short-gaps');
  expect(advice.unit).toBe('hours');
  const { headline, money } = adviceSentences(advice);
  expect(headline).toMatch(/gaps are shorter than the cold start \(median gap 9\S* s, start 20 s\)/);
  expect(money.join()).toContain('730 replica-hours a month');
});

test('too many late requests keep a replica, and the price of that is said; the documents stand beside', async () => {
  // One request at a time, ten minutes apart: every one would be late.
  const rows = Array.from({ length: 24 }, (_, index) => ({ atUs: (index * 600 + 5) * 1e6, tokens: 40 }));
  const present = policyDocuments('keepalive:1m', workload, settings);
  const advice = await advise(options({ trace: { trace: traceOf(rows) }, present, startReplicas: 0 }));
  expect(advice.verdict).not.toBe('scale-to-zero');
  expect(advice.whyNotZero).toBe('too-late');
  expect(advice.present?.qualifies).toBe(false);
  expect(advice.savesAgainstPresent?.value).toBeLessThan(0);
  const { headline, money } = adviceSentences(advice);
  expect(headline).toMatch(
    /^Do not scale to zero: it would save another \$[\d,.]+ a month, but [\d.]+ % of the requests would wait longer than 5\S* s \(promised: at most 5 %\); /,
  );
  expect(money.join()).toMatch(/Your document costs .*; the advice costs .* more; .* more than promised/);
});

test('a document that is as good as the best is left as it is', async () => {
  const trace = onOff({ seed: 3, spanSeconds: 4 * hour, ratePerSecond: 0.5, onSeconds: 600, offSeconds: hour });
  const first = await advise(options({ trace: { trace } }));
  const present = policyDocuments(first.chosen.policy, workload, settings);
  const advice = await advise(options({ trace: { trace }, present }));
  expect(advice.chosen).toEqual(advice.present);
  expect(advice.scaling).toBeNull();
  expect(adviceSentences(advice).headline).toContain('your document does it well as it is');
});

test('facts: gaps are from the end of service to the next request, by workload', async () => {
  const rows = [
    { atUs: 10e6, tokens: 90 },
    { atUs: 11e6, tokens: 40 },
    { atUs: 42e6, tokens: 40 },
    { atUs: 100e6, tokens: 0 },
  ];
  // 0.2 s and 0.02 s a token: served until 12, 12, 43 and 100.2 s.
  const service = (_: number, tokens: number | null) => 200_000 + 20_000 * (tokens ?? 0);
  const facts = await loadFacts(traceOf(rows), service, [20_000, 50_000]);
  expect(facts.requests).toBe(4);
  expect(facts.gaps.count).toBe(3);
  expect(facts.idleShare).toBeCloseTo((10 + 30 + 57) / 100, 6);
  expect(facts.idleShareLonger.map(({ share }) => Math.round(share * 100))).toEqual([87, 57]);
  expect(facts.gaps.p50Ms / 1000).toBeCloseTo(30, 0);
  expect(facts.gaps.mostMs).toBe(57_000);
  expect(facts.longerGaps).toBeCloseTo(2 / 3, 9);
  expect(facts.requestsPerDay).toBeCloseTo(4 * 864, 6);
  // Two workloads: 10 s, 30 s and 57 s (to the end) of the one, 11 s and 88 s of the other.
  const two = rows.map((row, index) => ({ ...row, workload: index % 2 }));
  expect((await loadFacts(traceOf(two, ['a', 'b']), service, [20_000])).idleShare).toBeCloseTo(196 / 200, 6);
});

test('blocks: days where there are three, else parts of at least ten minutes; the spread of equal blocks is none', () => {
  const day = 86_400_000;
  expect(blocksOf(7 * day)).toEqual({ count: 7, ms: day, areDays: true });
  expect(blocksOf(56 * day)).toEqual({ count: 28, ms: 2 * day, areDays: false });
  expect(blocksOf(6 * 3_600_000)).toMatchObject({ count: 12, areDays: false });
  expect(blocksOf(60_000).count).toBe(1);
  expect(blockSums(new Float64Array([1, 1, 2, 2]), 500, 1000, 2)).toEqual([1, 2]);
  expect(bootstrap(5, 1, (picked) => picked.length)).toEqual({ low: 5, high: 5 });
  const mean = (values: readonly number[]) => (picked: readonly number[]) =>
    picked.reduce((sum, index) => sum + (values[index] ?? 0), 0) / picked.length;
  const { low, high } = bootstrap(10, 1, mean([0, 0, 0, 0, 0, 10, 10, 10, 10, 10]));
  // A binomial of ten: 2 to 8 in 9 of 10 draws.
  expect(low).toBeCloseTo(2, 0);
  expect(high).toBeCloseTo(8, 0);
});
