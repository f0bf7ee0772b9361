import { maxDurationMs } from './duration.ts';
import type { Parsed } from './parsed.ts';

const unitsMs: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ns: 1e-6,
};
const part = /(\d+\.?\d*|\.\d+)(h|ms|m|us|µs|μs|ns|s)/;
const whole = new RegExp(`^\\+?(${part.source})+$`);
const parts = new RegExp(part.source, 'g');

/**
 * Reads a duration as Go's time.ParseDuration does (`300ms`, `1.5h`, `2h45m`, `0`), as whole milliseconds. Refuses
 * negative ones.
 */
export function parseGoDuration(text: string): Parsed<number> {
  if (/^[+-]?0$/.test(text)) return { value: 0 };
  if (text.startsWith('-')) return { error: `"${text}" is negative; a duration is 0s or longer` };
  if (!whole.test(text)) {
    const message = `"${text}" is not a duration as Go writes them, such as 500ms, 30s, 5m or 1h30m`;
    return /\dd/.test(text) ? { error: `${message}; days are written in hours` } : { error: message };
  }
  let totalMs = 0;
  for (const [, number = '', unit = ''] of text.matchAll(parts)) totalMs += Number(number) * (unitsMs[unit] ?? 0);
  if (totalMs > maxDurationMs) return { error: `"${text}" is longer than ten years` };
  return { value: Math.round(totalMs) };
}
