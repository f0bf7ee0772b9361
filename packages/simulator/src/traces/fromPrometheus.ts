import { type Trace, TraceError } from '../contract/trace.ts';
import { Counts } from './countTrace.ts';
import { RowError } from './layout.ts';
import { countSeries, readMatrix, type Series } from './layouts/prometheusMatrix.ts';
import { checkOptions, type TraceOptions } from './options.ts';
import { WorkloadNames } from './workloadNames.ts';

export interface PrometheusRange {
  /** Seconds since 1970. */
  fromSeconds: number;
  toSeconds: number;
}

export interface PrometheusOptions extends TraceOptions {
  headers?: Readonly<Record<string, string>>;
  signal?: AbortSignal;
}

/** Prometheus refuses more points a series in one answer. */
const mostPoints = 11_000;
const timeoutMs = 60_000;

/**
 * Asks a Prometheus for a rate (or count, or counter: `values`) of requests; one workload a series. `url` is its root, such as
 * http://127.0.0.1:9090. Long ranges are asked for in parts.
 *
 * @throws TraceError with what the server answered.
 */
export async function fromPrometheus(
  url: string,
  query: string,
  { fromSeconds, toSeconds }: PrometheusRange,
  stepSeconds: number,
  options: PrometheusOptions = {},
): Promise<Trace> {
  checkOptions(options);
  if (!(stepSeconds > 0) || !(toSeconds >= fromSeconds))
    throw new RangeError('the step must be more than 0 and the range must not end before it begins');
  const parts = new Map<string, Series & { points: (readonly [number, number])[] }>();
  const partSeconds = (mostPoints - 1) * stepSeconds;
  for (let from = fromSeconds; from <= toSeconds; from += partSeconds + stepSeconds) {
    const to = Math.min(toSeconds, from + partSeconds);
    for (const { labels, points } of await ask(
      url,
      { query, start: `${from}`, end: `${to}`, step: `${stepSeconds}` },
      options,
    )) {
      const key = JSON.stringify(Object.entries(labels).sort(([left], [right]) => (left < right ? -1 : 1)));
      const known = parts.get(key);
      if (known) known.points.push(...points);
      else parts.set(key, { labels, points: [...points] });
    }
  }
  const counts = new Counts(new WorkloadNames(options.rename, 'prometheus'));
  try {
    if (parts.size === 0) throw new RowError('no series: the query found nothing in this range', true);
    countSeries([...parts.values()], counts, { ...options, bucketSeconds: stepSeconds });
    if (counts.size === 0) throw new RowError('all values are 0: no requests', true);
  } catch (error) {
    if (error instanceof RowError) throw new TraceError(query, 0, error.message);
    throw error;
  }
  const description = `${query} of ${withoutSecrets(url)} from ${fromSeconds} to ${toSeconds}, step ${stepSeconds} s`;
  return counts.toTrace({ name: 'prometheus', description: [description, ...counts.notes].join('; ') }, options);
}

async function ask(
  url: string,
  parameters: Record<string, string>,
  { headers, signal }: PrometheusOptions,
): Promise<Series[]> {
  const where = withoutSecrets(url);
  const signals = [AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])];
  const root = new URL(url);
  const login: Record<string, string> =
    root.username === ''
      ? {}
      : { authorization: `Basic ${btoa(`${decodeURIComponent(root.username)}:${decodeURIComponent(root.password)}`)}` };
  root.username = '';
  root.password = '';
  let status: number;
  let text: string;
  try {
    const response = await fetch(`${root.href.replace(/\/+$/, '')}/api/v1/query_range`, {
      method: 'POST',
      body: new URLSearchParams(parameters),
      headers: { ...login, ...headers },
      signal: AbortSignal.any(signals),
    });
    status = response.status;
    text = await response.text();
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
    throw new TraceError(
      where,
      0,
      `cannot be asked: ${error instanceof Error ? error.message : String(error)}${cause}`,
    );
  }
  try {
    return readMatrix(text);
  } catch (error) {
    if (error instanceof RowError) throw new TraceError(where, 0, `answered ${status}: ${error.message}`);
    throw error;
  }
}

function withoutSecrets(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname === '/' ? '' : pathname}`;
}
