import { resolve } from 'node:path';
import { readFile } from 'node:fs/promises';
import { comparableModel, type WorldModel } from '@ebb/simulator';
import type { EbbContext } from '../context.ts';
import { LineError } from '../decide/lineError.ts';
import { didYouMean } from '../suggest.ts';
import { Failure } from '../failure.ts';
import { parseModel } from './modelFile.ts';
import { milliseconds } from './traces.ts';

export interface ModelFlags {
  model?: string;
  coldStart?: string;
  concurrency?: number;
  /** `TIME` of all, `CLASS=TIME` of one. */
  service?: readonly string[];
  onTime?: string;
  share?: number;
}

const defaultColdStartMs = 60_000;

/** What the documents say of the world. */
interface ModelledDocuments {
  slots: number | null;
  /** Of the classes of all Workloads. */
  classNames: readonly string[];
}

/** The model of the file, or that of published comparisons, with what the flags say and the slots of the documents. */
export async function modelOf(
  context: EbbContext,
  flags: ModelFlags,
  { slots, classNames }: ModelledDocuments,
): Promise<WorldModel> {
  const base = comparableModel(defaultColdStartMs);
  if (slots !== null) base.concurrency = slots;
  const model = flags.model === undefined ? base : { ...base, ...(await readModel(context, flags.model)) };
  if (flags.coldStart !== undefined) {
    const ms = milliseconds(flags.coldStart, '--cold-start');
    if (ms === 0) throw new Failure('usage', '--cold-start: must be more than 0s.');
    model.coldStart = [{ stage: 'ready', ms: { type: 'fixed', ms } }];
  }
  if (flags.concurrency !== undefined) model.concurrency = flags.concurrency;
  takeServices(model, flags.service ?? []);
  if (flags.onTime !== undefined) model.onTimeMs = milliseconds(flags.onTime, '--on-time');
  if (flags.share !== undefined) model.onTimeShare = flags.share;
  for (const name of Object.keys(model.classes ?? {})) {
    if (classNames.includes(name)) continue;
    const known = classNames.length === 0 ? 'there are none: -f FILE' : `there are ${classNames.join(', ')}`;
    throw new Failure('usage', `the documents have no class "${name}"; ${known}.${didYouMean(name, classNames)}`);
  }
  return model;
}

async function readModel(context: EbbContext, file: string): Promise<Partial<WorldModel>> {
  const text = await readFile(resolve(context.workingDirectory, file), 'utf8').catch(() => {
    throw new Failure('usage', `there is no file "${file}".`, [`looked in ${context.workingDirectory}`]);
  });
  try {
    return parseModel(text);
  } catch (error) {
    if (error instanceof LineError) throw new Failure('usage', `${file}: ${error.message}.`, [], { cause: error });
    throw error;
  }
}

const ofOneClass = /^([a-z0-9](?:[-a-z0-9]*[a-z0-9])?)=(.*)$/;

function takeServices(model: WorldModel, texts: readonly string[]): void {
  const common = texts.filter((text) => !ofOneClass.test(text));
  if (common.length > 1) {
    throw new Failure(
      'usage',
      `--service: ${common.join(' and ')} are both for all classes; write CLASS=TIME for one.`,
    );
  }
  for (const text of common) model.service = serviceOf(text, model.service);
  for (const text of texts) {
    const [, name, length] = ofOneClass.exec(text) ?? [];
    if (name === undefined || length === undefined) continue;
    const before = model.classes?.[name] ?? {};
    const service = serviceOf(length, before.service ?? model.service);
    model.classes = { ...model.classes, [name]: { ...before, service } };
  }
}

/** `2.2s`; `200ms+20ms` with so much for each token; behind a comma what a request without tokens takes. */
function serviceOf(text: string, before: WorldModel['service']): WorldModel['service'] {
  const at = '--service';
  const [lengths = '', without] = text.split(',');
  const [base = '', perToken] = lengths.split('+');
  if (perToken === undefined && without === undefined) return { type: 'fixed', ms: milliseconds(base, at) };
  const known = before.type === 'tokens' ? before.withoutTokensMs : milliseconds(base, at);
  return {
    type: 'tokens',
    baseMs: milliseconds(base, at),
    perTokenMs: perToken === undefined ? 0 : milliseconds(perToken, at),
    withoutTokensMs: without === undefined ? known : milliseconds(without, at),
  };
}
