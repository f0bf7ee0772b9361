import type { EbbContext } from '../context.ts';
import { padEnd } from '../text/width.ts';
import type { Check } from './checks.ts';

/** A line a check, and one below it where there is something to do. */
export function checkLines(context: EbbContext, checks: readonly Readonly<Check>[]): string[] {
  const width = Math.max(...checks.map((check) => check.name.length));
  return checks.flatMap((check) => [
    `${sign(context, check)} ${padEnd(check.name, width)}  ${check.found}`,
    ...(check.hint === null ? [] : [context.colors.dim(`  ${' '.repeat(width)}  ${check.hint}`)]),
  ]);
}

function sign({ colors, glyphs }: EbbContext, check: Readonly<Check>): string {
  if (check.state === 'ok') return colors.green(padEnd(glyphs.check, 2));
  return check.state === 'bad' ? colors.red(padEnd(glyphs.cross, 2)) : colors.yellow(padEnd('!', 2));
}
