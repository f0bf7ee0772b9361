import { parseBytes, parseMilli } from '@ebb/documents';
import type { PlacementNode, PlacementPod, Taint } from '@ebb/core';
import type { KubernetesObject } from '../client/objects.ts';
import { listAt, objectAt, textAt, trueCondition, valueText } from '../client/values.ts';
import { hostnameLabel, regionLabel, zoneLabel } from './labels.ts';

/** On a node that Ebb drains, so that it takes back only what it did itself. */
export const cordonedAnnotation = 'ebb.dev/cordoned';

export function isReady(node: KubernetesObject): boolean {
  return trueCondition(node.body, 'Ready') !== null;
}

export function isCordoned(node: KubernetesObject): boolean {
  return objectAt(node.body, 'spec').unschedulable === true;
}

/** Whether somebody wants it left alone. */
export function isNotToDisrupt({ annotations }: KubernetesObject): boolean {
  // Ebb puts Karpenter's word on its own claims, from where it comes to their nodes: it means Karpenter there.
  const isOwnClaim = Object.hasOwn(annotations, 'ebb.dev/offering');
  return (
    annotations['cluster-autoscaler.kubernetes.io/scale-down-disabled'] === 'true' ||
    annotations['ebb.dev/do-not-disrupt'] === 'true' ||
    (annotations['karpenter.sh/do-not-disrupt'] === 'true' && !isOwnClaim)
  );
}

export function taintsOf(node: KubernetesObject): Taint[] {
  return listAt(node.body, 'spec', 'taints').flatMap((one): Taint[] => {
    const effect = textAt(one, 'effect');
    if (effect !== 'NoSchedule' && effect !== 'PreferNoSchedule' && effect !== 'NoExecute') return [];
    return [{ key: textAt(one, 'key') ?? '', value: textAt(one, 'value') ?? '', effect }];
  });
}

/** Of a resource that the node offers to pods; 0: it has none. */
export function allocatable(node: KubernetesObject, resource: string): number {
  const text = valueText(objectAt(node.body, 'status', 'allocatable')[resource]);
  if (text === null) return 0;
  const parsed = resource === 'cpu' ? parseMilli(text) : parseBytes(text);
  return 'value' in parsed ? parsed.value : 0;
}

/** A node of somebody else as placement sees it, GPUs apart: those are its own affair. */
export function foreignNode(
  node: KubernetesObject,
  pods: readonly { cpuMilli: number; memoryBytes: number }[],
  cluster: string,
): PlacementNode {
  let cpuMilli = allocatable(node, 'cpu');
  let memoryBytes = allocatable(node, 'memory');
  for (const pod of pods) {
    cpuMilli -= pod.cpuMilli;
    memoryBytes -= pod.memoryBytes;
  }
  const { labels, name } = node;
  return {
    name: `node/${name}`,
    pool: '',
    labels: { ...labels, [hostnameLabel]: labels[hostnameLabel] ?? name },
    taints: taintsOf(node).filter(({ effect }) => effect !== 'PreferNoSchedule'),
    zone: labels[zoneLabel] ?? '',
    region: labels[regionLabel] ?? '',
    cluster,
    capacityType: 'on-demand',
    free: { cpuMilli, memoryBytes, pods: Math.max(0, allocatable(node, 'pods') - pods.length) },
    gpu: null,
    sharing: { kind: 'none' },
    gpuUse: [],
    pods: [],
  };
}

/** Whether a node could take one more pod beside those that are there, by what it offers and they set aside. */
export function hasRoom(
  node: KubernetesObject,
  there: readonly Pick<PlacementPod, 'cpuMilli' | 'memoryBytes' | 'gpu'>[],
  pod: Pick<PlacementPod, 'cpuMilli' | 'memoryBytes' | 'gpu'>,
): boolean {
  const sum = (amount: (one: (typeof there)[number]) => number) =>
    [...there, pod].reduce((all, one) => all + amount(one), 0);
  const wholes = sum(({ gpu }) => (gpu?.kind === 'whole' ? gpu.count : 0));
  return (
    sum(({ cpuMilli }) => cpuMilli) <= allocatable(node, 'cpu') &&
    sum(({ memoryBytes }) => memoryBytes) <= allocatable(node, 'memory') &&
    there.length + 1 <= allocatable(node, 'pods') &&
    (wholes === 0 || wholes <= allocatable(node, 'nvidia.com/gpu') + allocatable(node, 'amd.com/gpu'))
  );
}
