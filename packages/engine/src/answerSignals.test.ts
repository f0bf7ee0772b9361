import { expect, it } from 'vitest';
import { type AnswerSpan, answerMean, nothingAnswered } from './answerSignals.ts';

const span = (requests: number, responseMs: number, waitMs: number, more: Partial<AnswerSpan> = {}): AnswerSpan => ({
  before: { requests: 10, responseUs: 5000, waitUs: 3000 },
  now: { requests: 10 + requests, responseUs: 5000 + responseMs * 1000, waitUs: 3000 + waitMs * 1000 },
  spanUs: 2_000_000,
  oldestHeldUs: null,
  atMs: 7000,
  ...more,
});

it('is the mean over what was answered since, over all gateways', () => {
  const spans = [span(4, 800, 40), span(1, 700, 10, { atMs: 6000 })];
  expect(answerMean(spans, 'responseTime')).toEqual({ value: 300, peak: null, spanMs: 2000, atMs: 7000 });
  expect(answerMean(spans, 'queueWait')?.value).toBe(10);
  expect(answerMean(spans, 'throughput')?.value).toBe(2.5);
});

it('takes no answer for no reading, but counts those who wait', () => {
  const silent = [span(0, 0, 0)];
  expect(answerMean(silent, 'responseTime')).toBeNull();
  expect(answerMean(silent, 'queueWait')).toBeNull();
  expect(answerMean(silent, 'throughput')?.value).toBe(0);
  expect(answerMean([span(0, 0, 0, { oldestHeldUs: 1_500_000 })], 'queueWait')?.value).toBe(1500);
  expect(answerMean([{ ...span(0, 0, 0), now: nothingAnswered }], 'responseTime')).toBeNull();
  expect(answerMean([span(5, 9, 9, { spanUs: 0 })], 'throughput')).toBeNull();
});
