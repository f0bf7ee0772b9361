import { createInterface } from 'node:readline/promises';
import type { Readable } from 'node:stream';
import type { EbbContext } from '../context.ts';
import { Failure } from '../failure.ts';

/** Whether the person at the terminal agrees. Throws a `Failure` (usage) where nobody can be asked. */
export async function agrees(
  { stderr }: Pick<EbbContext, 'stderr'>,
  question: string,
  input: Readable & { isTTY?: boolean } = process.stdin,
): Promise<boolean> {
  if (!input.isTTY || !stderr.isTTY) {
    throw new Failure('usage', `${question} Nobody can be asked here.`, ['--yes agrees beforehand']);
  }
  stderr.write(`${question} [y/N] `);
  const lines = createInterface({ input });
  try {
    for await (const line of lines) return /^y(es)?$/i.test(line.trim());
    return false;
  } finally {
    lines.close();
  }
}
