import { type ExitName, exitCodes } from './exitCodes.ts';

/** A failure that is told to the user as it is: a sentence, what to do next, and the exit code. Never a stack trace. */
export class Failure extends Error {
  readonly exit: ExitName;
  /** One thing to do a line. */
  readonly hints: string[];
  /** Was already printed in full (problems of a document): only the exit code is left to give. */
  readonly silent: boolean;

  constructor(
    exit: ExitName,
    message: string,
    hints: string[] = [],
    options: { silent?: boolean; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'Failure';
    this.exit = exit;
    this.hints = hints;
    this.silent = options.silent ?? false;
  }
}

/** What an error says, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What the terminal shows of an error. The stack only where EBB_DEBUG asks for it. */
export function failureText(error: unknown, env: Record<string, string | undefined>): string {
  const debug = env.EBB_DEBUG === '1';
  if (error instanceof Failure) {
    const lines = error.silent ? [] : [`ebb: ${error.message}`, ...error.hints.map((hint) => `  ${hint}`)];
    if (debug) lines.push(String(error.stack), ...(error.cause === undefined ? [] : [String(error.cause)]));
    return lines.join('\n');
  }
  const message = messageOf(error);
  if (debug && error instanceof Error) return `ebb: ${error.stack ?? message}`;
  return `ebb: unexpected: ${message}\n  EBB_DEBUG=1 shows where it happened`;
}

/** The same for a machine: what `--json` writes to stdout when a command fails. */
export function failureJson(error: unknown): {
  error: { exit: ExitName; code: number; message: string; hints: string[] };
} {
  const failure =
    error instanceof Failure ? error : new Failure('failed', error instanceof Error ? error.message : String(error));
  const { exit, message, hints } = failure;
  return { error: { exit, code: exitCodes[exit].code, message, hints } };
}
