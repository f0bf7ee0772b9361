import { resolve } from 'node:path';
import { readFile } from 'node:fs/promises';
import { comparableModel, type WorldModel } from '@ebb/simulator';
import type { EbbContext } from '../context.ts';
import { LineError } from '../decide/lineError.ts';
import { Failure } from '../failure.ts';
import { parseModel } from './modelFile.ts';
import { milliseconds } from './traces.ts';

export interface ModelFlags {
  model?: string;
  coldStart?: string;
  concurrency?: number;
  service?: string;
  onTime?: string;
  share?: number;
}

const defaultColdStartMs = 60_000;

/** The model of the file, or that of published comparisons, with what the flags say and the slots of the documents. */
export async function modelOf(context: EbbContext, flags: ModelFlags, slots: number | null): Promise<WorldModel> {
  const base = comparableModel(defaultColdStartMs);
  if (slots !== null) base.concurrency = slots;
  const model = flags.model === undefined ? base : { ...base, ...(await readModel(context, flags.model)) };
  if (flags.coldStart !== undefined) {
    const ms = milliseconds(flags.coldStart, '--cold-start');
    if (ms === 0) throw new Failure('usage', '--cold-start: must be more than 0s.');
    model.coldStart = [{ stage: 'ready', ms: { type: 'fixed', ms } }];
  }
  if (flags.concurrency !== undefined) model.concurrency = flags.concurrency;
  if (flags.service !== undefined) model.service = serviceOf(flags.service, model.service);
  if (flags.onTime !== undefined) model.onTimeMs = milliseconds(flags.onTime, '--on-time');
  if (flags.share !== undefined) model.onTimeShare = flags.share;
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
