import { type Trace, TraceError } from '../contract/trace.ts';
import { Counts } from './countTrace.ts';
import { RowError } from './layout.ts';
import { layoutOf } from './layouts.ts';
import { checkOptions, defaultSeed, type TraceOptions } from './options.ts';
import { requestTrace } from './requestTrace.ts';
import { feedRows } from './rows.ts';
import { lineBatches, openSource, type TraceInput, type TraceSource } from './source.ts';
import { WorkloadNames } from './workloadNames.ts';

/**
 * Reads a recorded load; the first line tells the layout, and gzip is told by its first bytes. Rows are checked once now.
 * Requests of a counted bucket are made when the blocks are asked for, so memory does not grow with their number.
 *
 * @throws TraceError with the line of the first bad row, RangeError for an option out of its range.
 */
export async function readTrace(input: TraceInput, options: TraceOptions = {}): Promise<Trace> {
  checkOptions(options);
  const source = await openSource(input);
  const { text, line } = await firstLineOf(source);
  try {
    const layout = layoutOf(text);
    const description = `${source.file} (${layout.title})${describe(options)}`;
    if (layout.arrivals === 'recorded')
      return await requestTrace(layout, source, { name: source.name, description }, options);
    const names = new WorkloadNames(options.rename, source.name);
    const counts = new Counts(names);
    const rows = feedRows(source.file, (firstLine) => layout.read(firstLine, counts, options));
    for await (const lines of lineBatches(source)) rows.take(lines);
    rows.end();
    if (counts.size === 0) throw new RowError('has no requests', true);
    const notes = [`counts spread over their buckets with seed ${options.seed ?? defaultSeed}`, ...counts.notes];
    return counts.toTrace({ name: source.name, description: `${description}; ${notes.join('; ')}` }, options);
  } catch (error) {
    if (error instanceof RowError) throw new TraceError(source.file, error.whole ? 0 : line, error.message);
    throw error;
  }
}

async function firstLineOf(source: TraceSource): Promise<{ text: string; line: number }> {
  let line = 0;
  for await (const lines of lineBatches(source)) {
    for (const text of lines) {
      line++;
      if (text.trim() !== '') return { text, line };
    }
  }
  throw new TraceError(source.file, 0, 'is empty');
}

function describe({ window, firstSeconds, every = 1, workloads = {} }: TraceOptions): string {
  const parts: string[] = [];
  if (window) parts.push(`from ${window.fromSeconds} to ${window.toSeconds} s`);
  else if (firstSeconds !== undefined) parts.push(`first ${firstSeconds} s`);
  const { leastRequests, mostRequests, first } = workloads;
  if (leastRequests !== undefined || mostRequests !== undefined) {
    parts.push(`workloads with ${leastRequests ?? 0} to ${mostRequests ?? 'any number of'} requests`);
  }
  if (first !== undefined) parts.push(`first ${first} workloads by name`);
  if (every > 1) parts.push(`one request of ${every}`);
  return parts.map((part) => `, ${part}`).join('');
}
