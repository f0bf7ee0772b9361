import { z } from 'zod';
import { durationField } from '../fields/duration.ts';
import { currencyField, moneyField } from '../fields/money.ts';
import { nameField } from '../fields/names.ts';
import { bytesField, milliField } from '../fields/quantity.ts';

const budgetSchema = z.strictObject({
  perMonth: moneyField().meta({
    description: 'Most that replicas may cost in a calendar month (UTC).',
    examples: ['300'],
  }),
  currency: currencyField().prefault('USD').meta({ description: 'ISO 4217; prices in others do not count.' }),
  mode: z.enum(['warn', 'stopGrowing']).prefault('stopGrowing').meta({
    description:
      '`stopGrowing`: nothing more starts when what is left does not pay an hour of it; what runs stays. `warn`: it is only said.',
  }),
});

const webhookField = z
  .string()
  .max(2048)
  .regex(/^https?:\/\/[^\s/?#@]+([/?#]\S*)?$/i, { error: 'must be an http or https address without a user name' });

export const clusterBudgetSchema = budgetSchema.meta({
  description: 'Money for all workloads together. At 80 % and at 100 % it is said in the log and to the webhook.',
});

export const namespacesSchema = z
  .array(
    z.strictObject({
      name: nameField().meta({ description: 'Name of the namespace.' }),
      maxReplicas: z.int().min(0).max(1_000_000).optional().meta({ description: 'Replicas of all its workloads.' }),
      cpu: milliField().optional().meta({ description: 'Processors set aside.' }),
      memory: bytesField().optional().meta({ description: 'Memory set aside.' }),
      gpu: milliField().optional().meta({ description: 'GPUs set aside.' }),
      maxPricePerHour: moneyField().optional().meta({ description: 'What its replicas may cost an hour.' }),
      budget: budgetSchema.optional().meta({ description: 'Money for its workloads.' }),
    }),
  )
  .max(1000)
  .check((context) => {
    const seen = new Set<string>();
    for (const [index, { name }] of context.value.entries()) {
      if (seen.has(name)) {
        context.issues.push({
          code: 'custom',
          message: `namespace "${name}" is there twice`,
          path: [index, 'name'],
          input: name,
        });
      }
      seen.add(name);
    }
  });

export const alarmsSchema = z
  .strictObject({
    idleCostAbove: moneyField()
      .optional()
      .meta({
        description: "What a workload may cost without a request before it is named, in its prices' currency.",
        examples: ['5.00'],
      }),
    idleFor: durationField().prefault('1h').meta({ description: 'How long it must have had no request.' }),
    webhook: webhookField.optional().meta({
      description:
        'Where alarms and budgets are told, as a POST of JSON. Who can read this document can read the address; the log names its host only.',
      examples: ['https://hooks.example.com/ebb'],
    }),
  })
  .meta({ description: 'What costs without use is named.' });
