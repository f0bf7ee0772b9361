import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseDuration } from '@ebb/documents';
import type { TraceOptions, TraceToCompare } from '@ebb/simulator';
import type { EbbContext } from '../context.ts';
import { Failure } from '../failure.ts';
import { didYouMean } from '../suggest.ts';

export interface TraceFlags {
  trace?: readonly string[];
  first?: string;
  every?: number;
}

const optionNames = ['first', 'from', 'to', 'every', 'workloads', 'requests', 'bucket', 'service', 'span'];

/**
 * The traces that the flags name. `rename` gives the keys of a journal the names of the documents.
 * Paths stay as they were given, so that messages show them so.
 */
export async function tracesOf(
  context: EbbContext,
  flags: TraceFlags,
  rename: Readonly<Record<string, string>>,
): Promise<TraceToCompare[]> {
  const names = (flags.trace ?? []).flatMap((list) => list.split(',')).filter((name) => name !== '');
  if (names.length === 0) {
    throw new Failure('usage', 'say which trace to rehearse.', [
      'ebb rehearse --trace FILE',
      'no trace yet? `ebb journal export > journal.jsonl` writes what a running Ebb has seen',
    ]);
  }
  const common: TraceOptions = { rename };
  if (flags.first !== undefined) common.firstSeconds = seconds(flags.first, '--first');
  if (flags.every !== undefined) common.every = flags.every;
  const found: TraceToCompare[] = [];
  // As it was written, wherever that leads to the file.
  const isHere = context.workingDirectory === process.cwd();
  for (const name of names) {
    const [path = '', query] = splitOnce(name, '?');
    const { spanMs, ...own } = query === undefined ? {} : ownOptions(path, query);
    const options = { ...common, ...own };
    const span = spanMs === undefined ? {} : { spanMs };
    if (path === '-') found.push({ input: { name: '<stdin>', text: await text(process.stdin) }, options, ...span });
    else found.push({ input: isHere ? path : resolve(context.workingDirectory, path), options, ...span });
  }
  return found;
}

function ownOptions(path: string, query: string): TraceOptions & { spanMs?: number } {
  const given = new Map<string, string>();
  for (const part of query.split('&').filter((one) => one !== '')) {
    const [name = '', value] = splitOnce(part, '=');
    if (!optionNames.includes(name)) {
      throw new Failure('usage', `${path}: a trace has no option "${name}".${didYouMean(name, optionNames)}`, [
        `options: ${optionNames.join(', ')}`,
      ]);
    }
    if (value === undefined) throw new Failure('usage', `${path}: ${name} needs a value, as in ${name}=5.`);
    given.set(name, value);
  }
  const options: TraceOptions & { spanMs?: number } = {};
  const take = (name: string, use: (value: string, at: string) => void) => {
    const value = given.get(name);
    if (value !== undefined) use(value, `${path}: ${name}`);
  };
  take('first', (value, at) => (options.firstSeconds = seconds(value, at)));
  take('from', (value, at) => {
    const toSeconds = seconds(given.get('to') ?? '3650d', `${path}: to`);
    options.window = { fromSeconds: seconds(value, at), toSeconds };
  });
  if (given.has('to') && !given.has('from')) {
    options.window = { fromSeconds: 0, toSeconds: seconds(given.get('to') ?? '', `${path}: to`) };
  }
  take('every', (value, at) => (options.every = whole(value, at)));
  take('workloads', (value, at) => (options.workloads = { ...options.workloads, first: whole(value, at) }));
  take('requests', (value, at) => {
    const [least = '', most] = splitOnce(value, '..');
    options.workloads = { ...options.workloads, leastRequests: whole(least, at) };
    if (most !== undefined && most !== '') options.workloads.mostRequests = whole(most, at);
  });
  take('bucket', (value, at) => (options.bucketSeconds = seconds(value, at)));
  take('span', (value, at) => (options.spanMs = milliseconds(value, at)));
  take('service', (value, at) => (options.journalServiceMs = 1000 * seconds(value, at)));
  return options;
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}

function seconds(value: string, at: string): number {
  return milliseconds(value, at) / 1000;
}

/** A length of time; refuses with the place it was given at. */
export function milliseconds(value: string, at: string): number {
  const parsed = parseDuration(value);
  if ('error' in parsed) throw new Failure('usage', `${at}: ${parsed.error}.`);
  return parsed.value;
}

function whole(value: string, at: string): number {
  const count = Number(value);
  if (!/^\d+$/.test(value) || !Number.isSafeInteger(count)) {
    throw new Failure('usage', `${at}: expected a whole number, not "${value}".`);
  }
  return count;
}
