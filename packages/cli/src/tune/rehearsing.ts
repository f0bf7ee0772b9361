import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { InvalidDocumentError, parseMoneyMicro } from '@ebb/documents';
import { type CompareProgress, PolicyNameError, TraceError, TuningSpaceError } from '@ebb/simulator';
import type { EbbContext } from '../context.ts';
import { Failure } from '../failure.ts';
import { Interrupts } from '../interrupts.ts';
import { progressBar } from '../rehearse/progress.ts';

/** What the threads import, with the ending that the sources or the build have. */
export const worldModule = new URL(
  `../rehearse/world${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`,
  import.meta.url,
).href;

interface Watched {
  onProgress: (progress: CompareProgress) => void;
  signal: AbortSignal;
}

/** Does long work with a bar, until it is done or interrupted, and tells what the user can mend in the user's words. */
export async function watched<Result>(context: EbbContext, work: (watch: Watched) => Promise<Result>): Promise<Result> {
  const interrupts = new Interrupts();
  const bar = progressBar(context);
  // A line for each run would bury the answer where nobody watches a bar.
  const onProgress = (progress: CompareProgress) => {
    if (context.stderr.isTTY) bar.show(progress);
  };
  try {
    return await work({ onProgress, signal: interrupts.stop });
  } catch (error) {
    if (interrupts.stop.aborted) throw new Failure('interrupted', 'interrupted; nothing was written.');
    if (
      error instanceof TraceError ||
      error instanceof RangeError ||
      error instanceof TuningSpaceError ||
      error instanceof PolicyNameError ||
      error instanceof InvalidDocumentError
    ) {
      const message = error.message.replaceAll(`${context.workingDirectory}/`, '').replace(/\.$/, '');
      throw new Failure('usage', `${message}.`, [], { cause: error });
    }
    throw error;
  } finally {
    bar.end();
    interrupts.dispose();
  }
}

export function moneyOf(text: string, flag: string): number {
  const parsed = parseMoneyMicro(text);
  if ('error' in parsed) throw new Failure('usage', `${flag}: ${parsed.error}.`);
  return parsed.value;
}

export async function write(context: EbbContext, path: string, text: string): Promise<void> {
  try {
    await writeFile(resolve(context.workingDirectory, path), text);
  } catch (error) {
    throw new Failure('failed', `cannot write ${path}: ${error instanceof Error ? error.message : String(error)}.`);
  }
  context.note(`wrote ${path}`);
}
