import type { Parsed } from './parsed.ts';

const microDigits = 6;
/** A million an hour: beyond every machine that can be rented, and far inside exact integers. */
export const maxPriceMicro = 1_000_000 * 1_000_000;

/** Reads a decimal amount as micro-units: `0.07` is 70000. At most six decimals; nothing is rounded. */
export function parseMoneyMicro(text: string): Parsed<number> {
  const match = /^(\d*)(?:\.(\d*))?$/.exec(expandExponent(text.trim()));
  const [, whole = '', fraction = ''] = match ?? [];
  if (!match || whole + fraction === '') {
    return { error: `"${text}" is not an amount; write digits and a point, such as 0.07` };
  }
  if (fraction.replace(/0+$/, '').length > microDigits) return { error: `"${text}" has more than six decimals` };
  if (whole.replace(/^0+/, '').length > 12) return { error: `"${text}" is too large` };
  const micro = Number(whole || '0') * 1_000_000 + Number(fraction.slice(0, microDigits).padEnd(microDigits, '0'));
  return micro > maxPriceMicro ? { error: `"${text}" is more than 1000000` } : { value: micro };
}

/** JavaScript prints small numbers as `1e-7`; the amount is the same without the exponent. */
function expandExponent(text: string): string {
  const match = /^(\d+)(?:\.(\d+))?e([+-]?\d{1,2})$/i.exec(text);
  if (!match) return text;
  const [, whole = '', fraction = '', exponent = '0'] = match;
  const shift = Number(exponent);
  const digits = whole + fraction;
  const point = whole.length + shift;
  if (point <= 0) return `0.${'0'.repeat(-point)}${digits}`;
  return point >= digits.length ? digits.padEnd(point, '0') : `${digits.slice(0, point)}.${digits.slice(point)}`;
}

/**
 * Micro-units as an amount: `formatMoneyMicro(70000n, 'USD', 2)` is `0.07 USD`. Exact in BigInt and rounded once,
 * half away from zero, to `digits` decimals (0 to 6, six by default). A number is taken as whole micro-units.
 */
export function formatMoneyMicro(micro: bigint | number, currency: string, digits = microDigits): string {
  if (typeof micro === 'number' && !Number.isFinite(micro)) return `unknown ${currency}`;
  const amount = typeof micro === 'bigint' ? micro : BigInt(Math.round(micro));
  const kept = Math.min(microDigits, Math.max(0, Math.trunc(digits)));
  const unit = 10n ** BigInt(microDigits - kept);
  const size = amount < 0n ? -amount : amount;
  const rounded = (size + unit / 2n) / unit;
  const text = rounded.toString().padStart(kept + 1, '0');
  const whole = text.slice(0, text.length - kept);
  const sign = amount < 0n && rounded > 0n ? '-' : '';
  return `${sign}${whole}${kept > 0 ? `.${text.slice(-kept)}` : ''} ${currency}`;
}
