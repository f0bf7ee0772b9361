import { z } from 'zod';
import { parseBytes, parseMilli } from '../units/quantity.ts';
import { readWith } from './text.ts';

function quantityField() {
  return z.union([z.string(), z.number()]).meta({ title: 'quantity' });
}

/** CPUs or GPUs (`2`, `0.5`, `500m`) as whole thousandths. */
export function milliField() {
  return quantityField().transform(readWith(parseMilli, 'invalid-quantity'));
}

/** A size (`512Mi`, `1Gi`, `1000000`) as whole bytes. */
export function bytesField() {
  return quantityField().transform(readWith(parseBytes, 'invalid-quantity'));
}
