import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { DecideResult } from '@ebb/core';
import type { EbbContext } from '../context.ts';
import { Failure } from '../failure.ts';
import { isRecord } from './shape.ts';

/** What a state file tells the next decision. */
export interface DecideState {
  memory: unknown;
  /** When the next decision is made where nothing else is said. */
  nextMs: number | undefined;
}

/** The state a run before has left, or null where there is none yet. A bare memory is taken as well. */
export function readState(context: EbbContext, path: string): DecideState | null {
  const absolute = resolve(context.workingDirectory, path);
  if (!existsSync(absolute)) return null;
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(absolute, 'utf8'));
  } catch (error) {
    throw new Failure('usage', `${path} is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!isRecord(value)) throw new Failure('usage', `${path} holds no state of a decision.`);
  if (value.memory === undefined) return { memory: value, nextMs: undefined };
  const { atMs, decision } = value;
  const revisitAtMs = isRecord(decision) ? decision.revisitAtMs : undefined;
  const nextMs =
    typeof revisitAtMs === 'number' ? revisitAtMs : typeof atMs === 'number' ? atMs + assumedPauseMs : undefined;
  return { memory: value.memory, nextMs };
}

/** Time between two decisions of which the first did not want to be asked again. */
const assumedPauseMs = 1000;

/** Leaves the same as `--json` prints, less the sentences. */
export function writeState(context: EbbContext, path: string, atMs: number, result: DecideResult): void {
  const isNew = !existsSync(resolve(context.workingDirectory, path));
  const { decision, memory } = result;
  writeFileSync(resolve(context.workingDirectory, path), `${JSON.stringify({ atMs, decision, memory }, null, 2)}\n`);
  if (isNew) context.note(`${path} is new: the first decision of a series`);
}
