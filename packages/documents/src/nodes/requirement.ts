import { z } from 'zod';
import { labelKeyField, labelValueField } from '../fields/names.ts';
import { rule } from '../fields/rule.ts';

/** What a requirement may say of a label. */
export const requirementOperators = ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'] as const;

/** One rule on a node's label, with the words of Kubernetes' node affinity and Karpenter's `minValues`. */
const requirementSchema = z
  .strictObject({
    key: labelKeyField().meta({
      description: 'Name of the label.',
      examples: ['node.kubernetes.io/instance-type', 'topology.kubernetes.io/zone'],
    }),
    operator: z.enum(requirementOperators).meta({ description: 'How the label is compared with `values`.' }),
    values: z
      .array(labelValueField())
      .max(600)
      .prefault([])
      .meta({ description: 'What it is compared with; one whole number for Gt and Lt, none for Exists.' }),
    minValues: z.int().min(1).max(600).optional().meta({
      description: 'So many different values must stay possible, so that one stock-out does not stop a start.',
    }),
  })
  .check(
    rule(['operator', 'values', 'minValues'], ({ operator, values, minValues }, report) => {
      const found = values.length === 0 ? 'none' : values.length;
      if ((operator === 'In' || operator === 'NotIn') && values.length === 0) {
        report([], `${operator} needs at least one value, found none`, { code: 'missing-field', allowed: ['values'] });
      }
      if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0) {
        report(['values'], `${operator} takes no values, found ${found}`, { code: 'invalid-value' });
      }
      const isNumber = values.length === 1 && /^\d{1,15}$/.test(values[0] ?? '');
      if ((operator === 'Gt' || operator === 'Lt') && !isNumber) {
        report(['values'], `${operator} takes one whole number, found ${values.join(', ') || 'none'}`, {
          code: 'invalid-value',
        });
      }
      if (operator === 'In' && minValues !== undefined && values.length > 0 && minValues > values.length) {
        report(['minValues'], `minValues ${minValues} is more than the ${values.length} values there are`, {
          code: 'out-of-bounds',
          related: [['values']],
        });
      }
    }),
  );

export const requirementsSchema = z.array(requirementSchema).max(100);

/** A requirement in the form of the node core; null: no `minValues`. */
export interface RequirementSpec {
  key: string;
  operator: (typeof requirementOperators)[number];
  values: string[];
  minValues: number | null;
}

export function resolveRequirements(requirements: z.output<typeof requirementsSchema>): RequirementSpec[] {
  return requirements.map(({ minValues, ...rest }) => ({ ...rest, minValues: minValues ?? null }));
}
