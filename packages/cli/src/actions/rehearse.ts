import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { InvalidDocumentError, parseMoneyMicro } from '@ebb/documents';
import {
  compare,
  type CompareOptions,
  type Comparison,
  comparisonCsv,
  policiesToCompare,
  PolicyNameError,
  policyNames,
  ratioText,
  renderReport,
  shareText,
  TraceError,
} from '@ebb/simulator';
import type { RehearseFlags } from '../commands/rehearse.ts';
import type { EbbContext } from '../context.ts';
import type { ExitName } from '../exitCodes.ts';
import { Failure } from '../failure.ts';
import { Interrupts } from '../interrupts.ts';
import { commandLine } from '../rehearse/commandLine.ts';
import { basesOf, documentsOf } from '../rehearse/documents.ts';
import { modelOf } from '../rehearse/model.ts';
import { progressBar } from '../rehearse/progress.ts';
import { prometheusTrace } from '../rehearse/prometheus.ts';
import { comparisonLines } from '../rehearse/render.ts';
import { seedsOf } from '../rehearse/seeds.ts';
import { tracesOf } from '../rehearse/traces.ts';
import { countText } from '../text/format.ts';
import { cliVersion } from '../version.ts';

const defaultPolicies = 'ebb,keda,hpa,knative,keepalive:10m,always-on';
const worldModule = new URL(`../rehearse/world${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)
  .href;

export async function rehearse(context: EbbContext, flags: RehearseFlags): Promise<ExitName> {
  const options = await interruptible((signal) => optionsOf(context, flags, signal));
  const comparison = await run(context, options);
  await writeFiles(context, flags, comparison);
  const { runs: _, ...told } = comparison;
  if (flags.json) context.json({ ebb: cliVersion, ...told });
  else context.out(...comparisonLines(context, comparison));
  const over = flags.failOver === undefined ? [] : overLimit(comparison, flags.failOver);
  for (const line of over) context.note(`${context.errorColors.red('ebb:')} ${line}`);
  if (comparison.failures.length > 0) {
    context.note(`${context.errorColors.red('ebb:')} ${countText(comparison.failures.length, 'run')} failed.`);
  }
  return over.length + comparison.failures.length > 0 ? 'failed' : 'ok';
}

async function optionsOf(context: EbbContext, flags: RehearseFlags, signal: AbortSignal): Promise<CompareOptions> {
  const documents = await documentsOf(context, flags.file ?? [], flags.json ?? false, true);
  const model = await modelOf(context, flags, documents);
  const { own, bases, notes } = basesOf(documents, model);
  const start = startOf(flags.startReplicas);
  const names = policyNames(flags.policies ?? defaultPolicies);
  const seeds = seedsOf(flags.seed ?? '1');
  const asked = await prometheusTrace(context, flags, documents.rename, { seed: seeds[0] ?? 1, signal });
  try {
    const options: CompareOptions = {
      traces: asked ? [asked] : await tracesOf(context, flags, documents.rename),
      policies: policiesToCompare(names, own, bases),
      seeds,
      model,
      price: priceOf(flags.price),
      startReplicas: start,
      worldModule,
      places: documents.places,
    };
    if (names.some((name) => name !== 'ebb')) for (const note of notes) context.note(note);
    return flags.threads === undefined ? options : { ...options, threads: flags.threads };
  } catch (error) {
    if (error instanceof PolicyNameError) throw new Failure('usage', `${error.message}.`, [], { cause: error });
    if (error instanceof InvalidDocumentError) throw new Failure('usage', error.message, [], { cause: error });
    throw error;
  }
}

async function interruptible<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const interrupts = new Interrupts();
  try {
    return await work(interrupts.stop);
  } finally {
    interrupts.dispose();
  }
}

async function run(context: EbbContext, options: CompareOptions): Promise<Comparison> {
  const interrupts = new Interrupts();
  const bar = progressBar(context);
  try {
    return await compare({ ...options, signal: interrupts.stop, onProgress: (progress) => bar.show(progress) });
  } catch (error) {
    if (interrupts.stop.aborted) throw new Failure('interrupted', 'interrupted; nothing was written.');
    if (error instanceof TraceError || error instanceof RangeError) {
      throw new Failure('usage', `${shortened(error.message, context.workingDirectory)}.`, [], { cause: error });
    }
    throw error;
  } finally {
    bar.end();
    interrupts.dispose();
  }
}

/** Paths as they were written, below the folder one is in. */
function shortened(message: string, folder: string): string {
  return message.replaceAll(`${folder}/`, '').replace(/\.$/, '');
}

async function writeFiles(context: EbbContext, flags: RehearseFlags, comparison: Comparison): Promise<void> {
  const files: [path: string | undefined, text: () => string][] = [
    [flags.csv, () => comparisonCsv(comparison)],
    [
      flags.html,
      () => renderReport(comparison, { command: commandLine('ebb rehearse', flags, notRepeated), version: cliVersion }),
    ],
  ];
  for (const [path, text] of files) {
    if (path === undefined) continue;
    try {
      await writeFile(resolve(context.workingDirectory, path), text());
    } catch (error) {
      throw new Failure('failed', `cannot write ${path}: ${error instanceof Error ? error.message : String(error)}.`);
    }
    context.note(`wrote ${path}`);
  }
}

const notRepeated = new Set(['json', 'csv', 'html', 'threads', 'failOver']);

/** What the judged policy misses: `ebb` where it is there, else the first. */
function overLimit({ policies, summaries, model }: Comparison, limit: number): string[] {
  const judged = policies.includes('ebb') ? 'ebb' : policies[0];
  return summaries.flatMap(({ policy, trace, qualifies, ratio, onTimeShare }) => {
    if (policy !== judged) return [];
    if (!qualifies) {
      return [
        `${policy} on ${trace}: ${shareText(onTimeShare)} % on time, ${shareText(model.onTimeShare)} % is the promise.`,
      ];
    }
    if (ratio === null || ratio <= limit) return [];
    return [`${policy} on ${trace}: ${ratioText(ratio)} × the optimum is over ${ratioText(limit)} ×.`];
  });
}

function startOf(text: string | undefined): CompareOptions['startReplicas'] {
  if (text === undefined || text === 'mean') return 'first-minute-mean';
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new Failure('usage', `--start-replicas is "mean" or a whole number, not "${text}".`);
}

function priceOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const parsed = parseMoneyMicro(text);
  if ('error' in parsed) throw new Failure('usage', `--price: ${parsed.error}.`);
  return parsed.value;
}
