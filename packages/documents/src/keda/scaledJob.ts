import { z } from 'zod';
import { rule } from '../fields/rule.ts';
import { defineKind, type Hint } from '../kind.ts';
import { kubernetesDocument, kubernetesKey, withoutClusterFields } from '../kubernetes/document.ts';
import { int32Field } from '../kubernetes/names.ts';
import { checkAnnotations, scaledJobAnnotations } from './annotations.ts';
import { jobTemplateHints } from './jobHints.ts';
import { looseText, triggerMetadata, triggersSchema } from './trigger.ts';
import { kedaApiVersion, olderKedaVersions, refusedKedaVersions } from './versions.ts';

const jobTargetSchema = z.looseObject({
  template: z.looseObject({}).meta({ description: 'Template of the pods.' }),
});

const specSchema = z.strictObject({
  jobTargetRef: jobTargetSchema.meta({
    description:
      'The JobSpec of batch/v1 that each Job is made from; on one machine the command of its first container.',
  }),
  pollingInterval: int32Field(1).prefault(30).meta({ description: 'Seconds between two polls of the sources.' }),
  successfulJobsHistoryLimit: int32Field(0).prefault(100).meta({ description: 'Finished Jobs that are kept.' }),
  failedJobsHistoryLimit: int32Field(0).prefault(100).meta({ description: 'Failed Jobs that are kept.' }),
  minReplicaCount: int32Field(0).prefault(0).meta({ description: 'Jobs that always run.' }),
  maxReplicaCount: int32Field(0).optional().meta({
    description: 'Most Jobs at once; those of the minimum count. Left out: 100 beyond the minimum.',
  }),
  envSourceContainerName: z.string().min(1).max(253).optional().meta({
    description: 'Container whose environment `*FromEnv` settings name. Left out: the first.',
  }),
  triggers: triggersSchema.meta({ description: 'Signals of work to be done.' }),
  rollout: z
    .strictObject({
      strategy: z.enum(['immediate', 'default', 'gradual']).prefault('immediate').meta({
        description: 'Whether a change of the template ends Jobs that run: `immediate` (and `default`) does.',
      }),
      propagationPolicy: z
        .enum(['background', 'foreground'])
        .prefault('background')
        .meta({ description: 'How Jobs are deleted.' }),
    })
    .prefault({})
    .meta({ description: 'What happens to running Jobs when the document changes.' }),
  rolloutStrategy: z
    .enum(['immediate', 'default', 'gradual'])
    .optional()
    .meta({ description: 'Older name of `rollout.strategy`; wins over it.' }),
  scalingStrategy: z
    .strictObject({
      strategy: z.enum(['default', 'custom', 'accurate', 'eager']).prefault('default').meta({
        description: 'How running and pending Jobs count against the queue.',
      }),
      multipleScalersCalculation: z.enum(['max', 'min', 'avg', 'sum']).prefault('max').meta({
        description: 'How several triggers become one queue.',
      }),
      pendingPodConditions: z
        .array(z.string().min(1).max(253))
        .prefault([])
        .meta({ description: 'A Job is pending until one of its pods has all of these conditions.' }),
      customScalingQueueLengthDeduction: int32Field(0).optional().meta({
        description: 'Taken off the queue; for the strategy `custom`.',
      }),
      customScalingRunningJobPercentage: looseText()
        .optional()
        .meta({
          description: 'Share of the running Jobs that is taken off, as text; for the strategy `custom`.',
          examples: ['0.5'],
        }),
    })
    .prefault({})
    .meta({ description: 'How many Jobs are created.' }),
});

export const scaledJobSchema = kubernetesDocument(
  kedaApiVersion,
  'ScaledJob',
  specSchema.meta({ description: 'Which Jobs, how many and for what.' }),
).check(rule(['metadata.annotations'], checkAnnotations));
export type ScaledJobInput = z.input<typeof scaledJobSchema>;
export type ScaledJobDocument = z.output<typeof scaledJobSchema>;

export const scaledJobKind = defineKind({
  kind: 'ScaledJob',
  plural: 'scaledjobs',
  apiVersion: kedaApiVersion,
  schema: scaledJobSchema,
  summary: "KEDA's ScaledJob, unchanged: one Job for each piece of work.",
  example: `apiVersion: ${kedaApiVersion}
kind: ScaledJob
metadata:
  name: video-encoder
spec:
  jobTargetRef:
    template:
      spec:
        restartPolicy: Never
        containers: [{ name: encoder, command: [node, encode.mjs], args: [--once] }]
  maxReplicaCount: 8
  scalingStrategy: { strategy: accurate }
  triggers:
    - type: redis
      metadata: { address: "redis:6379", listName: videos, listLength: "1" }
`,
  keyOf: kubernetesKey,
  normalize: withoutClusterFields,
  olderVersions: olderKedaVersions,
  refusedVersions: refusedKedaVersions,
  textFields: [triggerMetadata, ['spec', 'scalingStrategy', 'customScalingRunningJobPercentage']],
  annotations: scaledJobAnnotations,
  hints: ({ spec }) => [...jobTemplateHints(spec), ...settingHints(spec)],
});

/** A percentage as KEDA's parser of floats reads it, or null. */
export function percentageOf(value: string | number | boolean | undefined): number | null {
  return value !== undefined && /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$/.test(String(value))
    ? Number(value)
    : null;
}

/** Settings that KEDA accepts and that do not do what they seem to. */
function settingHints({ minReplicaCount: min, maxReplicaCount: max, ...spec }: ScaledJobDocument['spec']): Hint[] {
  const hints: Hint[] = [];
  const { strategy, customScalingRunningJobPercentage: percentage } = spec.scalingStrategy;
  if (max !== undefined && min > max) {
    const message = `minReplicaCount ${min} is larger than maxReplicaCount ${max}; KEDA makes both ${max}`;
    hints.push({ path: ['spec', 'minReplicaCount'], code: 'no-effect', message });
  }
  if (strategy === 'custom' && percentageOf(percentage) === null) {
    const path = [
      'spec',
      'scalingStrategy',
      percentage === undefined ? 'strategy' : 'customScalingRunningJobPercentage',
    ];
    const message =
      'the strategy custom needs customScalingRunningJobPercentage as a number; without one KEDA takes the default strategy';
    hints.push({ path, code: 'no-effect', message });
  }
  if (spec.rolloutStrategy !== undefined) {
    const message = 'rolloutStrategy is the older name of rollout.strategy; it wins over it';
    hints.push({ path: ['spec', 'rolloutStrategy'], code: 'deprecated', message });
  }
  if (spec.rollout.strategy === 'default' || spec.rolloutStrategy === 'default') {
    const path = spec.rolloutStrategy === 'default' ? ['spec', 'rolloutStrategy'] : ['spec', 'rollout', 'strategy'];
    hints.push({ path, code: 'no-effect', message: '"default" is read as "immediate"; KEDA\'s API server refuses it' });
  }
  return hints;
}
