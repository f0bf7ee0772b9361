import { isDeepStrictEqual } from 'node:util';
import { parseDuration } from '@ebb/documents';
import {
  type LatenessPrice,
  renderTuning,
  tune as search,
  type TuneOptions,
  type Tuning,
  tuningSpace,
} from '@ebb/simulator';
import type { TuneFlags } from '../commands/tune.ts';
import type { EbbContext } from '../context.ts';
import { readDocuments } from '../documents.ts';
import type { ExitName } from '../exitCodes.ts';
import { Failure } from '../failure.ts';
import { readSources, type SourceText } from '../files.ts';
import { documentsOf } from '../rehearse/documents.ts';
import { modelOf } from '../rehearse/model.ts';
import { commandLine } from '../rehearse/commandLine.ts';
import { prometheusTrace } from '../rehearse/prometheus.ts';
import { milliseconds, tracesOf } from '../rehearse/traces.ts';
import { type Patch, patched } from '../tune/patch.ts';
import { moneyOf, watched, worldModule, write } from '../tune/rehearsing.ts';
import { tuningLines } from '../tune/render.ts';
import { cliVersion } from '../version.ts';

const defaultRuns = 60;
const defaultSplit = 0.5;
const nameCommand = 'ebb tune';

export async function tune(context: EbbContext, flags: TuneFlags): Promise<ExitName> {
  const files = flags.file ?? [];
  if (files.length === 0)
    throw new Failure('usage', 'say which document to tune.', [`${nameCommand} -f FILE --trace FILE`]);
  if (!flags.trace?.length && flags.prometheus === undefined)
    throw new Failure('usage', 'say which trace to tune on.', [`${nameCommand} -f FILE --trace FILE`]);
  const sources = await readSources(context, files);
  const tuning = await watched(context, async (watch) =>
    search({ ...(await optionsOf(context, flags, watch.signal)), ...watch }),
  );
  const patch = patched(sources, tuning.edits);
  if (patch) check(patch, tuning, sources);
  if (flags.html !== undefined) {
    await write(
      context,
      flags.html,
      renderTuning(tuning, { version: cliVersion, command: commandLine(nameCommand, flags, notRepeated) }),
    );
  }
  const { documents: _, ...told } = tuning;
  if (flags.json) context.json({ ebb: cliVersion, ...told });
  else context.out(...tuningLines(context, tuning, patch));
  if (flags.write !== undefined) {
    if (patch) await write(context, flags.write, patch.text);
    else context.note(`${flags.write} was not written: there is nothing to change.`);
  }
  return tuning.verdict === 'better' || tuning.verdict === 'present-is-best' ? 'ok' : 'failed';
}

async function optionsOf(context: EbbContext, flags: TuneFlags, signal: AbortSignal): Promise<TuneOptions> {
  const documents = await documentsOf(context, flags.file ?? [], flags.json ?? false);
  const model = await modelOf(context, flags, documents);
  const asked = await prometheusTrace(context, flags, documents.rename, { seed: flags.seed ?? 1, signal });
  const traces = asked ? [asked] : await tracesOf(context, flags, documents.rename);
  const [trace] = traces;
  if (!trace || traces.length > 1)
    throw new Failure('usage', `one trace is tuned on at a time; there are ${traces.length}.`);
  const split = flags.split ?? defaultSplit;
  if (split >= 1) throw new Failure('usage', '--split must leave something to judge on: a share below 1.');
  return {
    trace,
    space: tuningSpace(documents.own, flags.policy),
    model,
    seed: flags.seed ?? 1,
    split,
    runs: flags.budget ?? defaultRuns,
    price: flags.price === undefined ? null : moneyOf(flags.price, '--price'),
    lateness: latenessOf(flags.costOfLateness),
    startReplicas: 'first-minute-mean',
    worldModule,
    toTheEnd: flags.toTheEnd ?? false,
    ...(flags.time === undefined ? {} : { timeMs: milliseconds(flags.time, '--time') }),
    ...(flags.threads === undefined ? {} : { threads: flags.threads }),
  };
}

/** `0.002`: money; `120s`: so long a life of a replica. */
function latenessOf(text: string | undefined): LatenessPrice | null {
  if (text === undefined) return null;
  const length = parseDuration(text);
  if (!('error' in length)) return { replicaSeconds: length.value / 1000 };
  return { micro: moneyOf(text, '--cost-of-lateness') };
}

/** What would be written must be what was rehearsed. */
function check({ source, text }: Patch, { documents }: Tuning, sources: readonly SourceText[]): void {
  const all = sources.map((one) => (one === source ? { ...one, text } : one));
  const read = readDocuments(all, { allowForeign: true }).documents;
  for (const { kind, key, document } of documents ?? []) {
    const found = read.find(
      (one) => one.kind === kind && one.key.name === key.name && one.key.namespace === key.namespace,
    );
    if (isDeepStrictEqual(plain(found?.document), plain(document))) continue;
    throw new Error(`${source.name}: ${kind} ${key.name} would not be written as it was rehearsed`);
  }
}

function plain(value: unknown): unknown {
  return value === undefined ? null : JSON.parse(JSON.stringify(value));
}

const notRepeated = new Set(['json', 'html', 'write', 'threads']);
