import { z } from 'zod';
import { durationField } from '../fields/duration.ts';
import { reportDuplicates, rule } from '../fields/rule.ts';

const stepSchema = z.strictObject({
  replicas: z.int().min(1).max(100_000).prefault(1).meta({ description: 'At most this many, or the factor.' }),
  factor: z.number().min(1).max(1000).optional().meta({
    description: 'At most this many times the count, or the count divided by it. Left out: 2 up, 1 down.',
  }),
});

const shared = {
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

const timed = <const Type extends string>(type: Type, description: string) =>
  z
    .strictObject({
      type: z.literal(type).meta({ description: 'Kind of signal.' }),
      ...shared,
      above: durationField(1).meta({ description: 'Longer than this: more replicas.' }),
      below: durationField().optional().meta({ description: 'Shorter than this: fewer. Left out: never.' }),
    })
    .check(rule(['above', 'below'], belowAbove))
    .meta({ title: type, description });

function belowAbove({ above, below }: { above: number; below?: number | undefined }, report: BelowReport): void {
  if (below === undefined || below < above) return;
  report(['below'], 'below must be less than above', { code: 'out-of-bounds', related: [['above']] });
}
type BelowReport = Parameters<Parameters<typeof rule<unknown>>[1]>[1];

const perReplica = () => z.number().min(0.000_001).max(1_000_000_000);

const triggerSchema = z.discriminatedUnion('type', [
  timed('responseTime', 'Time from a request to its answer.'),
  timed('queueWait', 'Time that requests wait for a replica.'),
  z
    .strictObject({
      type: z.literal('throughput').meta({ description: 'Kind of signal.' }),
      ...shared,
      above: perReplica().meta({ description: 'Requests a second and replica; more: more replicas.' }),
      below: perReplica().optional().meta({ description: 'Fewer than this: fewer replicas. Left out: never.' }),
    })
    .check(rule(['above', 'below'], belowAbove))
    .meta({ title: 'throughput', description: 'Requests a second that each replica does.' }),
]);

export const sloFields = {
  triggers: z
    .array(triggerSchema)
    .min(1)
    .check(
      rule(['*.name', '*.type'], (triggers, report) => {
        const names = triggers.map(({ name, type }) => name ?? type);
        reportDuplicates(names, 'trigger', (index) => [index, triggers[index]?.name ? 'name' : 'type'], report);
      }),
    )
    .meta({ description: 'Signals; the one that asks for most wins.' }),
  startTime: durationField().prefault('30s').meta({
    description: 'Time from a decision to a ready replica, until a longer one has been seen.',
  }),
};
