/** One line of a page: its labels and its number, which may be NaN or infinite. */
export interface MetricSample {
  labels: ReadonlyMap<string, string>;
  value: number;
}

/** Samples by metric name; names that were not asked for are left out. */
export type MetricPage = ReadonlyMap<string, readonly MetricSample[]>;

/** A page that is not in Prometheus' text format. */
export class MetricPageError extends Error {}

/**
 * The samples of the wanted metrics in Prometheus' text format
 * (https://prometheus.io/docs/instrumenting/exposition_formats/), which OpenMetrics shares for what is read here.
 * Pages of servers have thousands of lines: those of other metrics are passed over by their names alone.
 *
 * @throws MetricPageError when a line of a wanted metric cannot be read.
 */
export function readMetricPage(text: string, wanted: (name: string) => boolean): MetricPage {
  const page = new Map<string, MetricSample[]>();
  let start = 0;
  while (start < text.length) {
    let end = text.indexOf('\n', start);
    if (end < 0) end = text.length;
    const nameEnd = endOfName(text, start, end);
    const name = text.slice(start, nameEnd);
    if (nameEnd > start && wanted(name)) {
      const sample = sampleOf(text.slice(nameEnd, end), name);
      const known = page.get(name);
      if (known) known.push(sample);
      else page.set(name, [sample]);
    }
    start = end + 1;
  }
  return page;
}

/** A name ends at a brace or at space; a comment has none. */
function endOfName(text: string, start: number, end: number): number {
  if (text[start] === '#') return start;
  let at = start;
  while (at < end) {
    const character = text[at];
    if (character === '{' || character === ' ' || character === '\t' || character === '\r') break;
    at++;
  }
  return at;
}

function sampleOf(rest: string, name: string): MetricSample {
  const labels = new Map<string, string>();
  let value = rest.trim();
  if (value.startsWith('{')) {
    const label = /\s*([A-Za-z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*,?/y;
    let end = 1;
    label.lastIndex = end;
    for (let match = label.exec(value); match; match = label.exec(value)) {
      labels.set(match[1] ?? '', unescaped(match[2] ?? ''));
      end = label.lastIndex;
    }
    const closing = /^\s*\}/.exec(value.slice(end));
    if (!closing) throw new MetricPageError(`the labels of ${name} cannot be read: ${value.slice(0, 80)}`);
    value = value.slice(end + closing[0].length).trim();
  }
  // What may follow is a time of its own, or an exemplar.
  const word = value.split(/\s/, 1)[0] ?? '';
  const number = numberOf(word);
  if (number === null) throw new MetricPageError(`the value of ${name} is no number: "${word.slice(0, 40)}"`);
  return { labels, value: number };
}

/** A number as Go and Prometheus write it. */
export function numberOf(word: string): number | null {
  const [, sign, special] = /^([+-]?)(nan|inf|infinity)$/i.exec(word) ?? [];
  if (special) return special.toLowerCase() === 'nan' ? Number.NaN : sign === '-' ? -Infinity : Infinity;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(word) ? Number(word) : null;
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character));
}
