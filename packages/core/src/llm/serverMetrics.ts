import type { LlmServer, LlmSignal } from '@ebb/documents';

/** A metric and labels that its samples must have. */
export interface MetricName {
  name: string;
  labels?: Readonly<Record<string, string>>;
}

/** Where a signal is on a page. What has several series (models, ranks, engines) is added up, or the largest taken. */
export type SignalSource =
  /** A histogram of times in this many milliseconds a unit. */
  | { kind: 'histogram'; name: string; unitMs: number }
  /** Means that add up to the signal: the sum of each over its count. */
  | { kind: 'means'; parts: readonly { sum: MetricName; count: MetricName; unitMs: number }[] }
  | { kind: 'gauge'; metric: MetricName; combine: 'sum' | 'largest' }
  /** What a counter rises by in a second, times `scale`. */
  | { kind: 'rate'; metric: MetricName; scale: number };

/** The metrics of one server. */
export interface LlmServerMetrics {
  server: LlmServer;
  /** A page with a metric that begins so is this server's. */
  prefixes: readonly string[];
  /** Names have changed over versions: the first source that the page has is read. */
  signals: Partial<Record<LlmSignal, readonly SignalSource[]>>;
}

export const secondsMs = 1000;

export const sumOf = (name: string): SignalSource => ({ kind: 'gauge', metric: { name }, combine: 'sum' });
export const largestOf = (name: string): SignalSource => ({ kind: 'gauge', metric: { name }, combine: 'largest' });
export const rateOf = (name: string, scale = 1): SignalSource => ({ kind: 'rate', metric: { name }, scale });
export const timesOf = (name: string, unitMs = secondsMs): SignalSource => ({ kind: 'histogram', name, unitMs });
