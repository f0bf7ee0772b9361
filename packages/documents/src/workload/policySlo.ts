import { z } from 'zod';
import { durationField } from '../fields/duration.ts';
import { reportDuplicates, rule } from '../fields/rule.ts';
import { sloLlmTriggers } from './policySloLlm.ts';
import { belowAbove, perReplica, sloTriggerFields } from './policySloTrigger.ts';

const timed = <const Type extends string>(type: Type, description: string) =>
  z
    .strictObject({
      type: z.literal(type).meta({ description: 'Kind of signal.' }),
      ...sloTriggerFields,
      above: durationField(1).meta({ description: 'Longer than this: more replicas.' }),
      below: durationField().optional().meta({ description: 'Shorter than this: fewer. Left out: never.' }),
    })
    .check(rule(['above', 'below'], belowAbove))
    .meta({ title: type, description });

const triggerSchema = z.discriminatedUnion('type', [
  timed('responseTime', 'Time from a request to its answer.'),
  timed('queueWait', 'Time that requests wait for a replica.'),
  z
    .strictObject({
      type: z.literal('throughput').meta({ description: 'Kind of signal.' }),
      ...sloTriggerFields,
      above: perReplica().meta({ description: 'Requests a second and replica; more: more replicas.' }),
      below: perReplica().optional().meta({ description: 'Fewer than this: fewer replicas. Left out: never.' }),
    })
    .check(rule(['above', 'below'], belowAbove))
    .meta({ title: 'throughput', description: 'Requests a second that each replica does.' }),
  ...sloLlmTriggers,
]);

export type SloTriggerDocument = z.output<typeof triggerSchema>;

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
