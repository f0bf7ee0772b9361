import { z } from 'zod';
import { labelKeyField, labelValueField } from '../fields/names.ts';
import { rule } from '../fields/rule.ts';

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] as const;

export const taintSchema = z.strictObject({
  key: labelKeyField().meta({ description: 'Name of the taint.' }),
  value: labelValueField().prefault('').meta({ description: 'Its value.' }),
  effect: z.enum(effects).meta({ description: 'What it does, as in Kubernetes.' }),
});

/** As in Kubernetes; `tolerationSeconds` is left out, because a node that goes is drained in its own time. */
export const tolerationSchema = z
  .strictObject({
    key: labelKeyField().optional().meta({ description: 'Name of the taint. Left out: any, with `Exists`.' }),
    operator: z.enum(['Equal', 'Exists']).prefault('Equal').meta({ description: 'Whether the value counts.' }),
    value: labelValueField().prefault('').meta({ description: 'Value of the taint, with `Equal`.' }),
    effect: z.enum(effects).optional().meta({ description: 'Which effect is tolerated. Left out: all.' }),
  })
  .check(
    rule(['key', 'operator', 'value'], ({ key, operator, value }, report) => {
      if (operator === 'Exists' && value !== '') {
        report(['value'], `Exists takes no value, found "${value}"`, { code: 'invalid-value' });
      }
      if (operator === 'Equal' && key === undefined) {
        report([], 'a toleration with Equal needs the key of a taint', { code: 'missing-field', allowed: ['key'] });
      }
    }),
  );

/** A toleration in the form of the node core. */
export interface TolerationSpec {
  /** Null, here and below: any. */
  key: string | null;
  operator: 'Equal' | 'Exists';
  value: string;
  effect: (typeof effects)[number] | null;
}

export function resolveToleration(toleration: z.output<typeof tolerationSchema>): TolerationSpec {
  return { ...toleration, key: toleration.key ?? null, effect: toleration.effect ?? null };
}
