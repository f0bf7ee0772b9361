import { Fault } from './problem.ts';
import { toFloat, toInt, type Value } from './values.ts';

/** `int(x)`: floats are cut off, strings are read as decimal digits. */
export function convertToInt(value: Value): bigint {
  if (typeof value !== 'string') return toInt(value);
  const number = /^[+-]?0*\d{1,19}$/.test(value) ? BigInt(value.replace('+', '')) : null;
  if (number === null || BigInt.asIntN(64, number) !== number)
    throw new Fault(`${JSON.stringify(value)} is not an int`);
  return number;
}

/** Digits with single underscores between them, a dot, an exponent. */
const decimal = /^[+-]?(\d+(_\d+)*(\.(\d+(_\d+)*)?)?|\.\d+(_\d+)*)(e[+-]?\d+(_\d+)*)?$/i;

/** `float(x)`: ints are rounded to the nearest float, strings are read. */
export function convertToFloat(value: Value): number {
  if (typeof value !== 'string') return toFloat(value);
  if (/^[+-]?inf(inity)?$/i.test(value))
    return value.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (/^nan$/i.test(value)) return Number.NaN;
  const number = decimal.test(value) ? Number(value.replaceAll('_', '')) : Number.NaN;
  if (!Number.isFinite(number)) throw new Fault(`${JSON.stringify(value)} is not a float`);
  return number;
}
