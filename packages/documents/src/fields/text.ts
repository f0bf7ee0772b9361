import { z } from 'zod';
import type { ProblemCode } from '../problemCodes.ts';
import type { Parsed } from '../units/parsed.ts';

/** A transform step that reads text with a pure parser and turns its refusal into an issue. */
export function readWith<T>(parse: (text: string) => Parsed<T>, code: ProblemCode) {
  return (input: string | number, context: z.core.$RefinementCtx<string | number>): T => {
    const parsed = parse(String(input));
    if ('value' in parsed) return parsed.value;
    const { error, suggestion } = parsed;
    context.addIssue({ code: 'custom', message: error, params: { code, ...(suggestion ? { suggestion } : {}) } });
    return z.NEVER;
  };
}

/** Text of at most `max` characters without control characters that would break a process or a header. */
export function plainText(max = 4096) {
  return z
    .string()
    .max(max)
    .refine((text) => !text.includes('\0'), { error: 'must not contain a NUL character' });
}
