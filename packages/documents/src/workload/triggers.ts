import { z } from 'zod';
import { reportDuplicates, rule } from '../fields/rule.ts';

/** Also stands in journals and metrics. Wider than a DNS label, because the types (camelCase) are names too. */
const name = z
  .string()
  .regex(/^[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?$/, { error: 'must be up to 63 letters, digits and dashes' })
  .optional()
  .meta({ description: 'Unique within the workload. Left out: the type.' });

/** One strict object a type: a further trigger is one more entry here. */
const triggerSchema = z.discriminatedUnion('type', [
  z
    .strictObject({
      name,
      type: z.literal('concurrency').meta({ description: 'Kind of signal.' }),
      target: z.number().min(0.01).max(1_000_000).meta({ description: 'Requests held or in flight for each replica.' }),
    })
    .meta({ title: 'concurrency', description: 'Requests in flight or held, averaged over the windows.' }),
  z
    .strictObject({
      name,
      type: z.literal('requestRate').meta({ description: 'Kind of signal.' }),
      target: z.number().min(0.001).max(1_000_000).meta({ description: 'Requests a second for each replica.' }),
    })
    .meta({ title: 'requestRate', description: 'Arrivals a second, averaged over the windows.' }),
]);

export const triggersSchema = z.array(triggerSchema).check(
  rule(['*.name', '*.type'], (triggers, report) => {
    const names = triggers.map((trigger) => trigger.name ?? trigger.type);
    reportDuplicates(names, 'trigger', (index) => (triggers[index]?.name ? [index, 'name'] : [index, 'type']), report);
  }),
);
