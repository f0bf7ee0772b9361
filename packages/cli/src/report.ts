import type { EbbContext } from './context.ts';
import type { ExitName } from './exitCodes.ts';
import { Failure, failureJson, failureText } from './failure.ts';

/** Tells the user of a failure on stderr, and a machine on stdout where `--json` was asked for. Gives the exit to end with. */
export async function reportFailure(context: EbbContext, error: unknown, json: boolean): Promise<ExitName> {
  const known = error instanceof Failure ? error : await recognized(error);
  const text = failureText(known ?? error, context.env);
  if (text !== '') context.note(text.replace(/^ebb:/, context.errorColors.red('ebb:')));
  if (json && !known?.silent) context.json(failureJson(known ?? error));
  return known?.exit ?? 'failed';
}

/** Errors of the client, which is loaded only where it was in use anyway. */
async function recognized(error: unknown): Promise<Failure | null> {
  try {
    return (await import('./toFailure.ts')).toFailure(error);
  } catch {
    return null;
  }
}
