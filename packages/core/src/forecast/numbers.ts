import type { Json } from '../replicas/types.ts';

const powers = Array.from({ length: 24 }, (_, exponent) => 10 ** exponent);
const power = (exponent: number): number => powers[exponent] ?? 10 ** exponent;

/**
 * The nearest number of at most `digits` digits, and of one less behind the point: what is remembered is rounded when
 * it is learnt, so that memory is short and a forecast that was stored goes on exactly as one that was not.
 */
export function rounded(value: number, digits: number): number {
  const size = Math.abs(value);
  const places = size < 1 ? digits - 1 : digits - 1 - Math.floor(Math.log10(size));
  const next =
    places >= 0
      ? Math.round(value * power(places)) / power(places)
      : Math.round(value / power(-places)) * power(-places);
  // JSON knows no −0.
  return next + 0;
}

/** A stored list of exactly `count` finite numbers, or null. */
export function storedNumbers(json: Json | undefined, count: number): Float64Array | null {
  if (!Array.isArray(json) || json.length !== count) return null;
  const numbers = new Float64Array(count);
  for (let index = 0; index < count; index += 1) {
    const value = json[index];
    if (typeof value !== 'number' || !Number.isFinite(value)) return null;
    numbers[index] = value;
  }
  return numbers;
}

/** Element of a numeric array that is known to be there. */
export const at = (numbers: ArrayLike<number>, index: number): number => numbers[index] ?? 0;

/**
 * One step of an expectile that forgets: above the estimate a sample pulls it by `up`, below by `down`. With up : down
 * of τ : 1 − τ it settles at the τ-expectile, the asymmetric least-squares cousin of the quantile, which unlike a
 * quantile moves at once when demand grows. Source: Newey and Powell, Econometrica 55(4), 1987.
 */
export const expectileStep = (estimate: number, sample: number, up: number, down: number): number =>
  estimate + (sample > estimate ? up : down) * (sample - estimate);

export const quarterMs = 900_000;
export const hourMs = 3_600_000;
export const dayMs = 86_400_000;
export const weekMs = 604_800_000;
