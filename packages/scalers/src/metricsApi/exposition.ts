import { SettingFault } from '../contract/parameter.ts';
import { SourceError } from '../contract/errors.ts';

/** A metric and labels it must have. */
export interface MetricSelector {
  name: string;
  labels: readonly (readonly [string, string])[];
}

const quoted = '"((?:[^"\\\\]|\\\\.)*)"';

/** Reads `metric{label="x",other="y"}` or `{"metric.name",label="x"}`. Throws `SettingFault`. */
export function parseSelector(text: string): MetricSelector {
  const [, plain = '', , inner = ''] = /^\s*([^\s{}"]*)\s*(\{(.*)\})?\s*$/s.exec(text) ?? [undefined, '', '', ''];
  let name = plain;
  const labels: (readonly [string, string])[] = [];
  const part = new RegExp(`\\s*(?:${quoted}|([^\\s"{}=!~,]+))\\s*(?:(=~|!~|!=|=)\\s*${quoted}\\s*)?(,|$)`, 'sy');
  let end = 0;
  while (end < inner.length) {
    const match = part.exec(inner);
    if (!match) throw new SettingFault('must be a metric such as jobs_waiting{queue="a"}');
    const [, quotedKey, plainKey, operator, value = ''] = match;
    end = part.lastIndex;
    const key = quotedKey === undefined ? (plainKey ?? '') : unescaped(quotedKey);
    if (operator === undefined) name ||= key;
    else if (operator !== '=') throw new SettingFault(`can only compare labels with =, not with ${operator}`);
    else if (key === '__name__') name ||= unescaped(value);
    else labels.push([key, unescaped(value)]);
  }
  if (name === '') throw new SettingFault('must name a metric, such as jobs_waiting{queue="a"}');
  return { name, labels };
}

/**
 * Value of the first sample of a metric that has the labels, in Prometheus' text format
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). Throws `SourceError`.
 */
export function sampleValue(text: string, selector: MetricSelector, location: string): number {
  for (const line of text.split(/\r?\n/)) {
    const sample = parseSample(line, selector.name);
    if (!sample) continue;
    if (!selector.labels.every(([name, value]) => sample.labels.get(name) === value)) continue;
    return sample.value;
  }
  throw new SourceError('not-found', `the answer has no sample ${location}`);
}

interface Sample {
  labels: ReadonlyMap<string, string>;
  value: number;
}

/** Null: another metric, a comment or nothing. */
function parseSample(line: string, name: string): Sample | null {
  const trimmed = line.trim();
  if (trimmed === '' || trimmed.startsWith('#')) return null;
  const isPlain = trimmed.startsWith(name) && /^[\s{]/.test(trimmed.slice(name.length));
  if (!isPlain && !trimmed.startsWith('{')) return null;
  const labels = new Map<string, string>();
  let rest = isPlain ? trimmed.slice(name.length).trimStart() : trimmed;
  let found = isPlain ? name : '';
  if (rest.startsWith('{')) {
    const part = new RegExp(`[\\s,]*(?:${quoted}|([^\\s"{}=,]+))\\s*(?:=\\s*${quoted})?`, 'sy');
    part.lastIndex = 1;
    let end = 1;
    for (let match = part.exec(rest); match; match = part.exec(rest)) {
      const [, quotedKey, plainKey, value] = match;
      const key = quotedKey === undefined ? (plainKey ?? '') : unescaped(quotedKey);
      if (value === undefined) found ||= key;
      else labels.set(key, unescaped(value));
      end = part.lastIndex;
    }
    const closing = /^[\s,]*\}/.exec(rest.slice(end));
    if (!closing)
      throw new SourceError(
        'bad-answer',
        `a line of the answer is not in Prometheus' text format: ${trimmed.slice(0, 80)}`,
      );
    rest = rest.slice(end + closing[0].length);
  }
  if (found !== name) return null;
  const word = rest.trim().split(/\s+/)[0] ?? '';
  const value = floatOf(word);
  if (value === null) throw new SourceError('bad-answer', `the value of ${name} is no number: ${word.slice(0, 40)}`);
  return { labels, value };
}

function floatOf(word: string): number | null {
  const [, sign, special] = /^([+-]?)(nan|inf|infinity)$/i.exec(word) ?? [];
  if (special) return special.toLowerCase() === 'nan' ? Number.NaN : sign === '-' ? -Infinity : Infinity;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(word) ? Number(word) : null;
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/gs, (_, character: string) => (character === 'n' ? '\n' : character));
}
