import { LineError } from './lineError.ts';
import { type Shape, shown } from './shape.ts';

/** Powers of ten and of 1024 that Kubernetes quantities end with, as exact fractions of thousandths. */
const suffixes: Record<string, [numerator: bigint, denominator: bigint]> = {
  n: [1n, 10n ** 6n],
  u: [1n, 1000n],
  m: [1n, 1n],
  '': [1000n, 1n],
  k: [10n ** 6n, 1n],
  M: [10n ** 9n, 1n],
  G: [10n ** 12n, 1n],
  T: [10n ** 15n, 1n],
  P: [10n ** 18n, 1n],
  Ki: [1000n * 2n ** 10n, 1n],
  Mi: [1000n * 2n ** 20n, 1n],
  Gi: [1000n * 2n ** 30n, 1n],
  Ti: [1000n * 2n ** 40n, 1n],
  Pi: [1000n * 2n ** 50n, 1n],
};

const form = /^(\d{1,19})(?:\.(\d{1,19}))?(n|u|m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$/;

/**
 * Thousandths of a Kubernetes quantity such as `500m`, `1.5`, `100Mi`, rounded up as `MilliValue` does; null for any
 * other text.
 */
export function milliOfQuantity(written: string): number | null {
  const found = form.exec(written.trim());
  if (!found) return null;
  const [, whole = '0', fraction = '', suffix = ''] = found;
  const [numerator, denominator] = suffixes[suffix] ?? [1000n, 1n];
  const divisor = denominator * 10n ** BigInt(fraction.length);
  const product = BigInt(whole + fraction) * numerator;
  const milli = (product + divisor - 1n) / divisor;
  return milli > BigInt(Number.MAX_SAFE_INTEGER) ? null : Number(milli);
}

/** A quantity as text (`"500m"`) or number (0.5), in thousandths. */
export const quantityMilli: Shape<number> = (value, path) => {
  const milli =
    typeof value === 'string'
      ? milliOfQuantity(value)
      : typeof value === 'number' && Number.isFinite(value) && Math.abs(value) < 1e12
        ? Math.ceil(Number((value * 1000).toPrecision(15)))
        : null;
  if (milli !== null) return milli;
  throw new LineError(`${path} is a quantity such as "500m", "100Mi" or 0.5, not ${shown(value)}`);
};

/** Thousandths from the field `NAME` (a quantity) or `NAMEMilli` (a whole number of thousandths), one of the two. */
export function milliOf(fields: Readonly<Record<string, unknown>>, name: string, path: string): number {
  const plain = fields[name];
  const milli = fields[`${name}Milli`];
  if (plain !== undefined && milli !== undefined) {
    throw new LineError(`${path} has both ${name} and ${name}Milli; write one of them`);
  }
  if (milli === undefined) {
    if (plain === undefined) throw new LineError(`${path} needs ${name} (a quantity) or ${name}Milli (thousandths)`);
    return quantityMilli(plain, `${path}.${name}`);
  }
  if (Number.isSafeInteger(milli)) return Number(milli);
  throw new LineError(`${path}.${name}Milli is a whole number of thousandths, not ${shown(milli)}`);
}
