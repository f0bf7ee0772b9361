import type { RunObservation, RunPhase, RunPod } from '@ebb/core';
import type { ObjectKey } from '@ebb/documents';
import type { KubernetesObject } from '../client/objects.ts';
import { listAt, numberAt, textAt, timeAt, trueCondition } from '../client/values.ts';
import { generationAnnotation, runIdOf } from './jobObject.ts';

const podPhases = ['Pending', 'Running', 'Succeeded', 'Failed'] as const;

/** What a Job is to the engine. It has ended when its own controller says so, as for KEDA. */
export function runOf(job: KubernetesObject, owner: ObjectKey, pods: readonly KubernetesObject[]): RunObservation {
  const { body } = job;
  const complete = trueCondition(body, 'Complete');
  const failed = trueCondition(body, 'Failed');
  const seen = pods.map(podOf);
  const generation = Number(job.annotations[generationAnnotation]);
  const isOver = complete !== null || failed !== null;
  return {
    id: runIdOf(job),
    owner,
    phase: complete ? 'succeeded' : failed ? 'failed' : phaseOf(job, seen),
    pid: null,
    exitCode: null,
    message: failed ? saying(failed) : isOver ? '' : (textAt(trueCondition(body, 'Suspended'), 'message') ?? ''),
    failure: failed ? (textAt(failed, 'reason') ?? 'exit') : null,
    startedAtMs: timeAt(body, 'status', 'startTime') ?? job.createdAtMs,
    endedAtMs: isOver ? (timeAt(body, 'status', 'completionTime') ?? timeAt(failed, 'lastTransitionTime')) : null,
    ...(Number.isInteger(generation) && generation > 0 ? { generation } : {}),
    pods: isOver ? [] : seen,
  };
}

function phaseOf({ body, deletedAtMs }: KubernetesObject, pods: readonly RunPod[]): RunPhase {
  if (deletedAtMs !== null) return 'stopping';
  if (pods.some(({ phase }) => phase === 'Running' || phase === 'Succeeded')) return 'running';
  return (numberAt(body, 'status', 'succeeded') ?? 0) > 0 ? 'running' : 'starting';
}

function podOf({ body }: KubernetesObject): RunPod {
  const phase = textAt(body, 'status', 'phase') ?? 'Pending';
  const trueConditions = listAt(body, 'status', 'conditions').flatMap((condition) =>
    textAt(condition, 'status') === 'True' ? (textAt(condition, 'type') ?? []) : [],
  );
  return { phase: podPhases.find((one) => one === phase) ?? 'Unknown', trueConditions };
}

function saying(condition: unknown): string {
  const [reason, message] = [textAt(condition, 'reason') ?? 'Failed', textAt(condition, 'message')];
  return message ? `${reason}: ${message}` : reason;
}

/** UID of the Job that a pod belongs to; null: none. */
export function jobUidOf({ body }: KubernetesObject): string | null {
  const owner = listAt(body, 'metadata', 'ownerReferences').find((one) => textAt(one, 'kind') === 'Job');
  return textAt(owner, 'uid');
}
