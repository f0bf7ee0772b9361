import { run } from '@stricli/core';
import { application } from './application.ts';
import { makeContext, type ProcessLike } from './context.ts';
import { exitCodes } from './exitCodes.ts';
import { reportFailure } from './report.ts';

/** Runs one command line (without `node ebb`) and gives its exit code, see `exitCodes`. */
export async function main(argv: readonly string[], host: ProcessLike, workingDirectory: string): Promise<number> {
  const context = makeContext(host, workingDirectory);
  try {
    // The words to complete are no flags of ours.
    if (argv[0] === '__complete') {
      const { complete } = await import('./completion/complete.ts');
      await complete(context, argv.slice(1));
      return exitCodes.ok.code;
    }
    await run(application, argv, context);
  } catch (error) {
    return exitCodes[await reportFailure(context, error, false)].code;
  }
  if (context.exit !== null) return exitCodes[context.exit].code;
  // No command ran: help and version end with 0, an unknown command or flag with one of stricli's negative codes.
  return (context.process.exitCode ?? 0) === 0 ? exitCodes.ok.code : exitCodes.usage.code;
}
