import { z } from 'zod';
import { durationField } from '../fields/duration.ts';
import { type Report, rule } from '../fields/rule.ts';
import { formatDuration } from '../units/duration.ts';
import { behaviorSchema } from './behavior.ts';
import { policySchema } from './policy.ts';
import { eventsSchema } from './events.ts';
import { schedulesSchema } from './schedules.ts';
import { triggersSchema } from './triggers.ts';

const replicas = () => z.int().min(0).max(100_000);

export const windowsSchema = z
  .strictObject({
    stable: durationField(1000, 3_600_000)
      .prefault('60s')
      .meta({ description: 'The window that counts in quiet times.' }),
    panic: durationField(1).prefault('6s').meta({ description: 'The short window that notices a burst.' }),
    panicThreshold: z.number().min(1).max(1000).prefault(2).meta({
      description: 'Panic begins when the panic window asks for this many times the ready replicas.',
    }),
    maxScaleUpRate: z
      .number()
      .gt(1)
      .max(1_000_000)
      .prefault(1000)
      .meta({ description: 'Most growth in one step, as a factor.' }),
    maxScaleDownRate: z
      .number()
      .gt(1)
      .max(1_000_000)
      .prefault(2)
      .meta({ description: 'Most shrinking in one step, as a divisor.' }),
    targetUtilization: z.number().min(0.01).max(1).optional().meta({
      description:
        "Share of a trigger's target that is planned for. Left out: 1 when every class works on one request at a time, else 0.7.",
    }),
  })
  .check(
    rule(['stable', 'panic'], ({ stable, panic }, report) => {
      if (panic < stable) return;
      report(
        ['panic'],
        `the panic window ${formatDuration(panic)} must be shorter than the stable window ${formatDuration(stable)}`,
        {
          code: 'out-of-bounds',
          related: [['stable']],
        },
      );
    }),
  );

const pausedSchema = z.union([
  z.boolean(),
  z.strictObject({ replicas: replicas().optional().meta({ description: 'Left out: what runs is kept.' }) }),
]);

export const scalingSchema = z
  .strictObject({
    minReplicas: replicas().prefault(0).meta({ description: 'Never fewer; 0 lets it go to zero.' }),
    maxReplicas: z.int().min(1).max(100_000).prefault(1).meta({ description: 'Never more.' }),
    initialReplicas: replicas().optional().meta({
      description: 'Asked for when the workload is first applied. Left out: minReplicas.',
    }),
    policy: policySchema.optional().meta({
      description:
        'Which rules decide; those of other systems have the names and defaults of their origin. Left out: `priced`, or ' +
        '`windows` where the document has `windows` or `triggers`.',
    }),
    windows: windowsSchema.optional().meta({ description: "Averaging of demand, after Knative's autoscaler." }),
    triggers: triggersSchema.prefault([]).meta({
      description:
        'Signals of demand; the one that asks for most wins. Empty: concurrency, with the largest concurrency of the ' +
        'classes as its target, or 10 when one has no limit.',
      examples: [[{ type: 'concurrency', target: 1 }]],
    }),
    keepAlive: durationField()
      .optional()
      .meta({
        description:
          'How long an idle workload keeps its last replica. Left out: 60s, and with the policy `priced` as long as that is ' +
          'worth its price.',
      }),
    behavior: behaviorSchema
      .prefault({})
      .meta({ description: "Limits of pace, after HorizontalPodAutoscaler's `behavior`." }),
    schedules: schedulesSchema.prefault([]).meta({ description: 'Times of day and week with a higher minimum.' }),
    events: eventsSchema
      .prefault([])
      .meta({ description: 'Dated events, such as holidays and promotions, with more demand or a higher minimum.' }),
    paused: pausedSchema.prefault(false).meta({
      description: '`true` keeps the replicas as they are; `{replicas: N}` goes to N and stays there.',
    }),
  })
  .check(
    rule(['minReplicas', 'maxReplicas'], ({ minReplicas, maxReplicas }, report) => {
      if (minReplicas <= maxReplicas) return;
      report(['minReplicas'], `minReplicas ${minReplicas} is larger than maxReplicas ${maxReplicas}`, {
        code: 'out-of-bounds',
        related: [['maxReplicas']],
      });
    }),
    rule(['minReplicas', 'initialReplicas'], ({ minReplicas, initialReplicas }, report) => {
      if (initialReplicas === undefined || initialReplicas >= minReplicas) return;
      report(['initialReplicas'], `initialReplicas ${initialReplicas} is less than minReplicas ${minReplicas}`, {
        code: 'out-of-bounds',
        related: [['minReplicas']],
      });
    }),
    rule(['maxReplicas', 'initialReplicas'], ({ maxReplicas, initialReplicas }, report) => {
      reportAboveMax(['initialReplicas'], initialReplicas, maxReplicas, report);
    }),
    rule(['maxReplicas', 'paused'], ({ maxReplicas, paused }, report) => {
      if (typeof paused === 'object') reportAboveMax(['paused', 'replicas'], paused.replicas, maxReplicas, report);
    }),
    rule(['maxReplicas', 'schedules.*.minReplicas'], ({ maxReplicas, schedules }, report) => {
      for (const [index, schedule] of schedules.entries()) {
        reportAboveMax(['schedules', index, 'minReplicas'], schedule.minReplicas, maxReplicas, report);
      }
    }),
    rule(['maxReplicas', 'events.*.minReplicas'], ({ maxReplicas, events }, report) => {
      for (const [index, event] of events.entries()) {
        reportAboveMax(['events', index, 'minReplicas'], event.minReplicas, maxReplicas, report);
      }
    }),
  );

function reportAboveMax(
  path: (string | number)[],
  value: number | undefined,
  maxReplicas: number,
  report: Report,
): void {
  if (value === undefined || value <= maxReplicas) return;
  report(path, `${path.at(-1)} ${value} is larger than maxReplicas ${maxReplicas}`, {
    code: 'out-of-bounds',
    related: [['maxReplicas']],
  });
}
