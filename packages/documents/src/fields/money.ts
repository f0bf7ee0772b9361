import { z } from 'zod';
import { parseMoneyMicro } from '../units/money.ts';
import { readWith } from './text.ts';

/** An amount of money (`"0.07"` or 0.07, at most six decimals) as whole micro-units. */
export function moneyField() {
  return z
    .union([z.string(), z.number()])
    .meta({ title: 'amount' })
    .transform(readWith(parseMoneyMicro, 'invalid-amount'));
}

export function currencyField() {
  return z.string().regex(/^[A-Z]{3}$/, { error: 'must be an ISO 4217 code of three capitals, such as USD or EUR' });
}
