import { type HpaBehaviorSpec, resolveBehavior } from '../hpa/behavior.ts';
import { kubernetesKey } from '../kubernetes/document.ts';
import type { ObjectKey } from '../objectKey.ts';
import { readDocument } from '../parse/readDocument.ts';
import { isSwitchedOn, type KedaPauseSpec, kedaAnnotations, resolvePause } from './annotations.ts';
import { type KedaModifiersSpec, resolveModifiers } from './modifiers.ts';
import { type ScaledObjectDocument, scaledObjectKind } from './scaledObject.ts';
import { type KedaTriggerSpec, resolveTriggers } from './trigger.ts';

/** A ScaledObject with KEDA's defaults and times in milliseconds. */
export interface ScaledObjectSpec {
  key: ObjectKey;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  target: { apiVersion: string; kind: string; name: string; envSourceContainerName: string | null };
  minReplicas: number;
  maxReplicas: number;
  /** Null: no idle mode. */
  idleReplicas: number | null;
  pollingIntervalMs: number;
  cooldownMs: number;
  initialCooldownMs: number;
  triggers: KedaTriggerSpec[];
  fallback: NonNullable<ScaledObjectDocument['spec']['fallback']> | null;
  modifiers: KedaModifiersSpec | null;
  /** Name of the HPA that KEDA would make. */
  hpaName: string;
  behavior: HpaBehaviorSpec | null;
  restoreToOriginalReplicaCount: boolean;
  pause: KedaPauseSpec;
  forceActivation: boolean;
  /** Ebb's own rules, asked for by the annotation `ebb.dev/improvements`. */
  improvements: boolean;
}

/** A ScaledObject with its defaults. Throws `InvalidDocumentError` when it is not valid. */
export function resolveScaledObject(document: unknown): ScaledObjectSpec {
  const read = readDocument(scaledObjectKind, document);
  const { metadata, spec } = read;
  const { annotations } = metadata;
  const { apiVersion, kind, name, envSourceContainerName = null } = spec.scaleTargetRef;
  const { horizontalPodAutoscalerConfig: hpa, scalingModifiers, restoreToOriginalReplicaCount } = spec.advanced;
  return {
    key: kubernetesKey(read),
    labels: metadata.labels,
    annotations,
    target: { apiVersion, kind, name, envSourceContainerName },
    minReplicas: spec.minReplicaCount,
    maxReplicas: spec.maxReplicaCount,
    idleReplicas: spec.idleReplicaCount ?? null,
    pollingIntervalMs: spec.pollingInterval * 1000,
    cooldownMs: spec.cooldownPeriod * 1000,
    initialCooldownMs: spec.initialCooldownPeriod * 1000,
    triggers: resolveTriggers(spec.triggers),
    fallback: spec.fallback ?? null,
    modifiers: resolveModifiers(scalingModifiers),
    hpaName: hpa.name ?? `keda-hpa-${metadata.name}`,
    behavior: resolveBehavior(hpa.behavior),
    restoreToOriginalReplicaCount,
    pause: resolvePause(annotations),
    forceActivation: isSwitchedOn(annotations, kedaAnnotations.forceActivation),
    improvements: annotations[kedaAnnotations.improvements] === 'true',
  };
}
