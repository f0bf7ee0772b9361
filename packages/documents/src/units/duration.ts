import type { Parsed } from './parsed.ts';

const unitsMs = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;
type Unit = keyof typeof unitsMs;
const unitOrder: Unit[] = ['d', 'h', 'm', 's', 'ms'];
const isUnit = (text: string): text is Unit => Object.hasOwn(unitsMs, text);

/** 10 years: longer than anything that is meant, and far inside exact integers. */
export const maxDurationMs = 3650 * unitsMs.d;

const maxDigits = 20;

/**
 * Reads `250ms`, `30s`, `1.5h` or `1h30m` as whole milliseconds. Units (d, h, m, s, ms) stand once each, largest
 * first. A number without a unit is refused, because half of its readers would take it for the other unit.
 */
export function parseDuration(text: string): Parsed<number> {
  const compact = text.trim();
  if (/^[+-]?\d+(\.\d+)?$/.test(compact)) return { error: withoutUnit(compact) };
  if (!/^(\d+(\.\d+)?(d|h|ms|m|s))+$/.test(compact)) {
    return { error: `"${text}" is not a duration; write a number and a unit, such as 250ms, 30s, 5m or 1h30m` };
  }
  let totalMs = 0;
  let last = -1;
  for (const [, number = '', unit = ''] of compact.matchAll(/(\d+(?:\.\d+)?)(d|h|ms|m|s)/g)) {
    if (!isUnit(unit)) continue;
    const position = unitOrder.indexOf(unit);
    if (position <= last) return { error: `"${text}" names its units out of order; write the largest first: 1h30m15s` };
    last = position;
    if (number.length > maxDigits)
      return { error: `"${text}" is longer than ten years (3650d), or has too many decimals` };
    const partMs = exactProduct(number, unitsMs[unit]);
    if (partMs === null) return { error: `"${text}" is finer than one millisecond` };
    totalMs += partMs;
  }
  if (totalMs > maxDurationMs) return { error: `"${text}" is longer than ten years (3650d)` };
  return { value: totalMs };
}

/** What to say about a duration given as a bare number. */
export function withoutUnit(number: string): string {
  return number.startsWith('-')
    ? `"${number}" is negative; a duration is 0s or longer`
    : `${number} has no unit; write ${number}s for seconds or ${number}ms for milliseconds`;
}

/** `0s`, `250ms`, `30s`, `1h30m`: the shortest exact form, which `parseDuration` reads back. */
export function formatDuration(durationMs: number): string {
  if (!Number.isFinite(durationMs)) return 'unknown';
  let rest = Math.round(Math.abs(durationMs));
  if (rest === 0) return '0s';
  const parts: string[] = [];
  for (const unit of unitOrder) {
    const count = Math.floor(rest / unitsMs[unit]);
    rest -= count * unitsMs[unit];
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return (durationMs < 0 ? '-' : '') + parts.join('');
}

/** `decimal × factor` if that is a whole number, without passing through a fraction of a float. */
function exactProduct(decimal: string, factor: number): number | null {
  const [whole = '0', fraction = ''] = decimal.split('.');
  const scale = 10n ** BigInt(fraction.length);
  const product = BigInt(whole + fraction) * BigInt(factor);
  return product % scale === 0n ? Number(product / scale) : null;
}
