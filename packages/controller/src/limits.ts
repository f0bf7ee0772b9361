import type { AllocationLimits, Store } from '@ebb/core';
import { defaultCluster, defaultNamespace, resolveCluster } from '@ebb/documents';

export const noLimits: AllocationLimits = {
  maxReplicas: null,
  capacity: { cpuMilli: null, memoryBytes: null, gpuMilli: null },
  maxPricePerHourMicro: null,
};

/** What the document of the local cluster allows all workloads together; without one there is no limit. */
export async function readLimits(store: Pick<Store, 'documents'>): Promise<AllocationLimits> {
  const key = { cluster: defaultCluster, namespace: defaultNamespace, name: defaultCluster };
  const stored = await store.documents.get('Cluster', key);
  return stored ? resolveCluster(stored.document).limits : noLimits;
}
