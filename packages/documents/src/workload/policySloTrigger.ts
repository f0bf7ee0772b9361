import { z } from 'zod';
import { durationField } from '../fields/duration.ts';
import type { rule } from '../fields/rule.ts';

const stepSchema = z.strictObject({
  replicas: z.int().min(1).max(100_000).prefault(1).meta({ description: 'At most this many, or the factor.' }),
  factor: z.number().min(1).max(1000).optional().meta({
    description: 'At most this many times the count, or the count divided by it. Left out: 2 up, 1 down.',
  }),
});

/** What every trigger of the policy `slo` has. */
export const sloTriggerFields = {
  name: z
    .string()
    .regex(/^[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?$/, { error: 'must be up to 63 letters, digits and dashes' })
    .optional()
    .meta({ description: 'Name of the readings. Left out: the type.' }),
  window: durationField(1000, 3_600_000)
    .prefault('30s')
    .meta({ description: 'The signal is averaged over this long.' }),
  increase: stepSchema.prefault({}).meta({ description: 'Largest step up.' }),
  decrease: stepSchema.prefault({}).meta({ description: 'Largest step down.' }),
};

export const perReplica = () => z.number().min(0.000_001).max(1_000_000_000);

type Report = Parameters<Parameters<typeof rule<unknown>>[1]>[1];

/** The lower mark must be under the upper one. */
export function belowAbove({ above, below }: { above: number; below?: number | undefined }, report: Report): void {
  if (below === undefined || below < above) return;
  report(['below'], 'below must be less than above', { code: 'out-of-bounds', related: [['above']] });
}
