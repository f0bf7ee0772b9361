import { z } from 'zod';
import { formatDuration, parseDuration, withoutUnit } from '../units/duration.ts';
import { readWith } from './text.ts';

/** A duration with its unit, as whole milliseconds; at least `minMs` and at most `maxMs`. */
export function durationField(minMs = 0, maxMs = Number.POSITIVE_INFINITY) {
  return z
    .string({ error: (issue) => (typeof issue.input === 'number' ? withoutUnit(String(issue.input)) : undefined) })
    .meta({ pattern: '^([0-9]+(\\.[0-9]+)?(d|h|m|s|ms))+$', title: 'duration' })
    .transform(readWith((text) => withinBounds(text, minMs, maxMs), 'invalid-duration'));
}

function withinBounds(text: string, minMs: number, maxMs: number): ReturnType<typeof parseDuration> {
  const parsed = parseDuration(text);
  if ('error' in parsed) return parsed;
  if (parsed.value < minMs) return { error: `"${text}" is too short; the shortest is ${formatDuration(minMs)}` };
  if (parsed.value > maxMs) return { error: `"${text}" is too long; the longest is ${formatDuration(maxMs)}` };
  return parsed;
}
