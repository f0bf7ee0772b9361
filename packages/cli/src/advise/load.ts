import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { JournalRecord } from '@ebb/core';
import { formatDuration } from '@ebb/documents';
import { coldStartOf, medianOf } from '@ebb/engine';
import type { TraceToCompare } from '@ebb/simulator';
import type { AdviseFlags } from '../commands/advise.ts';
import type { EbbContext } from '../context.ts';
import { Failure } from '../failure.ts';
import { prometheusTrace } from '../rehearse/prometheus.ts';
import { tracesOf } from '../rehearse/traces.ts';

export interface AdvisedLoad {
  trace: TraceToCompare;
  /** As `--cold-start` of a rehearsal; null: the default. */
  coldStart: string | null;
  /** What the length of a cold start rests on. */
  basis: string;
}

const measured = 'measured';
/** The latest cold starts say what the next will be like. */
const mostColdStarts = 1000;

/** The load that the flags name, from just one source. */
export async function loadOf(
  context: EbbContext,
  flags: AdviseFlags,
  rename: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<AdvisedLoad> {
  const given = [
    flags.trace?.length ? '--trace' : null,
    flags.journal === undefined ? null : '--journal',
    flags.prometheus === undefined ? null : '--prometheus',
  ].filter((one) => one !== null);
  if (given.length !== 1) {
    const what = given.length === 0 ? 'say where the load is recorded.' : `${given.join(' and ')} exclude one another.`;
    throw new Failure('usage', what, [
      'ebb advise --trace FILE',
      'ebb advise --journal FILE',
      'ebb advise --prometheus URL --query QUERY',
    ]);
  }
  const { coldStart, basis } = await coldStartFor(context, flags);
  const asked = await prometheusTrace(context, flags, rename, { seed: flags.seed ?? 1, ...(signal ? { signal } : {}) });
  if (asked) return { trace: asked, coldStart, basis };
  const names = flags.journal === undefined ? (flags.trace ?? []) : [flags.journal];
  const traces = await tracesOf(context, { ...flags, trace: names }, rename);
  const [trace] = traces;
  if (!trace || traces.length > 1)
    throw new Failure('usage', `advice is for one trace at a time; there are ${traces.length}.`);
  return { trace, coldStart, basis };
}

async function coldStartFor(
  context: EbbContext,
  flags: AdviseFlags,
): Promise<Pick<AdvisedLoad, 'coldStart' | 'basis'>> {
  if (flags.coldStart === undefined) {
    return flags.model === undefined
      ? { coldStart: null, basis: 'assumed; --cold-start says otherwise' }
      : { coldStart: null, basis: `as ${flags.model} says` };
  }
  if (flags.coldStart !== measured) return { coldStart: flags.coldStart, basis: 'as --cold-start says' };
  if (flags.journal === undefined) {
    throw new Failure('usage', '--cold-start measured needs a --journal to measure it in.', [
      '`ebb journal export > journal.jsonl` writes one',
    ]);
  }
  const path = resolve(context.workingDirectory, flags.journal.split('?', 1)[0] ?? '');
  const text = await readFile(path, 'utf8').catch(() => {
    throw new Failure('usage', `there is no file "${flags.journal}".`, [`looked in ${context.workingDirectory}`]);
  });
  const starts = coldStartsOf(text);
  const median = medianOf(starts);
  if (median === null) {
    throw new Failure('usage', `${flags.journal} has no cold start to measure.`, [
      '--cold-start 60s says how long one takes',
    ]);
  }
  return { coldStart: formatDuration(median), basis: `the median of ${starts.length} measured ones` };
}

/** From asked for to routed, ms; lines that are no records are for the reader of the trace to refuse. */
function coldStartsOf(text: string): number[] {
  const found: number[] = [];
  for (const line of text.split('\n')) {
    if (!line.includes('"coldStart"')) continue;
    const record = recordOf(line);
    const ms = record && coldStartOf(record);
    if (ms) found.push(ms);
  }
  return found.slice(-mostColdStarts);
}

function recordOf(line: string): JournalRecord | null {
  try {
    const value: JournalRecord | null = JSON.parse(line);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}
