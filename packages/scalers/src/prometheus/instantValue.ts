import { SourceError } from '../contract/errors.ts';

/** The one value of an answer, or why there is none that could be used. */
export type InstantValue = { value: number; missing?: undefined } | { missing: string };

/**
 * The value of an answer of `/api/v1/query` (https://prometheus.io/docs/prometheus/latest/querying/api/). Several series
 * and what is not such an answer throw `SourceError`.
 */
export function instantValue(text: string, where: string): InstantValue {
  const data = dataOf(text, where);
  const result = data.result;
  if (data.resultType === 'scalar') return valueOf(result, where);
  if (data.resultType === 'string') {
    throw new SourceError('bad-setting', `${where}: the query gives a text instead of a number`);
  }
  if (!Array.isArray(result)) throw notAnAnswer(where);
  if (result.length === 0) return { missing: 'the query gives no series' };
  if (result.length > 1) {
    throw new SourceError(
      'bad-setting',
      `${where}: the query gives ${result.length} series and must give one, such as sum(…)`,
    );
  }
  const series: unknown = result[0];
  if (typeof series !== 'object' || series === null) throw notAnAnswer(where);
  if ('value' in series) return valueOf(series.value, where);
  const kind = data.resultType === 'matrix' ? 'a range of values (is there a [2m] without rate?)' : 'a histogram';
  return { missing: `the query gives ${kind} instead of a number` };
}

function valueOf(pair: unknown, where: string): InstantValue {
  const text: unknown = Array.isArray(pair) ? pair[1] : undefined;
  if (typeof text !== 'string') throw notAnAnswer(where);
  const value = text === '+Inf' ? Number.POSITIVE_INFINITY : text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text);
  if (Number.isFinite(value)) return { value };
  if (/^(NaN|[+-]Inf)$/.test(text)) return { missing: `the query gives ${text}` };
  throw notAnAnswer(where);
}

function dataOf(text: string, where: string): { resultType: unknown; result: unknown } {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw notAnAnswer(where);
  }
  const data = typeof body === 'object' && body !== null && 'data' in body ? body.data : undefined;
  if (typeof data !== 'object' || data === null || !('result' in data)) throw notAnAnswer(where);
  return { resultType: 'resultType' in data ? data.resultType : 'vector', result: data.result };
}

function notAnAnswer(where: string): SourceError {
  return new SourceError('bad-answer', `${where}: this is not the answer of Prometheus to a query`);
}
