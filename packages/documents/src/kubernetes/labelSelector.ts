import { z } from 'zod';
import { labelKeyField, labelValueField } from '../fields/names.ts';
import { rule } from '../fields/rule.ts';

const expressionSchema = z
  .strictObject({
    key: labelKeyField().meta({ description: 'The label.' }),
    operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']).meta({ description: 'How it is compared.' }),
    values: z.array(labelValueField()).optional().meta({ description: 'With what; for `In` and `NotIn` only.' }),
  })
  .check(
    rule(['operator', 'values'], ({ operator, values }, report) => {
      const needsValues = operator === 'In' || operator === 'NotIn';
      const hasValues = values !== undefined && values.length > 0;
      if (needsValues === hasValues) return;
      const message = needsValues ? `${operator} needs values` : `${operator} takes no values`;
      report(['values'], message, { code: needsValues ? 'missing-field' : 'invalid-value', related: [['operator']] });
    }),
  );

/** Which labels a series or object must have; all of it must match. */
export const labelSelectorSchema = z.strictObject({
  matchLabels: z
    .record(labelKeyField(), labelValueField())
    .optional()
    .meta({ description: 'Labels and their values.' }),
  matchExpressions: z.array(expressionSchema).optional().meta({ description: 'Comparisons.' }),
});
