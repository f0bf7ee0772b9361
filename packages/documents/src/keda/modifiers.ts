import { z } from 'zod';
import { rule } from '../fields/rule.ts';
import { looseText } from './trigger.ts';

/** Formula and target of the composite metric. Whether the formula is right is asked where formulas are known: in core. */
export const modifiersSchema = z
  .strictObject({
    formula: z
      .string()
      .max(20_000)
      .optional()
      .meta({
        description: 'Expression over the names of the triggers.',
        examples: ['(orders + returns) / 2'],
      }),
    target: looseText()
      .optional()
      .meta({ description: 'What the formula is compared with, a number above 0 as text.' }),
    activationTarget: looseText().optional().meta({
      description: 'Active above this value of the formula, a number as text. Left out: 0.',
    }),
    metricType: z
      .enum(['AverageValue', 'Value'])
      .prefault('AverageValue')
      .meta({ description: 'Whether the target is for each replica or for all.' }),
  })
  .check(
    rule(['formula', 'target'], ({ formula = '', target }, report) => {
      const hasTarget = target !== undefined && target !== '';
      if (formula !== '' && !hasTarget) {
        report(['formula'], 'a formula needs a target', { code: 'missing-field', allowed: ['target'] });
      }
      if (formula === '' && hasTarget) {
        report(['target'], 'a target needs a formula', { code: 'missing-field', allowed: ['formula'] });
      }
      if (!hasTarget || (isNumber(target) && Number(target) > 0)) return;
      report(['target'], `target must be a number above 0, found "${target}"`, { code: 'invalid-value' });
    }),
    rule(['activationTarget'], ({ activationTarget }, report) => {
      if (activationTarget === undefined || activationTarget === '' || isNumber(activationTarget)) return;
      const message = `activationTarget must be a number, found "${activationTarget}"`;
      report(['activationTarget'], message, { code: 'invalid-value' });
    }),
  );

export interface KedaModifiersSpec {
  formula: string;
  target: number;
  activationTarget: number;
  metricType: 'AverageValue' | 'Value';
}

/** Null where there is no formula. */
export function resolveModifiers(modifiers: z.output<typeof modifiersSchema> | undefined): KedaModifiersSpec | null {
  if (!modifiers?.formula) return null;
  const { formula, target, activationTarget, metricType } = modifiers;
  return { formula, target: Number(target), activationTarget: Number(activationTarget || 0), metricType };
}

function isNumber(value: string | number | boolean): boolean {
  return typeof value === 'number' || /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$/.test(String(value));
}
