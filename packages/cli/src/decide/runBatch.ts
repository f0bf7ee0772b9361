import { createReadStream } from 'node:fs';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { EbbContext, OutputStream } from '../context.ts';
import type { ExitName } from '../exitCodes.ts';
import { Failure } from '../failure.ts';
import { countText } from '../text/format.ts';
import { Batch } from './batch.ts';
import { linesOf, longestLine } from './lines.ts';

/** Answers are written in groups of about this many characters. */
const groupCharacters = 64 * 1024;

/**
 * Answers the lines of a file, or of standard input for `-`, in their order. Ends with `failed` where any line had
 * an error. Holds a line and a group of answers at a time, whatever the length of the input.
 */
export async function runBatch(context: EbbContext, path: string): Promise<ExitName> {
  const batch = new Batch();
  const input = path === '-' ? process.stdin : createReadStream(resolve(context.workingDirectory, path));
  input.setEncoding('utf8');
  let group: string[] = [];
  let length = 0;
  try {
    for await (const line of linesOf(input)) {
      const answer =
        'text' in line ? batch.answer(line.text) : batch.refuse(`the line is longer than ${longestLine} characters`);
      group.push(answer);
      length += answer.length;
      // Somebody at a terminal, or a program that asks one by one, gets each answer at once.
      if (length < groupCharacters && path !== '-') continue;
      await writeAll(context.stdout, group);
      group = [];
      length = 0;
    }
  } catch (error) {
    if (isMissing(error)) throw new Failure('usage', `there is no file "${path}" to read lines from.`);
    throw error;
  }
  await writeAll(context.stdout, group);
  if (batch.lines === 0) context.note('there is no line in it');
  if (batch.failed === 0) return 'ok';
  context.note(
    `${context.errorColors.red('ebb:')} ${batch.failed} of ${countText(batch.lines, 'line')} could not be answered`,
  );
  return 'failed';
}

async function writeAll(stdout: OutputStream, lines: string[]): Promise<void> {
  if (lines.length === 0) return;
  const goesOn = stdout.write(`${lines.join('\n')}\n`);
  // A reader that is slower than we are: wait for it, so that answers do not pile up here.
  if (goesOn === false && stdout === process.stdout) await once(process.stdout, 'drain');
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EISDIR');
}
