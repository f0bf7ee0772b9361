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
  /** Before each question: which of how many. */
  onPart?: (part: number, parts: number) => void;
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
  const found = new Map<string, Series & { points: (readonly [number, number])[] }>();
  const partSeconds = (mostPoints - 1) * stepSeconds;
  const parts = Math.floor((toSeconds - fromSeconds) / (partSeconds + stepSeconds)) + 1;
  for (let part = 0; part < parts; part++) {
    options.onPart?.(part + 1, parts);
    const from = fromSeconds + part * (partSeconds + stepSeconds);
    const to = Math.min(toSeconds, from + partSeconds);
    for (const { labels, points } of await ask(
      url,
      { query, start: `${from}`, end: `${to}`, step: `${stepSeconds}` },
      options,
    )) {
      const key = JSON.stringify(Object.entries(labels).sort(([left], [right]) => (left < right ? -1 : 1)));
      const known = found.get(key);
      if (known) known.points.push(...points);
      else found.set(key, { labels, points: [...points] });
    }
  }
  const counts = new Counts(new WorkloadNames(options.rename, 'prometheus'));
  try {
    if (found.size === 0) throw new RowError('no series: the query found nothing in this range', true);
    countSeries([...found.values()], counts, { ...options, bucketSeconds: stepSeconds });
    if (counts.size === 0) throw new RowError(`all values are ${valuesText([...found.values()])}: no requests`, true);
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
  let statusText: string;
  let text: string;
  try {
    const response = await fetch(`${root.href.replace(/\/+$/, '')}/api/v1/query_range`, {
      method: 'POST',
      body: new URLSearchParams(parameters),
      headers: { ...login, ...headers },
      signal: AbortSignal.any(signals),
    });
    ({ status, statusText } = response);
    text = await response.text();
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
    throw new TraceError(
      where,
      0,
      `cannot be asked: ${error instanceof Error ? error.message : String(error)}${cause}`,
    );
  }
  // A proxy that wants a login, or one that has nothing behind it, does not answer in JSON.
  if (status >= 300 && !text.trimStart().startsWith('{')) {
    throw new TraceError(where, 0, `answered ${status} ${statusText}`.trimEnd());
  }
  try {
    return readMatrix(text);
  } catch (error) {
    if (error instanceof RowError) throw new TraceError(where, 0, `answered ${status}: ${error.message}`);
    throw error;
  }
}

function valuesText(series: readonly Series[]): string {
  const values = series.flatMap(({ points }) => points.map(([, value]) => value));
  if (values.every((value) => Number.isNaN(value))) return 'NaN (0 divided by 0?)';
  return values.some((value) => Number.isNaN(value)) ? '0 or NaN' : '0, or too small for a request in all that time';
}

function withoutSecrets(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname === '/' ? '' : pathname}`;
}
