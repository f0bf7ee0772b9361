import { z } from 'zod';
import { readWith } from '../fields/text.ts';
import type { Parsed } from '../units/parsed.ts';
import { parseMilli, parseQuantity } from '../units/quantity.ts';

const quantity = () => z.union([z.string(), z.number()]).meta({ title: 'quantity' });

/** A quantity above zero as whole thousandths, rounded up as `Quantity.MilliValue` does. */
export function positiveMilliField() {
  return quantity().transform(
    readWith<number>((text) => {
      const parsed = parseMilli(text);
      return 'value' in parsed && parsed.value === 0 ? { error: `"${text}" must be more than 0` } : parsed;
    }, 'invalid-quantity'),
  );
}

/** A quantity of at least zero as a plain number, such as a tolerance of `100m`, which is 0.1. */
export function ratioField() {
  return quantity().transform(readWith(parseRatio, 'invalid-quantity'));
}

function parseRatio(text: string): Parsed<number> {
  const parsed = parseQuantity(text);
  if ('error' in parsed) return parsed;
  return { value: Number(parsed.value.numerator) / Number(parsed.value.denominator) };
}
