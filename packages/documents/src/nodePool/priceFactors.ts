import { z } from 'zod';
import { moneyField } from '../fields/money.ts';
import { reportDuplicates, rule } from '../fields/rule.ts';

export const capacityTypes = ['on-demand', 'spot', 'reserved'] as const;

const priceFactorSchema = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(63)
    .meta({ description: 'As bills and reports call it.', examples: ['savings plan'] }),
  factor: z
    .number()
    .min(0)
    .max(10)
    .meta({ description: 'What the list price is multiplied by; 0.72: 28 % off.', examples: [0.72] }),
  capacityTypes: z.array(z.enum(capacityTypes)).prefault([]).meta({ description: 'For which. Empty: all.' }),
  instanceTypes: z
    .array(z.string().regex(/^[A-Za-z0-9._-]+\*?$/, { error: 'is not the name of a machine, or its beginning and *' }))
    .prefault([])
    .meta({ description: 'For which, by name or by its beginning and `*`. Empty: all.', examples: [['g5.*']] }),
  commitmentPerHour: moneyField()
    .optional()
    .meta({
      description:
        'What is paid an hour whether it is used or not; the factor counts up to that amount, beyond it the list price.',
      examples: ['4.00'],
    }),
});

/** Of those that fit a machine, the first one counts. */
export const priceFactorsSchema = z
  .array(priceFactorSchema)
  .max(50)
  .check(
    rule(['*.name'], (factors, report) => {
      reportDuplicates(
        factors.map(({ name }) => name),
        'price factor',
        (index) => [index, 'name'],
        report,
      );
    }),
  );

/** A discount on list prices; of those that fit a machine the first one counts. */
export interface PriceFactorSpec {
  name: string;
  factor: number;
  /** Empty, here and below: all. */
  capacityTypes: (typeof capacityTypes)[number][];
  /** Names, or beginnings of names with `*`. */
  instanceTypes: string[];
  /** Paid whether used or not; null: no commitment. */
  commitmentPerHourMicro: number | null;
}

export function resolvePriceFactors(factors: z.output<typeof priceFactorsSchema>): PriceFactorSpec[] {
  return factors.map(({ commitmentPerHour, ...rest }) => ({
    ...rest,
    commitmentPerHourMicro: commitmentPerHour ?? null,
  }));
}
