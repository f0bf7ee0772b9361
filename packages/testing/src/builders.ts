import type { InstanceType, Offering } from '@ebb/core';
import type { ClusterInput, NodePoolInput, WorkloadInput } from '@ebb/documents';
import { apiVersion, resolveCluster, resolveNodePool, resolveWorkload, type WorkloadSpec } from '@ebb/documents';
import type { ApplyInput } from '@ebb/engine';

/** A Workload document with a name and a class, and whatever is said about its spec. */
export function workloadDocument(
  name: string,
  spec: Partial<WorkloadInput['spec']> = {},
  namespace = 'default',
): WorkloadInput {
  return {
    apiVersion,
    kind: 'Workload',
    metadata: { name, namespace },
    spec: {
      classes: [{ name: 'default', command: ['serve'], pricePerHour: 0.36 }],
      ...spec,
    },
  };
}

/** The same, resolved. */
export function workloadSpec(name: string, spec: Partial<WorkloadInput['spec']> = {}): WorkloadSpec {
  return resolveWorkload(workloadDocument(name, spec), { baseDirectory: '/' });
}

/** What `Engine.apply` takes for a Workload document. */
export function applyInput(document: WorkloadInput, expectedVersion?: number): ApplyInput {
  return {
    apiVersion,
    kind: 'Workload',
    key: resolveWorkload(document, { baseDirectory: '/' }).key,
    document,
    origin: null,
    ...(expectedVersion === undefined ? {} : { expectedVersion }),
  };
}

/** What `Engine.apply` takes for a document of KEDA's. */
export function kedaInput(
  kind: 'ScaledObject' | 'ScaledJob',
  name: string,
  spec: Record<string, unknown>,
  annotations: Record<string, string> = {},
): ApplyInput {
  const version = 'keda.sh/v1alpha1';
  return {
    apiVersion: version,
    kind,
    key: { cluster: 'local', namespace: 'default', name },
    document: { apiVersion: version, kind, metadata: { name, annotations }, spec },
    origin: null,
  };
}

/** What `Engine.apply` takes for a Cluster document. */
export function clusterInput(name: string, spec: ClusterInput['spec']): ApplyInput {
  const document = { apiVersion, kind: 'Cluster', metadata: { name }, spec };
  return { apiVersion, kind: 'Cluster', key: resolveCluster(document).key, document, origin: null };
}

/** What `Engine.apply` takes for a NodePool document. */
export function nodePoolInput(name: string, spec: NodePoolInput['spec']): ApplyInput {
  const document = { apiVersion, kind: 'NodePool', metadata: { name }, spec };
  return { apiVersion, kind: 'NodePool', key: resolveNodePool(document).key, document, origin: null };
}

/** Something that can be rented in one zone, on demand or as said. */
export function offering(
  name: string,
  pricePerHour: number,
  more: Partial<Pick<Offering, 'capacityType' | 'zone' | 'region'>> & Partial<InstanceType> = {},
): Offering {
  const { capacityType = 'on-demand', zone = 'r1a', region = 'r1', ...machine } = more;
  const instanceType: InstanceType = {
    ...{ name, cloud: 'aws', architecture: 'amd64', cpuMilli: 4000, memoryBytes: 16 * 1024 ** 3, gpu: null },
    ...{ maxPods: 110, labels: {} },
    ...machine,
  };
  const id = `${instanceType.cloud}/${region}/${zone}/${name}/${capacityType}`;
  return { id, instanceType, region, zone, capacityType, pricePerHourMicro: Math.round(pricePerHour * 1e6) };
}
