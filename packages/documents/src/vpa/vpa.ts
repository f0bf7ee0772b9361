import { z } from 'zod';
import { amountsField } from '../fields/amounts.ts';
import { bytesField, milliField } from '../fields/quantity.ts';
import { rule } from '../fields/rule.ts';
import { ratioField } from '../hpa/quantities.ts';
import { defineKind, type Hint } from '../kind.ts';
import { kubernetesDocument, kubernetesKey, withoutClusterFields } from '../kubernetes/document.ts';
import { int32Field, segmentField } from '../kubernetes/names.ts';
import { objectReferenceSchema } from '../kubernetes/targetRef.ts';

export const vpaApiVersion = 'autoscaling.k8s.io/v1';

const resourceNames = ['cpu', 'memory'] as const;

const startupBoostSchema = z.strictObject({
  cpu: z
    .strictObject({
      type: z.enum(['Factor', 'Quantity']).meta({ description: 'Which of the two counts.' }),
      factor: z.int().min(1).optional().meta({ description: 'Times the request.' }),
      quantity: milliField().optional().meta({ description: 'Processors on top of the request.' }),
      durationSeconds: int32Field(0).optional().meta({ description: 'How long after a pod is ready.' }),
    })
    .optional()
    .meta({ description: 'For the processor.' }),
});

const containerPolicySchema = z
  .strictObject({
    containerName: z.string().min(1).max(253).meta({ description: 'Its name; `*` for all without a policy.' }),
    mode: z.enum(['Auto', 'Off']).prefault('Auto').meta({ description: '`Off`: nothing is recommended for it.' }),
    minAllowed: amountsField().prefault({}).meta({ description: 'Never less.' }),
    maxAllowed: amountsField().prefault({}).meta({ description: 'Never more.' }),
    controlledResources: z
      .array(z.enum(resourceNames))
      .prefault(['cpu', 'memory'])
      .meta({ description: 'What is recommended at all.' }),
    controlledValues: z.enum(['RequestsAndLimits', 'RequestsOnly']).optional().meta({
      description: 'Whether limits move in proportion. Left out: `RequestsAndLimits`.',
    }),
    oomBumpUpRatio: ratioField()
      .optional()
      .meta({
        description: 'Memory after it ran out, as a multiple of what was used, at least 1.',
        examples: ['1.5'],
      }),
    oomMinBumpUp: bytesField().optional().meta({ description: 'Memory added at least after it ran out.' }),
    memoryAggregationIntervalSeconds: int32Field(1).optional().meta({
      description: 'One memory peak is kept for each interval of this long.',
    }),
    memoryAggregationIntervalCount: z.int().min(1).max(1000).optional().meta({
      description: 'How many such intervals are remembered.',
    }),
    startupBoost: startupBoostSchema.optional().meta({ description: 'More processor while a pod starts.' }),
  })
  .check(
    rule(['minAllowed', 'maxAllowed'], ({ minAllowed, maxAllowed }, report) => {
      for (const resource of resourceNames) {
        const [least, most] = [minAllowed[resource], maxAllowed[resource]];
        // Zero means that there is no bound.
        if (!least || !most || least <= most) continue;
        report(['maxAllowed', resource], `maxAllowed of ${resource} is less than minAllowed`, {
          code: 'out-of-bounds',
          related: [['minAllowed', resource]],
        });
      }
    }),
    rule(['mode', 'controlledValues'], ({ mode, controlledValues }, report) => {
      if (mode !== 'Off' || controlledValues === undefined) return;
      report(['controlledValues'], 'controlledValues says nothing for a container whose mode is Off', {
        code: 'invalid-value',
        related: [['mode']],
      });
    }),
    rule(['oomBumpUpRatio'], ({ oomBumpUpRatio }, report) => {
      if (oomBumpUpRatio === undefined || oomBumpUpRatio >= 1) return;
      report(['oomBumpUpRatio'], `oomBumpUpRatio must be at least 1, found ${oomBumpUpRatio}`, {
        code: 'out-of-bounds',
      });
    }),
  );

const updateModes = ['Off', 'Initial', 'Recreate', 'Auto', 'InPlaceOrRecreate', 'InPlace'] as const;

const specSchema = z.strictObject({
  targetRef: objectReferenceSchema().meta({ description: 'Whose pods are sized.' }),
  updatePolicy: z
    .strictObject({
      updateMode: z.enum(updateModes).optional().meta({
        description: 'What is done with recommendations. Left out: `Recreate`. `Auto` is an older name of it.',
      }),
      minReplicas: int32Field(1).optional().meta({
        description: 'Pods that must run before one is evicted. Left out: the flag of the updater (2).',
      }),
      evictionRequirements: z
        .array(
          z.strictObject({
            resources: z.array(z.enum(resourceNames)).min(1).meta({ description: 'One of these must match.' }),
            changeRequirement: z
              .enum(['TargetHigherThanRequests', 'TargetLowerThanRequests'])
              .meta({ description: 'In which direction the change must go.' }),
          }),
        )
        .prefault([])
        .meta({ description: 'All of these must hold before a pod is evicted.' }),
      evictAfterOOMSeconds: int32Field(1).optional().meta({
        description: 'A container that runs out of memory this soon after its start is evicted at once.',
      }),
    })
    .prefault({})
    .meta({ description: 'How recommendations reach pods.' }),
  resourcePolicy: z
    .strictObject({
      containerPolicies: z.array(containerPolicySchema).prefault([]).meta({ description: 'By container.' }),
    })
    .prefault({})
    .meta({ description: 'Bounds of the recommendations.' }),
  recommenders: z
    .array(z.strictObject({ name: segmentField().meta({ description: 'Its name.' }) }))
    .max(1)
    .prefault([])
    .meta({ description: 'The recommender that is responsible, at most one. Left out: the default one.' }),
  startupBoost: startupBoostSchema.optional().meta({ description: 'More processor while a pod starts.' }),
});

export const vpaSchema = kubernetesDocument(
  vpaApiVersion,
  'VerticalPodAutoscaler',
  specSchema.meta({ description: 'Whose pods are sized, within which bounds.' }),
);
export type VpaInput = z.input<typeof vpaSchema>;
export type VpaDocument = z.output<typeof vpaSchema>;

export const vpaKind = defineKind({
  kind: 'VerticalPodAutoscaler',
  plural: 'verticalpodautoscalers',
  apiVersion: vpaApiVersion,
  schema: vpaSchema,
  summary: "Kubernetes' VerticalPodAutoscaler, unchanged: requests follow what pods use.",
  example: `apiVersion: ${vpaApiVersion}
kind: VerticalPodAutoscaler
metadata:
  name: search
spec:
  targetRef: { apiVersion: apps/v1, kind: Deployment, name: search }
  updatePolicy: { updateMode: Initial }
  resourcePolicy:
    containerPolicies:
      - containerName: "*"
        minAllowed: { cpu: 100m, memory: 128Mi }
        maxAllowed: { cpu: 4, memory: 8Gi }
`,
  keyOf: kubernetesKey,
  normalize: withoutClusterFields,
  olderVersions: {
    'autoscaling.k8s.io/v1beta2': {
      message: `autoscaling.k8s.io/v1beta2 is read as ${vpaApiVersion}, which has the same fields`,
      convert: ({ apiVersion: _version, ...rest }) => ({ apiVersion: vpaApiVersion, ...rest }),
    },
  },
  refusedVersions: {
    'autoscaling.k8s.io/v1beta1': `autoscaling.k8s.io/v1beta1 named its pods by a selector and is gone; write ${vpaApiVersion} with a targetRef`,
  },
  hints: ({ spec }) => [
    {
      path: ['kind'],
      code: 'mode-not-available',
      message:
        'a VerticalPodAutoscaler is checked and stored, and recommendations are computed with its bounds; this ' +
        'version resizes no Kubernetes pods',
    },
    ...boostHints(spec),
  ],
});

function boostHints({ startupBoost, resourcePolicy }: VpaDocument['spec']): Hint[] {
  const paths: Hint['path'][] = startupBoost ? [['spec', 'startupBoost']] : [];
  for (const [index, policy] of resourcePolicy.containerPolicies.entries()) {
    if (policy.startupBoost) paths.push(['spec', 'resourcePolicy', 'containerPolicies', index, 'startupBoost']);
  }
  const message = 'startupBoost is checked and stored; recommendations do not count it';
  return paths.map((path) => ({ path, code: 'no-effect', message }));
}
