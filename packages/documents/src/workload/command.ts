import { z } from 'zod';
import { plainText } from '../fields/text.ts';

/** Program and arguments. A string is refused with the list it stands for, because nothing here is a shell. */
export const commandSchema = z
  .array(plainText(131_072), { error: (issue) => (typeof issue.input === 'string' ? asList(issue.input) : undefined) })
  .min(1)
  .refine((command) => command[0] !== '', {
    path: [0],
    error: 'must name a program, not be empty',
    when: ({ value }) => Array.isArray(value) && value.length > 0,
  });

function asList(text: string): string {
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  const list = /["'`$|&;<>()*?\\]/.test(text)
    ? '[sh, -c, "…"] if it needs a shell'
    : `[${text.trim().split(/\s+/).join(', ')}]`;
  return `must be a list, found the string "${shown}"; write ${list}`;
}
