import { shorten } from '../fields.ts';
import { type CountLayout, type CountSink, RowError } from '../layout.ts';
import type { TraceOptions } from '../options.ts';

/** An answer to a range query; of the size of 11,000 points for some hundred series. */
const mostCharacters = 256 * 1024 * 1024;

export interface Series {
  labels: Readonly<Record<string, string>>;
  /** Seconds since 1970 and value, times rising. */
  points: readonly (readonly [number, number])[];
}

/** The JSON that `/api/v1/query_range` answers with: one workload a series. */
export const prometheusMatrix: CountLayout = {
  title: 'Prometheus range query',
  header: '{"status":"success","data":{"resultType":"matrix","result":[…]}}',
  arrivals: 'spread',
  recognises: (firstLine) =>
    /^\s*\{\s*$/.test(firstLine) || (/^\s*\{/.test(firstLine) && /"(status|resultType)"/.test(firstLine.slice(0, 200))),
  read: (_firstLine, sink, options) => {
    const lines: string[] = [];
    let characters = 0;
    return {
      line: (text) => {
        characters += text.length;
        if (characters > mostCharacters) throw new RowError('the answer is longer than 256 MiB', true);
        lines.push(text);
      },
      end: () => countSeries(readMatrix(lines.join('\n')), sink, options),
    };
  },
};

/** @throws RowError where it is no matrix; what Prometheus itself says is wrong is repeated. */
export function readMatrix(text: string): Series[] {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch (error) {
    throw new RowError(`is not JSON: ${error instanceof Error ? error.message : String(error)}`, true);
  }
  const top = fieldsOf(answer);
  if (top.get('status') === 'error') throw new RowError(`Prometheus says: ${String(top.get('error'))}`, true);
  const data = top.has('data') ? fieldsOf(top.get('data')) : top;
  const type = data.get('resultType');
  const result = data.get('result');
  if (type !== 'matrix' || !Array.isArray(result)) {
    const found = type === undefined ? 'no resultType' : `resultType ${shorten(JSON.stringify(type))}`;
    throw new RowError(`has ${found}: expected a matrix, as a range query gives it`, true);
  }
  return result.map((one: unknown, index) => readSeries(fieldsOf(one), index));
}

function readSeries(fields: Map<string, unknown>, index: number): Series {
  const where = `series ${index + 1}`;
  const values = fields.get('values');
  if (!Array.isArray(values)) throw new RowError(`${where} has no values`, true);
  const labels = Object.fromEntries(
    [...fieldsOf(fields.get('metric') ?? {})].map(([name, value]) => [name, String(value)]),
  );
  let lastS = Number.NEGATIVE_INFINITY;
  const points = values.map((point: unknown, number): readonly [number, number] => {
    const [atS, text] = Array.isArray(point) ? (point as unknown[]) : [];
    const place = `${where}, value ${number + 1}`;
    if (typeof atS !== 'number' || typeof text !== 'string')
      throw new RowError(`${place}: expected [seconds, "value"]`, true);
    if (atS <= lastS) throw new RowError(`${place}: not after the one before`, true);
    lastS = atS;
    const value = text === 'NaN' ? Number.NaN : Number(text);
    if (text.trim() === '' || (Number.isNaN(value) && text !== 'NaN'))
      throw new RowError(`${place} is "${shorten(text)}": not a number`, true);
    if (value < 0 || value === Number.POSITIVE_INFINITY)
      throw new RowError(`${place} is ${text}: must be from 0 on and finite`, true);
    return [atS, value];
  });
  return { labels, points };
}

/** A value at t speaks of the step that ends at t. */
export function countSeries(
  series: readonly Series[],
  sink: CountSink,
  { bucketSeconds, values = 'rate' }: TraceOptions,
): void {
  const times = series.flatMap(({ points }) => points.map(([atS]) => atS));
  if (times.length === 0) throw new RowError('has no values', true);
  const firstS = times.reduce((least, atS) => Math.min(least, atS));
  const lastS = times.reduce((most, atS) => Math.max(most, atS));
  const stepMs = bucketSeconds === undefined ? commonStepMs(series) : Math.round(bucketSeconds * 1000);
  if (stepMs === 0) throw new RowError('a single moment does not say how long a step is: give bucketSeconds', true);
  sink.setBucketUs(stepMs * 1000);
  sink.setSpanUs((Math.round(((lastS - firstS) * 1000) / stepMs) + 1) * stepMs * 1000);
  let withoutValue = 0;
  for (const [index, name] of seriesNames(series.map(({ labels }) => labels)).entries()) {
    const workload = sink.workload(name);
    // What rounding leaves of a count goes to the next one, so that their sum is right.
    let rest = 0;
    const put = (step: number, requests: number) => {
      rest += requests;
      const count = Math.max(0, Math.round(rest));
      rest -= count;
      if (count > 0) sink.add(step * stepMs * 1000, workload, count);
    };
    let before: { step: number; value: number } | null = null;
    for (const [atS, value] of series[index]?.points ?? []) {
      const step = Math.round(((atS - firstS) * 1000) / stepMs);
      if (Number.isNaN(value)) withoutValue++;
      else if (values === 'counter') {
        const grown: number = before === null ? 0 : value >= before.value ? value - before.value : value;
        const from: number = before?.step ?? step;
        for (let one = from + 1; one <= step; one++) put(one, grown / (step - from));
        before = { step, value };
      } else put(step, values === 'rate' ? (value * stepMs) / 1000 : value);
    }
  }
  sink.note(
    `each value is taken as ${values === 'rate' ? 'requests a second over' : values === 'count' ? 'requests in' : 'a counter at the end of'} the step that ends at its moment`,
  );
  if (withoutValue > 0) sink.note(`${withoutValue} values were NaN and are taken as no request`);
}

function commonStepMs(series: readonly Series[]): number {
  let divisor = 0;
  const origin = series.find(({ points }) => points.length > 0)?.points[0]?.[0] ?? 0;
  for (const { points } of series) {
    for (const [atS] of points) {
      let [large, small] = [divisor, Math.abs(Math.round((atS - origin) * 1000))];
      while (small > 0) [large, small] = [small, large % small];
      divisor = large;
    }
  }
  return divisor;
}

/** The values of the labels in which the series differ; one series has no name of its own. */
function seriesNames(all: readonly Readonly<Record<string, string>>[]): string[] {
  if (all.length === 1) return [''];
  const labels = [...new Set(all.flatMap((one) => Object.keys(one)))].sort();
  const differing = labels.filter((label) => new Set(all.map((one) => one[label])).size > 1);
  return all.map((one) => differing.map((label) => one[label] ?? '').join('/'));
}

function fieldsOf(value: unknown): Map<string, unknown> {
  return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
}
