import { kubernetesKey } from '../kubernetes/document.ts';
import type { ObjectKey } from '../objectKey.ts';
import { readDocument } from '../parse/readDocument.ts';
import { isSwitchedOn, kedaAnnotations } from './annotations.ts';
import { percentageOf, type ScaledJobDocument, scaledJobKind } from './scaledJob.ts';
import { type KedaTriggerSpec, resolveTriggers } from './trigger.ts';

/** A ScaledJob with KEDA's defaults and times in milliseconds. */
export interface ScaledJobSpec {
  key: ObjectKey;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** JobSpec as it was written; an empty restartPolicy means OnFailure. */
  jobTemplate: Record<string, unknown>;
  envSourceContainerName: string | null;
  pollingIntervalMs: number;
  successfulJobsHistoryLimit: number;
  failedJobsHistoryLimit: number;
  minReplicas: number;
  /** Null: none was written, which is not the same as 100. */
  maxReplicas: number | null;
  triggers: KedaTriggerSpec[];
  scaling: {
    strategy: ScaledJobDocument['spec']['scalingStrategy']['strategy'];
    multipleScalersCalculation: ScaledJobDocument['spec']['scalingStrategy']['multipleScalersCalculation'];
    pendingPodConditions: string[];
    queueLengthDeduction: number;
    /** Null: there is none that can be read. */
    runningJobPercentage: number | null;
  };
  rollout: { strategy: 'immediate' | 'gradual'; propagationPolicy: 'background' | 'foreground' };
  paused: boolean;
  /** Triggers are read event-driven or adaptively and not every `pollingIntervalMs`; annotation `ebb.dev/improvements`. */
  improvements: boolean;
}

/** A ScaledJob with its defaults. Throws `InvalidDocumentError` when it is not valid. */
export function resolveScaledJob(document: unknown): ScaledJobSpec {
  const read = readDocument(scaledJobKind, document);
  const { metadata, spec } = read;
  const { scalingStrategy: scaling, rollout } = spec;
  return {
    key: kubernetesKey(read),
    labels: metadata.labels,
    annotations: metadata.annotations,
    jobTemplate: spec.jobTargetRef,
    envSourceContainerName: spec.envSourceContainerName ?? null,
    pollingIntervalMs: spec.pollingInterval * 1000,
    successfulJobsHistoryLimit: spec.successfulJobsHistoryLimit,
    failedJobsHistoryLimit: spec.failedJobsHistoryLimit,
    minReplicas: spec.minReplicaCount,
    maxReplicas: spec.maxReplicaCount ?? null,
    triggers: resolveTriggers(spec.triggers),
    scaling: {
      strategy: scaling.strategy,
      multipleScalersCalculation: scaling.multipleScalersCalculation,
      pendingPodConditions: scaling.pendingPodConditions,
      queueLengthDeduction: scaling.customScalingQueueLengthDeduction ?? 0,
      runningJobPercentage: percentageOf(scaling.customScalingRunningJobPercentage),
    },
    rollout: {
      strategy: (spec.rolloutStrategy ?? rollout.strategy) === 'gradual' ? 'gradual' : 'immediate',
      propagationPolicy: rollout.propagationPolicy,
    },
    paused: isSwitchedOn(metadata.annotations, kedaAnnotations.paused),
    improvements: metadata.annotations[kedaAnnotations.improvements] === 'true',
  };
}
