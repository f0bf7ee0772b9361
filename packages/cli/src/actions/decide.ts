import type { DecideFlags } from '../commands/decide.ts';
import type { EbbContext } from '../context.ts';
import { calculate } from '../decide/calculate.ts';
import { LineError } from '../decide/lineError.ts';
import { runBatch } from '../decide/runBatch.ts';
import type { ExitName } from '../exitCodes.ts';
import { Failure } from '../failure.ts';

export async function decideOnce(context: EbbContext, flags: DecideFlags, target?: string): Promise<ExitName> {
  if (flags.batch) {
    refuseBeside(flags);
    return runBatch(context, target ?? '-');
  }
  if (flags.file === undefined) {
    throw new Failure('usage', 'say what to decide.', [
      'ebb decide -f FILE --reading NAME=VALUE',
      'ebb decide --batch FILE    for a table of cases',
    ]);
  }
  try {
    await calculate(context, { ...flags, file: flags.file }, target);
  } catch (error) {
    if (error instanceof LineError) throw new Failure('usage', `${error.message}.`, [], { cause: error });
    throw error;
  }
  return 'ok';
}

/** In a batch everything stands in the lines. */
function refuseBeside(flags: DecideFlags): void {
  const { batch: _, json: __, ...others } = flags;
  const given = Object.entries(others).find(
    ([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0),
  );
  if (!given) return;
  const [name] = given;
  const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new Failure('usage', `--${flag} says nothing to a batch: everything stands in its lines.`, [
    'docs/reference/decide.md has the format',
  ]);
}
