import { z } from 'zod';
import { withoutUnit } from '../units/duration.ts';
import { parseGoDuration } from '../units/goDuration.ts';
import { readWith } from './text.ts';

/** A duration as Go writes it, as whole milliseconds; at least `minMs`. */
export function goDurationField(minMs = 0) {
  return z
    .string({ error: (issue) => (typeof issue.input === 'number' ? withoutUnit(String(issue.input)) : undefined) })
    .meta({ title: 'duration' })
    .transform(
      readWith((text) => {
        const parsed = parseGoDuration(text);
        if ('error' in parsed || parsed.value >= minMs) return parsed;
        return { error: `"${text}" is too short; the shortest is ${minMs}ms` };
      }, 'invalid-duration'),
    );
}
