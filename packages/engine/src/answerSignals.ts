import type { DispatchCounts, Reading } from '@ebb/core';

/** Signals of what callers felt and replicas did, beside the demand itself; read by the policy `slo`. */
export type AnswerSignal = 'responseTime' | 'queueWait' | 'throughput';

export type Answered = NonNullable<DispatchCounts['classes'][string]['answered']>;

export const nothingAnswered: Answered = { requests: 0, responseUs: 0, waitUs: 0 };

/** What one gateway counted of a class since the last reading. */
export interface AnswerSpan {
  before: Answered;
  now: Answered;
  spanUs: number;
  /** Age of the oldest request that is held now, microseconds; null: none is. */
  oldestHeldUs: number | null;
  atMs: number;
}

/**
 * The mean of a signal over the spans: milliseconds from arrival to the end of the answer, milliseconds before a
 * replica took it (at least the age of the oldest that still waits), or answers a second. Null where nothing says
 * anything: no answer is not a fast answer.
 */
export function answerMean(
  spans: readonly AnswerSpan[],
  signal: AnswerSignal,
): Pick<Reading, 'value' | 'peak' | 'spanMs' | 'atMs'> | null {
  const measured = spans.filter((span) => span.spanUs > 0);
  if (measured.length === 0) return null;
  const spanMs = Math.max(...measured.map((span) => Math.round(span.spanUs / 1000)));
  const atMs = Math.max(...measured.map((span) => span.atMs));
  const reading = (value: number) => ({ value: Math.round(value * 1000) / 1000, peak: null, spanMs, atMs });
  const sum = (pick: (answered: Answered) => number) =>
    measured.reduce((total, span) => total + Math.max(0, pick(span.now) - pick(span.before)), 0);
  const requests = sum((answered) => answered.requests);
  if (signal === 'throughput') {
    return reading(
      measured.reduce((total, { now, before, spanUs }) => total + ((now.requests - before.requests) * 1e6) / spanUs, 0),
    );
  }
  if (signal === 'responseTime') {
    return requests === 0 ? null : reading(sum((answered) => answered.responseUs) / requests / 1000);
  }
  const oldestUs = Math.max(0, ...measured.map((span) => span.oldestHeldUs ?? 0));
  if (requests === 0 && oldestUs === 0) return null;
  const meanUs = requests === 0 ? 0 : sum((answered) => answered.waitUs) / requests;
  return reading(Math.max(meanUs, oldestUs) / 1000);
}
