import { z } from 'zod';
import { cronField } from '../fields/cron.ts';
import { durationField } from '../fields/duration.ts';
import { rule } from '../fields/rule.ts';

const share = () => z.number().min(0).max(1);

export const consolidationSchema = z.strictObject({
  policy: z.enum(['WhenEmpty', 'WhenEmptyOrUnderutilized', 'Never']).prefault('WhenEmptyOrUnderutilized').meta({
    description: 'Which nodes may be removed to save cost.',
  }),
  delay: durationField().prefault('60s').meta({ description: 'How long a node must qualify before it goes.' }),
  delayAfterScaleUp: durationField()
    .prefault('0s')
    .meta({ description: 'No node goes within this long after one came.' }),
  utilizationBelow: share()
    .optional()
    .meta({
      description:
        'Only nodes are emptied of whose processors and memory at most this share is set aside. Left out: any node.',
      examples: [0.5],
    }),
  gpuUtilizationBelow: share()
    .optional()
    .meta({ description: 'The same of the GPUs, for nodes that have some.', examples: [0.5] }),
});

/** Why a node goes; `Drifted`: it is not as its pool has it any more, or has expired. */
export const disruptionReasons = ['Underutilized', 'Empty', 'Drifted'] as const;

/** After Karpenter's disruption budgets. */
const budgetSchema = z
  .strictObject({
    nodes: z
      .union([
        z.int().min(0),
        z.string().regex(/^(100|\d{1,2})%$/, { error: 'must be a number or a percentage, such as 10%' }),
      ])
      .meta({ description: 'How many nodes may be going at once.', examples: [1, '10%'] }),
    reasons: z.array(z.enum(disruptionReasons)).max(50).prefault([]).meta({
      description: 'For which reasons it counts. Empty: for all.',
    }),
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
