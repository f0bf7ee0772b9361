import { z } from 'zod';
import { rule } from '../fields/rule.ts';
import { defineKind, type Hint } from '../kind.ts';
import { kubernetesDocument, kubernetesKey, withoutClusterFields } from '../kubernetes/document.ts';
import { int32Field } from '../kubernetes/names.ts';
import { objectReferenceSchema } from '../kubernetes/targetRef.ts';
import { behaviorSchema } from './behavior.ts';
import { metricSchema, otherTargetType, sourceFields, targetOf } from './metrics.ts';
import { hpaV1 } from './v1.ts';

export const hpaApiVersion = 'autoscaling/v2';

const hpaSpecSchema = z
  .strictObject({
    scaleTargetRef: objectReferenceSchema().meta({ description: 'What is scaled.' }),
    minReplicas: int32Field(0).optional().meta({
      description: 'Never fewer. Left out: 1. 0 needs an Object or External metric.',
    }),
    maxReplicas: int32Field(1).meta({ description: 'Never more.' }),
    metrics: z.array(metricSchema).optional().meta({
      description: 'What the count follows; the one that asks for most wins. Left out or empty: CPU at 80 %.',
    }),
    behavior: behaviorSchema.optional().meta({ description: 'Limits of pace. Left out: the rules without one.' }),
  })
  .check(
    rule(['minReplicas', 'maxReplicas'], ({ minReplicas = 1, maxReplicas }, report) => {
      if (minReplicas <= maxReplicas) return;
      report(['maxReplicas'], `maxReplicas ${maxReplicas} is less than minReplicas ${minReplicas}`, {
        code: 'out-of-bounds',
        related: [['minReplicas']],
      });
    }),
    rule(['minReplicas', 'metrics.*.type'], ({ minReplicas, metrics = [] }, report) => {
      if (minReplicas !== 0 || metrics.some(({ type }) => type === 'Object' || type === 'External')) return;
      const message =
        'minReplicas 0 needs an Object or External metric, because at 0 there are no pods to measure anything of';
      report(['minReplicas'], message, { code: 'out-of-bounds' });
    }),
  );

export const hpaSchema = kubernetesDocument(
  hpaApiVersion,
  'HorizontalPodAutoscaler',
  hpaSpecSchema.meta({ description: 'What is scaled, within which bounds and by what.' }),
);
export type HpaInput = z.input<typeof hpaSchema>;
export type HpaDocument = z.output<typeof hpaSchema>;

const removed = (version: string) =>
  `HorizontalPodAutoscaler ${version} was removed from Kubernetes (1.26); convert it to autoscaling/v2, as \`kubectl convert\` does`;

export const hpaKind = defineKind({
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  apiVersion: hpaApiVersion,
  schema: hpaSchema,
  summary: "Kubernetes' HorizontalPodAutoscaler, unchanged: the replicas of a target follow metrics.",
  example: `apiVersion: ${hpaApiVersion}
kind: HorizontalPodAutoscaler
metadata:
  name: web
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: web }
  minReplicas: 2
  maxReplicas: 12
  metrics:
    - type: Resource
      resource:
        name: cpu
        target: { type: Utilization, averageUtilization: 70 }
  behavior:
    scaleDown:
      stabilizationWindowSeconds: 120
      policies: [{ type: Pods, value: 1, periodSeconds: 60 }]
`,
  keyOf: kubernetesKey,
  normalize: withoutClusterFields,
  olderVersions: { 'autoscaling/v1': hpaV1 },
  refusedVersions: {
    'autoscaling/v2beta1': removed('autoscaling/v2beta1'),
    'autoscaling/v2beta2': removed('autoscaling/v2beta2'),
  },
  hints: ({ spec }) => [
    {
      path: ['kind'],
      code: 'mode-not-available',
      message:
        'a HorizontalPodAutoscaler is checked and stored, and `ebb decide` computes with it; this version scales ' +
        'processes of its own machine and no Kubernetes workloads',
    },
    ...targetHints(spec),
  ],
});

/** The API server accepts a target whose type and number do not fit; what happens then surprises people. */
function targetHints({ metrics = [] }: HpaDocument['spec']): Hint[] {
  return metrics.flatMap((metric, index): Hint[] => {
    const target = targetOf(metric);
    const other = target && otherTargetType(target);
    if (!other) return [];
    const message = `the target's type is ${target.type}, its number is that of ${other}; the number counts`;
    return [
      { path: ['spec', 'metrics', index, sourceFields[metric.type], 'target', 'type'], code: 'no-effect', message },
    ];
  });
}
