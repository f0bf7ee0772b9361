import { z } from 'zod';
import { durationField } from '../fields/duration.ts';

const hourMs = 3_600_000;

/** After HorizontalPodAutoscaler's `behavior`; without policies nothing limits the rate. */
const rulesSchema = z.strictObject({
  stabilizationWindow: durationField(0, hourMs).prefault('0s').meta({
    description:
      'Takes the most careful recommendation of this long: the largest when going down, the smallest when going up.',
  }),
  selectPolicy: z.enum(['Max', 'Min', 'Disabled']).prefault('Max').meta({
    description: 'Which of several policies counts; `Disabled` forbids the direction.',
  }),
  policies: z
    .array(
      z.strictObject({
        type: z
          .enum(['Pods', 'Percent'])
          .meta({ description: '`Pods`: replicas; `Percent`: of the replicas there are.' }),
        value: z
          .int()
          .min(1)
          .max(1_000_000)
          .meta({ description: 'How many may be added or removed within the period.' }),
        period: durationField(1000, hourMs / 2)
          .prefault('15s')
          .meta({ description: 'The time that `value` is counted over.' }),
      }),
    )
    .max(20)
    .prefault([])
    .meta({ description: 'Limits of the rate. Empty: none.' }),
});

export const behaviorSchema = z.strictObject({
  scaleUp: rulesSchema.prefault({}).meta({ description: 'When replicas are added.' }),
  scaleDown: rulesSchema.prefault({}).meta({ description: 'When replicas are removed.' }),
});
