import { z } from 'zod';
import { type Report, rule } from '../fields/rule.ts';
import { behaviorSchema } from '../hpa/behavior.ts';
import { defineKind, type Hint } from '../kind.ts';
import { kubernetesDocument, kubernetesKey, withoutClusterFields } from '../kubernetes/document.ts';
import { int32Field, segmentField } from '../kubernetes/names.ts';
import { checkAnnotations, kedaAnnotations, scaledObjectAnnotations } from './annotations.ts';
import { modifiersSchema } from './modifiers.ts';
import { isResourceTrigger, triggerMetadata, triggersSchema } from './trigger.ts';
import { kedaApiVersion, olderScaledObjects, refusedKedaVersions } from './versions.ts';

/** Name of the HPA that KEDA makes; it is a label value too, which is what the bound comes from. */
const longestName = 63;

const fallbackSchema = z.strictObject({
  failureThreshold: int32Field(0).meta({ description: 'Failures in a row that are put up with.' }),
  replicas: int32Field(0).meta({ description: 'Replicas while a source fails.' }),
  behavior: z
    .enum(['static', 'currentReplicas', 'currentReplicasIfHigher', 'currentReplicasIfLower', 'scalingModifiers'])
    .prefault('static')
    .meta({ description: 'Whether `replicas`, the present count, or the larger or smaller of both is kept.' }),
});

const advancedSchema = z.strictObject({
  restoreToOriginalReplicaCount: z
    .boolean()
    .prefault(false)
    .meta({ description: 'Go back to the count found at the beginning when the object is deleted.' }),
  horizontalPodAutoscalerConfig: z
    .strictObject({
      name: z.string().min(1).max(longestName).optional().meta({
        description: 'Name of the HPA. Left out: `keda-hpa-` and the name of the object.',
      }),
      behavior: behaviorSchema.optional().meta({ description: "The HPA's limits of pace." }),
    })
    .prefault({})
    .meta({ description: 'What the HPA is given.' }),
  scalingModifiers: modifiersSchema.optional().meta({ description: 'One metric made from all triggers by a formula.' }),
});

const specSchema = z
  .strictObject({
    scaleTargetRef: z
      .strictObject({
        apiVersion: z.string().max(253).prefault('apps/v1').meta({ description: 'Group and version.' }),
        kind: segmentField().prefault('Deployment').meta({ description: 'Anything with a scale subresource.' }),
        name: segmentField().meta({ description: 'Name, in the same namespace.' }),
        envSourceContainerName: z.string().min(1).max(253).optional().meta({
          description: 'Container whose environment `*FromEnv` settings name. Left out: the first.',
        }),
      })
      .meta({ description: 'What is scaled; on one machine the Workload of that name, whatever the kind says.' }),
    pollingInterval: int32Field(1).prefault(30).meta({ description: 'Seconds between two polls of the sources.' }),
    cooldownPeriod: int32Field(0).prefault(300).meta({
      description: 'Seconds after the last activity before it goes to zero (or idle), from whatever count.',
    }),
    initialCooldownPeriod: int32Field(0).prefault(0).meta({
      description: 'Seconds after creation before the first way to zero, while it was never active.',
    }),
    idleReplicaCount: int32Field(0).optional().meta({ description: 'Replicas while inactive; less than the minimum.' }),
    minReplicaCount: int32Field(0).prefault(0).meta({ description: 'Never fewer while active.' }),
    maxReplicaCount: int32Field(1).prefault(100).meta({ description: 'Never more.' }),
    triggers: triggersSchema.meta({ description: 'Signals of demand; the one that asks for most wins.' }),
    fallback: fallbackSchema.optional().meta({ description: 'What to do while a source fails.' }),
    advanced: advancedSchema.prefault({}).meta({ description: 'More settings.' }),
  })
  .check(
    rule(['minReplicaCount', 'maxReplicaCount'], ({ minReplicaCount: min, maxReplicaCount: max }, report) => {
      if (min <= max) return;
      report(['minReplicaCount'], `minReplicaCount ${min} is larger than maxReplicaCount ${max}`, {
        code: 'out-of-bounds',
        related: [['maxReplicaCount']],
      });
    }),
    rule(['idleReplicaCount', 'minReplicaCount'], ({ idleReplicaCount: idle, minReplicaCount: min }, report) => {
      if (idle === undefined || idle < min) return;
      report(['idleReplicaCount'], `idleReplicaCount ${idle} must be less than minReplicaCount ${min}`, {
        code: 'out-of-bounds',
        related: [['minReplicaCount']],
      });
    }),
    rule(['triggers.*.type', 'minReplicaCount'], ({ triggers, minReplicaCount }, report) => {
      if (minReplicaCount > 0 || !triggers.every(({ type }) => isResourceTrigger(type))) return;
      const message =
        'with cpu and memory triggers alone there is no way back from zero; add another trigger or a minReplicaCount';
      report(['minReplicaCount'], message, { code: 'out-of-bounds', related: [['triggers']] });
    }),
    rule(['triggers.*.type', 'fallback', 'advanced'], ({ triggers, fallback, advanced }, report) => {
      const hasFormula = advanced.scalingModifiers !== undefined;
      if (!fallback || hasFormula || !triggers.every(({ type }) => isResourceTrigger(type))) return;
      report(['fallback'], 'a fallback needs a trigger other than cpu and memory', {
        code: 'invalid-value',
        related: [['triggers']],
      });
    }),
    rule(['fallback', 'advanced'], ({ fallback, advanced }, report) => {
      if (fallback?.behavior !== 'scalingModifiers' || advanced.scalingModifiers) return;
      const message = 'the behavior scalingModifiers needs advanced.scalingModifiers with a formula';
      report(['fallback', 'behavior'], message, { code: 'invalid-value' });
    }),
  );

export const scaledObjectSchema = kubernetesDocument(
  kedaApiVersion,
  'ScaledObject',
  specSchema.meta({ description: 'What is scaled, within which bounds and by what.' }),
).check(
  rule(['metadata.annotations'], checkAnnotations),
  rule(['metadata.name'], ({ metadata }, report: Report) => {
    if (metadata.name.length <= longestName) return;
    const message = `the name has ${metadata.name.length} characters; a ScaledObject's may have ${longestName}`;
    report(['metadata', 'name'], message, { code: 'out-of-bounds' });
  }),
);
export type ScaledObjectInput = z.input<typeof scaledObjectSchema>;
export type ScaledObjectDocument = z.output<typeof scaledObjectSchema>;

export const scaledObjectKind = defineKind({
  kind: 'ScaledObject',
  plural: 'scaledobjects',
  apiVersion: kedaApiVersion,
  schema: scaledObjectSchema,
  summary: "KEDA's ScaledObject, unchanged: replicas follow events, to zero and back.",
  example: `apiVersion: ${kedaApiVersion}
kind: ScaledObject
metadata:
  name: order-worker
spec:
  scaleTargetRef: { name: order-worker }
  minReplicaCount: 0
  maxReplicaCount: 20
  cooldownPeriod: 120
  triggers:
    - type: rabbitmq
      name: orders
      metadata:
        queueName: orders
        hostFromEnv: RABBITMQ_URL
        mode: QueueLength
        value: "25"
        activationValue: "3"
`,
  keyOf: kubernetesKey,
  normalize: withoutClusterFields,
  olderVersions: olderScaledObjects,
  refusedVersions: refusedKedaVersions,
  textFields: [
    triggerMetadata,
    ['spec', 'advanced', 'scalingModifiers', 'target'],
    ['spec', 'advanced', 'scalingModifiers', 'activationTarget'],
  ],
  annotations: scaledObjectAnnotations,
  hints: settingHints,
});

/** Annotations for what only a cluster has. */
const clusterAnnotations = ['transfer-hpa-ownership', 'hpa-excluded-labels'].map(
  (name) => `scaledobject.keda.sh/${name}`,
);

/** Settings that KEDA accepts and that do not do what they seem to, or do nothing on one machine. */
function settingHints({ metadata, spec }: ScaledObjectDocument): Hint[] {
  const hints: Hint[] = [];
  const { paused } = kedaAnnotations;
  const value = metadata.annotations[paused];
  if (value !== undefined && !/^(1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/.test(value)) {
    const message = `${paused} is "${value}", which is not a boolean; KEDA takes that as true, and so does Ebb`;
    hints.push({ path: ['metadata', 'annotations', paused], code: 'no-effect', message });
  }
  for (const name of clusterAnnotations.filter((each) => metadata.annotations[each] !== undefined)) {
    const message = `${name} is for a cluster's HPA; on one machine there is none`;
    hints.push({ path: ['metadata', 'annotations', name], code: 'mode-not-available', message });
  }
  if (spec.idleReplicaCount !== undefined && spec.idleReplicaCount > 0) {
    const message = 'KEDA supports 0 only here; the HPA raises any other count to its own minimum';
    hints.push({ path: ['spec', 'idleReplicaCount'], code: 'no-effect', message });
  }
  if (spec.advanced.horizontalPodAutoscalerConfig.name !== undefined) {
    const message = "the name is that of a cluster's HPA; on one machine there is none, and Ebb decides by itself";
    hints.push({
      path: ['spec', 'advanced', 'horizontalPodAutoscalerConfig', 'name'],
      code: 'mode-not-available',
      message,
    });
  }
  return hints;
}
