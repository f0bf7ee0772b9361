import type { Parsed } from './parsed.ts';

/** An exact non-negative fraction. Kubernetes quantities are decimal or binary, so no float can carry them all. */
export interface Rational {
  numerator: bigint;
  denominator: bigint;
}

const decimalExponents: Record<string, number> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const binaryExponents: Record<string, bigint> = { Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n, Pi: 50n, Ei: 60n };
/** Exponents beyond this are typing errors; the bound keeps 1e999999999 from filling the memory. */
const maxExponent = 30;
const maxDigits = 40;

/** What a suffix in another case was meant to be. */
const misspeltSuffixes: Record<string, string> = { K: 'k', ki: 'Ki', mi: 'Mi', gi: 'Gi', g: 'G', t: 'T', KB: 'k' };

/**
 * Reads a Kubernetes quantity exactly: `500m`, `1.5`, `2Gi`, `128M`, `1e3`.
 * Suffixes: n u m k M G T P E (powers of ten), Ki Mi Gi Ti Pi Ei (powers of two), or an exponent.
 * The grammar is that of k8s.io/apimachinery `resource.Quantity`, without its sign.
 */
export function parseQuantity(text: string): Parsed<Rational> {
  const match = /^([+-]?)(\d+\.?\d*|\.\d+)([A-Za-z]*|[eE][+-]?\d+)$/.exec(text.trim());
  const [, sign = '', number = '', suffix = ''] = match ?? [];
  if (!match)
    return { error: `"${text}" is not a quantity; write a number and a suffix, such as 500m, 2, 512Mi or 1Gi` };
  if (sign === '-') return { error: `"${text}" is negative` };
  const [whole = '', fraction = ''] = number.split('.');
  if (whole.length + fraction.length > maxDigits) return { error: `"${text}" has more than ${maxDigits} digits` };
  const digits = BigInt(whole + fraction || '0');

  const binary = binaryExponents[suffix];
  if (binary !== undefined && Object.hasOwn(binaryExponents, suffix)) {
    return { value: { numerator: digits << binary, denominator: 10n ** BigInt(fraction.length) } };
  }
  const exponent = /^[eE][+-]?\d+$/.test(suffix) ? Number(suffix.slice(1)) : suffixExponent(suffix);
  if (exponent === null) {
    const meant = Object.hasOwn(misspeltSuffixes, suffix) ? misspeltSuffixes[suffix] : suffix.replace(/[bB]$/, '');
    const known = meant !== undefined && (Object.hasOwn(binaryExponents, meant) || suffixExponent(meant) !== null);
    return {
      error: `"${text}" has the unknown suffix "${suffix}"; known are m, k, M, G, T, P, E and Ki, Mi, Gi, Ti, Pi, Ei`,
      ...(known ? { suggestion: number + meant } : {}),
    };
  }
  if (Math.abs(exponent) > maxExponent) return { error: `"${text}" is out of range` };
  const shift = exponent - fraction.length;
  return {
    value:
      shift >= 0
        ? { numerator: digits * 10n ** BigInt(shift), denominator: 1n }
        : { numerator: digits, denominator: 10n ** BigInt(-shift) },
  };
}

function suffixExponent(suffix: string): number | null {
  return Object.hasOwn(decimalExponents, suffix) ? (decimalExponents[suffix] ?? null) : null;
}

/** `value × scale` rounded up to a whole number, as Kubernetes rounds; null beyond exact integers. */
export function scaledUp(value: Rational, scale: bigint): number | null {
  const scaled = value.numerator * scale;
  const rounded = (scaled + value.denominator - 1n) / value.denominator;
  return rounded <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(rounded) : null;
}

/** Whether `value × scale` is a whole number. */
export function isWhole(value: Rational, scale: bigint): boolean {
  return (value.numerator * scale) % value.denominator === 0n;
}

/** CPUs or GPUs as thousandths, rounded up: `500m` is 500, `1` is 1000. */
export function parseMilli(text: string): Parsed<number> {
  const quantity = parseQuantity(text);
  if ('error' in quantity) return quantity;
  const milli = scaledUp(quantity.value, 1000n);
  return milli === null ? { error: `"${text}" is too large` } : { value: milli };
}

/** Whole bytes: `1Gi` is 1073741824. A part of a byte is refused, because `400m` was meant as `400Mi`. */
export function parseBytes(text: string): Parsed<number> {
  const quantity = parseQuantity(text);
  if ('error' in quantity) return quantity;
  if (!isWhole(quantity.value, 1n)) {
    const meant = /^\s*\+?([\d.]+)m\s*$/.exec(text);
    return {
      error: `"${text}" is not a whole number of bytes${meant ? ' (m means thousandths)' : ''}`,
      ...(meant ? { suggestion: `${meant[1]}Mi` } : {}),
    };
  }
  const bytes = scaledUp(quantity.value, 1n);
  return bytes === null ? { error: `"${text}" is too large` } : { value: bytes };
}

const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'];

/** `512Mi`, `1.5Gi`, `0`: at most two decimals, rounded to nearest, for people; not meant to be read back. */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return 'unknown';
  let value = Math.abs(bytes);
  let power = 0;
  // The rounded value decides, so that 1048575.9 bytes are 1Mi and never 1024Ki.
  while (Math.round(value * 100) / 100 >= 1024 && power < binarySuffixes.length - 1) {
    value /= 1024;
    power += 1;
  }
  return `${bytes < 0 ? '-' : ''}${Math.round(value * 100) / 100}${binarySuffixes[power]}`;
}

/** `500m`, `2`, `1500m`: thousandths of a CPU or GPU as Kubernetes writes them. */
export function formatMilli(milli: number): string {
  return milli % 1000 === 0 ? String(milli / 1000) : `${milli}m`;
}
