import { z } from 'zod';
import { durationField } from '../fields/duration.ts';
import { type Report, rule } from '../fields/rule.ts';
import { llmServers, llmServerSignals, type LlmSignal, llmSignals } from './llmServers.ts';
import { belowAbove, perReplica, sloTriggerFields } from './policySloTrigger.ts';

const literal = <const Type extends LlmSignal>(type: Type) =>
  z.literal(type).meta({ description: 'Kind of signal, read from the replicas.' });
const half = 'Left out: half of `above`.';

const timed = <const Type extends LlmSignal>(type: Type, below: string, description: string) =>
  z
    .strictObject({
      type: literal(type),
      ...sloTriggerFields,
      quantile: z
        .union([z.number().gt(0).lt(1), z.literal('mean')])
        .prefault(0.95)
        .meta({ description: 'Which of the times within the window: 0.95 is the p95, or `mean`.' }),
      above: durationField(1).meta({ description: 'Longer than this: more replicas.' }),
      below: durationField()
        .optional()
        .meta({ description: `Shorter than this: fewer replicas. ${below}` }),
    })
    .check(rule(['above', 'below'], belowAbove))
    .meta({ title: type, description });

const counted = <const Type extends LlmSignal>(type: Type, value: () => z.ZodNumber, description: string) =>
  z
    .strictObject({
      type: literal(type),
      ...sloTriggerFields,
      above: value().meta({ description: 'More than this, on average of the replicas: more replicas.' }),
      below: value()
        .optional()
        .meta({ description: `Less than this: fewer replicas. ${half}` }),
    })
    .check(rule(['above', 'below'], belowAbove))
    .meta({ title: type, description });

/** Triggers on what servers of language models publish themselves. */
export const sloLlmTriggers = [
  timed('timeToFirstToken', half, 'Time from the arrival at the server to the first token.'),
  timed('interTokenLatency', 'Left out: no say in shrinking.', 'Time from a token to the next.'),
  counted('tokensPerSecond', perReplica, 'Tokens generated a second and replica.'),
  counted('kvCacheUse', () => z.number().gt(0).max(1), 'Share of the KV cache in use, 0 to 1.'),
  counted('waitingRequests', perReplica, "Requests in each server's own queue."),
  counted('runningRequests', perReplica, 'Requests that each server works on.'),
] as const;

const share = 'Share of the times that must be within `above`, such as 0.99.';

/** Fields of the policy beside its triggers. */
export const sloPolicyFields = {
  metrics: z
    .strictObject({
      server: z
        .enum(['auto', ...llmServers])
        .prefault('auto')
        .meta({
          description: 'Whose metrics they are; auto: what the page looks like.',
        }),
      path: z
        .string()
        .regex(/^\/\S*$/, { error: 'must begin with /' })
        .prefault('/metrics')
        .meta({
          description: 'Where each replica has them.',
        }),
      port: z.int().min(1).max(65_535).optional().meta({ description: "Left out: the replica's own port." }),
      interval: durationField(200, 60_000).prefault('1s').meta({ description: 'How often they are read.' }),
    })
    .optional()
    .meta({
      description: "Where the replicas' own metrics are; read when a trigger needs them, or when this is here.",
    }),
  objective: z
    .strictObject({
      share: z.number().min(0.5).lt(1).meta({ description: share }),
      window: durationField(60_000, 30 * 86_400_000)
        .prefault('1h')
        .meta({ description: 'Over this long.' }),
    })
    .optional()
    .meta({ description: 'What the error budget is counted by; it slows and speeds up shrinking.' }),
};

interface Policy {
  triggers: readonly { type: string; quantile?: number | 'mean' | undefined }[];
  metrics?: { server: 'auto' | (typeof llmServers)[number] } | undefined;
  objective?: object | undefined;
}

const timesFelt = ['timeToFirstToken', 'interTokenLatency', 'responseTime', 'queueWait'];

/** What triggers ask of the server, and what an objective is counted by. */
export function checkSloPolicy({ triggers, metrics, objective }: Policy, report: Report): void {
  if (objective && !triggers.some(({ type }) => timesFelt.includes(type))) {
    const allowed = timesFelt.join(', ');
    report(['objective'], `an objective needs a trigger on a time (${allowed}); there is none`, {
      code: 'missing-field',
    });
  }
  const server = metrics?.server ?? 'auto';
  if (server === 'auto') return;
  for (const [index, { type, quantile }] of triggers.entries()) {
    const signal = llmSignals.find((one) => one === type);
    if (!signal) continue;
    const kind = llmServerSignals[server][signal];
    const allowed = llmSignals.filter((one) => llmServerSignals[server][one] !== undefined);
    if (kind === undefined) {
      const message = `${server} publishes no ${signal}`;
      report(['triggers', index, 'type'], message, {
        code: 'invalid-value',
        allowed,
        related: [['metrics', 'server']],
      });
    } else if (kind === 'mean' && quantile !== 'mean') {
      const message = `${server} publishes only the mean of ${signal}, not ${quantile}: write quantile: mean`;
      report(['triggers', index, 'type'], message, { code: 'invalid-value', related: [['metrics', 'server']] });
    }
  }
}
