import type { PlacementPod, Requirement } from '@ebb/core';
import type { KubernetesObject } from '../client/objects.ts';
import { conditionOf, listAt, numberAt, objectAt, textAt } from '../client/values.ts';
import { migConfigLabel, sharingLabel } from './labels.ts';
import { podRequests } from './podRequests.ts';
import { namespaceLabel, podRules } from './podRules.ts';

/** On a pod: `ignore` leaves it out, so that no machine is bought for it. */
export const ignoreAnnotation = 'ebb.dev/node-pools';
/** On a pod: `never` keeps it off machines that may be taken back. */
export const interruptionAnnotation = 'ebb.dev/interruption';
/** Pods of less priority buy nothing, as with the Cluster Autoscaler: they run where there is room. */
const leastPriority = -10;
/** From here on they are the system's own, and leave a node last. */
export const systemPriority = 2_000_000_000;

/** One pod as placement sees it; `problem`: why no machine can be chosen for it. */
export interface PodNeeds {
  pod: PlacementPod;
  problem: string | null;
  notes: readonly string[];
}

/** Its name with enough of its uid that a later pod of the name is another one. */
export function podId({ namespace, name, uid }: Pick<KubernetesObject, 'namespace' | 'name' | 'uid'>): string {
  return `${namespace}/${name}/${uid.slice(0, 8)}`;
}

/** What the pod needs of a node. */
export function podNeeds(object: KubernetesObject): PodNeeds {
  const spec = objectAt(object.body, 'spec');
  const { cpuMilli, memoryBytes, gpu, problem } = podRequests(spec);
  const { notes, ...rules } = podRules(spec, object.namespace);
  return {
    pod: {
      id: podId(object),
      workload: workloadOf(object),
      labels: { ...object.labels, [namespaceLabel]: object.namespace },
      cpuMilli,
      memoryBytes,
      gpu,
      ...rules,
      requirements: [...rules.requirements, ...gpuRequirements(gpu)],
      clusters: null,
      regions: null,
      pools: null,
      interruptible: object.annotations[interruptionAnnotation] !== 'never',
      interruptionPriceMicro: 0,
      priority: priorityOf(object),
    },
    problem,
    notes,
  };
}

/** Of the nodes that have the resource which the pod names: a GPU shown several times is another one than a MIG instance. */
function gpuRequirements(gpu: PlacementPod['gpu']): Requirement[] {
  if (gpu?.kind === 'mig') return [{ key: migConfigLabel, operator: 'In', values: [`all-${gpu.profile}`] }];
  const isShown = gpu?.kind === 'share' && gpu.gpuMilli === 0 && gpu.memoryBytes === 0;
  return isShown ? [{ key: sharingLabel, operator: 'In', values: ['time-slicing', 'mps'] }] : [];
}

/** Who made it, so that its pods are known as alike. */
function workloadOf({ namespace, name, body }: KubernetesObject): string {
  const owner = controllerOf(body);
  return owner ? `${namespace}/${owner.kind}/${owner.name}` : `${namespace}/Pod/${name}`;
}

export function controllerOf(body: KubernetesObject['body']): { kind: string; name: string } | null {
  const owner = listAt(body, 'metadata', 'ownerReferences').find((one) => objectAt(one).controller === true);
  const kind = textAt(owner, 'kind');
  return kind === null ? null : { kind, name: textAt(owner, 'name') ?? '' };
}

export function priorityOf({ body }: Pick<KubernetesObject, 'body'>): number {
  return numberAt(body, 'spec', 'priority') ?? 0;
}

export function nodeNameOf({ body }: Pick<KubernetesObject, 'body'>): string | null {
  return textAt(body, 'spec', 'nodeName') || null;
}

/** It runs no more, whatever is left of it. */
export function isOver({ body }: Pick<KubernetesObject, 'body'>): boolean {
  const phase = textAt(body, 'status', 'phase');
  return phase === 'Succeeded' || phase === 'Failed';
}

/** It belongs to its node and goes with it: of a DaemonSet, of the node itself, or a static pod. */
export function isOfNode({ body, annotations }: KubernetesObject): boolean {
  const kind = controllerOf(body)?.kind;
  return kind === 'DaemonSet' || kind === 'Node' || Object.hasOwn(annotations, 'kubernetes.io/config.mirror');
}

/** Whether the scheduler has no place for it. False: it has one, or was not asked yet, or Ebb is to leave the pod alone. */
export function isUnschedulable(pod: KubernetesObject): boolean {
  if (pod.deletedAtMs !== null || isOver(pod) || nodeNameOf(pod) !== null || isOfNode(pod)) return false;
  if (pod.annotations[ignoreAnnotation] === 'ignore' || priorityOf(pod) < leastPriority) return false;
  // Others are being evicted for it: it gets their place.
  if (textAt(pod.body, 'status', 'nominatedNodeName')) return false;
  const found = conditionOf(pod.body, 'PodScheduled');
  return textAt(found, 'status') === 'False' && textAt(found, 'reason') === 'Unschedulable';
}

/** Whether it is to stay where it runs, by its own word or because nobody would make it again. */
export function isNotToMove({ annotations, body }: KubernetesObject): boolean {
  const evictable = annotations['cluster-autoscaler.kubernetes.io/safe-to-evict'];
  if (annotations['karpenter.sh/do-not-disrupt'] === 'true' || evictable === 'false') return true;
  return controllerOf(body) === null && evictable !== 'true';
}
