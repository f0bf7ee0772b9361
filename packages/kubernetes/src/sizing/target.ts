import type { TargetTemplate } from './plan.ts';
import type { KubernetesObject } from '../client/objects.ts';
import { isObject, numberAt, textAt } from '../client/values.ts';
import { templateContainers } from './sizedPod.ts';

/** A Deployment or StatefulSet as sizing sees it. */
export function targetTemplate({ kind, body, generation }: KubernetesObject): TargetTemplate {
  const replicas = Math.max(numberAt(body, 'spec', 'replicas') ?? 1, numberAt(body, 'status', 'replicas') ?? 0);
  const containers = kind === 'Deployment' || kind === 'StatefulSet' ? templateContainers(body) : null;
  return { containers, replicas, isFree: isFree(kind, body, generation, replicas) };
}

function isFree(kind: string, body: KubernetesObject['body'], generation: number, replicas: number): boolean {
  // Its pods are replaced when somebody deletes them, and then come from the template anyway.
  if (kind === 'StatefulSet') return textAt(body, 'spec', 'updateStrategy', 'type') === 'OnDelete';
  if (kind !== 'Deployment' || !isObject(body.spec) || body.spec.paused !== true) return false;
  const isSeen = (numberAt(body, 'status', 'observedGeneration') ?? 0) >= generation;
  return isSeen && (numberAt(body, 'status', 'updatedReplicas') ?? 0) < replicas;
}
