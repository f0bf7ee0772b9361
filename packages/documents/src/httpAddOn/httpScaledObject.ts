import { z } from 'zod';
import { goDurationField } from '../fields/goDuration.ts';
import { rule } from '../fields/rule.ts';
import { defineKind, type Hint } from '../kind.ts';
import { kubernetesDocument, kubernetesKey, withoutClusterFields } from '../kubernetes/document.ts';
import { int32Field, segmentField } from '../kubernetes/names.ts';
import { headersSchema, httpGroup, portHint, portRule, requestRateFields, serviceFields } from './fields.ts';

const apiVersion = `${httpGroup}/v1alpha1`;

/** Annotations of the add-on's operator. */
export const httpAnnotations = {
  skipScaledObject: 'httpscaledobject.keda.sh/skip-scaledobject-creation',
  orphanScaledObject: 'httpscaledobject.keda.sh/orphan-scaledobject',
} as const;

const targetValue = () => int32Field(1).prefault(100).meta({ description: 'Target for each replica.' });

const scalingMetricSchema = z
  .strictObject({
    concurrency: z
      .strictObject({ targetValue: targetValue() })
      .optional()
      .meta({ description: 'By requests in flight; this or `requestRate`.' }),
    requestRate: z
      .strictObject({ targetValue: targetValue(), ...requestRateFields() })
      .optional()
      .meta({ description: 'By requests a second.' }),
  })
  .check(
    rule(['concurrency', 'requestRate'], ({ concurrency, requestRate }, report) => {
      if ((concurrency === undefined) !== (requestRate === undefined)) return;
      const allowed = ['concurrency', 'requestRate'];
      if (!concurrency) {
        report([], 'one of concurrency and requestRate is needed', { code: 'missing-field', allowed });
        return;
      }
      report(['requestRate'], 'an HTTPScaledObject goes by one of concurrency and requestRate, found both', {
        code: 'one-of',
        related: [['concurrency']],
      });
    }),
  );

const specSchema = z.strictObject({
  hosts: z.array(z.string().min(1).max(253)).optional().meta({ description: 'Hosts of the requests. Left out: any.' }),
  pathPrefixes: z
    .array(z.string().min(1).max(4096))
    .optional()
    .meta({ description: 'Beginnings of the paths; the longest wins. Left out: any.' }),
  headers: headersSchema().optional().meta({ description: 'Headers that all must match; the most specific wins.' }),
  scaleTargetRef: z
    .strictObject({
      name: segmentField().optional().meta({
        description: 'What is scaled; on one machine the Workload of that name, whatever the kind says.',
      }),
      apiVersion: z.string().max(253).prefault('apps/v1').meta({ description: 'Group and version.' }),
      kind: segmentField().prefault('Deployment').meta({ description: 'Anything with a scale subresource.' }),
      ...serviceFields('service'),
    })
    .check(portRule())
    .meta({ description: 'What is scaled, and the Service in front of it.' }),
  replicas: z
    .strictObject({
      min: int32Field(0).prefault(0).meta({ description: 'Never fewer while active.' }),
      max: int32Field(1).prefault(100).meta({ description: 'Never more.' }),
    })
    .check(
      rule(['min', 'max'], ({ min, max }, report) => {
        if (min <= max) return;
        report(['min'], `min ${min} is larger than max ${max}`, { code: 'out-of-bounds', related: [['max']] });
      }),
    )
    .prefault({})
    .meta({ description: 'Bounds of the number of replicas.' }),
  targetPendingRequests: int32Field(1).optional().meta({
    description: 'Older way to write `scalingMetric.concurrency.targetValue`.',
  }),
  scaledownPeriod: int32Field(0)
    .prefault(300)
    .meta({ description: 'Seconds without requests before it goes to zero.' }),
  initialCooldownPeriod: int32Field(0).prefault(0).meta({
    description: 'Seconds after creation before the first way to zero.',
  }),
  scalingMetric: scalingMetricSchema.optional().meta({
    description: 'What the replicas are counted from. Left out: 100 requests in flight for each.',
  }),
  coldStartTimeoutFailoverRef: z
    .strictObject({
      ...serviceFields('service'),
      timeoutSeconds: int32Field(0).prefault(30).meta({ description: 'Seconds that a request waits before.' }),
    })
    .check(portRule())
    .optional()
    .meta({ description: 'Where a request goes that has waited too long for the target.' }),
  timeouts: z
    .strictObject({
      conditionWait: goDurationField().optional().meta({ description: 'How long a request waits for a replica.' }),
      responseHeader: goDurationField().optional().meta({ description: 'How long the answer may take to begin.' }),
    })
    .prefault({})
    .meta({ description: 'Limits of time. Left out: those of the gateway.' }),
});

export const httpScaledObjectSchema = kubernetesDocument(
  apiVersion,
  'HTTPScaledObject',
  specSchema.meta({ description: 'Which requests, what they scale and how far.' }),
).check(
  rule(['metadata.annotations', 'spec.scaleTargetRef'], ({ metadata, spec }, report) => {
    if (spec.scaleTargetRef.name !== undefined || metadata.annotations[httpAnnotations.skipScaledObject] === 'true') {
      return;
    }
    report(['spec', 'scaleTargetRef'], 'scaleTargetRef needs the name of what is scaled', {
      code: 'missing-field',
      allowed: ['name'],
    });
  }),
);
export type HttpScaledObjectInput = z.input<typeof httpScaledObjectSchema>;
export type HttpScaledObjectDocument = z.output<typeof httpScaledObjectSchema>;

export const httpScaledObjectKind = defineKind({
  kind: 'HTTPScaledObject',
  plural: 'httpscaledobjects',
  apiVersion,
  schema: httpScaledObjectSchema,
  summary: "The KEDA HTTP add-on's HTTPScaledObject, unchanged: replicas follow requests, to zero and back.",
  example: `apiVersion: ${apiVersion}
kind: HTTPScaledObject
metadata:
  name: shop
spec:
  hosts: [shop.example.com]
  pathPrefixes: [/api]
  scaleTargetRef: { name: shop, service: shop, port: 8080 }
  replicas: { min: 0, max: 10 }
  scalingMetric:
    requestRate: { targetValue: 20, window: 1m }
`,
  keyOf: kubernetesKey,
  normalize: withoutClusterFields,
  refusedVersions: {
    [`${httpGroup}/v1beta1`]: `there is no HTTPScaledObject in ${httpGroup}/v1beta1; write ${apiVersion}, or an InterceptorRoute`,
  },
  annotations: {
    [httpAnnotations.skipScaledObject]: '`"true"`: it only routes and counts; a ScaledObject of your own scales.',
    [httpAnnotations.orphanScaledObject]: 'For a cluster; on one machine it has no effect.',
  },
  hints,
});

function hints({ metadata, spec }: HttpScaledObjectDocument): Hint[] {
  const found: Hint[] = [
    {
      path: ['kind'],
      code: 'deprecated',
      message: `HTTPScaledObject is deprecated since version 0.14 of the add-on; InterceptorRoute (${httpGroup}/v1beta1) with a ScaledObject is its successor`,
    },
    ...portHint(['spec', 'scaleTargetRef'], spec.scaleTargetRef),
  ];
  const say = (path: string[], code: Hint['code'], message: string): void => void found.push({ path, code, message });
  if (spec.targetPendingRequests !== undefined) {
    const wins = spec.scalingMetric ? '; scalingMetric is there and wins' : '';
    const message = `targetPendingRequests is deprecated; write scalingMetric.concurrency.targetValue${wins}`;
    say(['spec', 'targetPendingRequests'], 'deprecated', message);
  }
  if (spec.coldStartTimeoutFailoverRef) {
    say(
      ['spec', 'coldStartTimeoutFailoverRef'],
      'mode-not-available',
      'on one machine there are no Services to fail over to; a request waits, within its limits of time',
    );
  }
  if (metadata.annotations[httpAnnotations.orphanScaledObject] !== undefined) {
    const path = ['metadata', 'annotations', httpAnnotations.orphanScaledObject];
    say(path, 'mode-not-available', 'on one machine no ScaledObject is made for it that could stay behind');
  }
  return found;
}
