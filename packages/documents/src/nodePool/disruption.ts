import { z } from 'zod';
import { cronField } from '../fields/cron.ts';
import { durationField } from '../fields/duration.ts';
import { rule } from '../fields/rule.ts';

export const consolidationSchema = z.strictObject({
  policy: z.enum(['WhenEmpty', 'WhenEmptyOrUnderutilized', 'Never']).prefault('WhenEmptyOrUnderutilized').meta({
    description: 'Which nodes may be removed to save cost.',
  }),
  delay: durationField().prefault('60s').meta({ description: 'How long a node must qualify before it goes.' }),
});

/** After Karpenter's disruption budgets. */
const budgetSchema = z
  .strictObject({
    nodes: z
      .union([
        z.int().min(0),
        z.string().regex(/^(100|\d{1,2})%$/, { error: 'must be a number or a percentage, such as 10%' }),
      ])
      .meta({ description: 'How many nodes may be going at once.', examples: [1, '10%'] }),
    schedule: cronField()
      .optional()
      .meta({ description: 'Cron expression (UTC): when the budget begins to count. Left out: always.' }),
    duration: durationField(60_000).optional().meta({ description: 'How long it counts from each of those moments.' }),
  })
  .check(
    rule(['schedule', 'duration'], ({ schedule, duration }, report) => {
      if ((schedule === undefined) === (duration === undefined)) return;
      const missing = schedule === undefined ? 'schedule' : 'duration';
      report([], `a budget in time needs both schedule and duration; ${missing} is missing`, { code: 'missing-field' });
    }),
  );

export const budgetsSchema = z.array(budgetSchema).max(50);
