import { type LlmServer, type LlmSignal, llmSignals } from '@ebb/documents';
import { type MetricPage, type MetricSample, readMetricPage } from './prometheusText.ts';
import type { LlmServerMetrics, MetricName, SignalSource } from './serverMetrics.ts';
import { llmServerMetrics, readMetricNames, serverOfPage } from './servers/registry.ts';
import type { Timing } from './timing.ts';

/** What one scrape says of a signal: a value now, a count that rises, or times so far. */
export type Measure =
  | { kind: 'value'; value: number }
  | { kind: 'count'; total: number; scale: number }
  /** Their means add up; a histogram is a single one. */
  | { kind: 'times'; parts: readonly Timing[] };

export interface Scrape {
  server: LlmServer;
  /** Only what the page has. */
  measures: Partial<Record<LlmSignal, Measure>>;
}

/**
 * What a page of metrics says of each signal. Series of several models or engines are taken together.
 *
 * @throws Error with a sentence for a person when the page is of no known server, or not of the one that is named.
 */
export function readScrape(text: string, server: LlmServer | 'auto'): Scrape {
  const metrics = serverOf(text, server);
  const page = readMetricPage(text, (name) => readMetricNames.has(name));
  const measures: Scrape['measures'] = {};
  for (const signal of llmSignals) {
    for (const source of metrics.signals[signal] ?? []) {
      const measure = measureOf(page, source);
      if (measure === null) continue;
      measures[signal] = measure;
      break;
    }
  }
  return { server: metrics.server, measures };
}

function serverOf(text: string, server: LlmServer | 'auto'): LlmServerMetrics {
  const found = serverOfPage(text);
  if (server === 'auto') {
    if (found) return found;
    const names = Object.keys(llmServerMetrics).join(', ');
    throw new Error(`the page has no metric of a known server (${names})`);
  }
  const named = llmServerMetrics[server];
  if (named.prefixes.some((prefix) => text.startsWith(prefix) || text.includes(`\n${prefix}`))) return named;
  const what = found ? `it is a page of ${found.server}` : `none begins with ${named.prefixes.join(' or ')}`;
  throw new Error(`the page has no metric of ${server}: ${what}`);
}

function measureOf(page: MetricPage, source: SignalSource): Measure | null {
  switch (source.kind) {
    case 'gauge': {
      const values = finite(page, source.metric);
      if (values.length === 0) return null;
      return { kind: 'value', value: source.combine === 'sum' ? total(values) : Math.max(...values) };
    }
    case 'rate': {
      const values = finite(page, source.metric);
      return values.length === 0 ? null : { kind: 'count', total: total(values), scale: source.scale };
    }
    case 'means': {
      const parts: Timing[] = [];
      for (const { sum, count, unitMs } of source.parts) {
        const sums = finite(page, sum);
        const counts = finite(page, count);
        if (sums.length === 0 || counts.length === 0) return null;
        parts.push({ sumMs: total(sums) * unitMs, count: total(counts), buckets: null });
      }
      return { kind: 'times', parts };
    }
    case 'histogram': {
      const timing = histogramOf(page, source.name, source.unitMs);
      return timing && { kind: 'times', parts: [timing] };
    }
  }
}

function histogramOf(page: MetricPage, name: string, unitMs: number): Timing | null {
  const sums = finite(page, { name: `${name}_sum` });
  const counts = finite(page, { name: `${name}_count` });
  if (sums.length === 0 || counts.length === 0) return null;
  const byBound = new Map<number, number>();
  for (const sample of page.get(`${name}_bucket`) ?? []) {
    const leMs = boundOf(sample) * unitMs;
    if (!Number.isNaN(leMs) && Number.isFinite(sample.value)) {
      byBound.set(leMs, (byBound.get(leMs) ?? 0) + sample.value);
    }
  }
  const buckets = [...byBound].map(([leMs, count]) => ({ leMs, count })).sort((a, b) => a.leMs - b.leMs);
  const isWhole = buckets.at(-1)?.leMs === Number.POSITIVE_INFINITY;
  return { sumMs: total(sums) * unitMs, count: total(counts), buckets: isWhole ? buckets : null };
}

function boundOf({ labels }: MetricSample): number {
  const le = labels.get('le') ?? '';
  if (/^\+?Inf$/.test(le)) return Number.POSITIVE_INFINITY;
  return le === '' ? Number.NaN : Number(le);
}

/** NaN and infinities are what a server says when it does not know. */
function finite(page: MetricPage, { name, labels = {} }: MetricName): number[] {
  const wanted = Object.entries(labels);
  const samples = page.get(name) ?? [];
  return samples
    .filter((sample) => wanted.every(([label, value]) => sample.labels.get(label) === value))
    .map(({ value }) => value)
    .filter(Number.isFinite);
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
