import type { Store } from '@ebb/core';
import { defaultCluster, placementRefusal, placesOf, type WorkloadSpec } from '@ebb/documents';
import { ApplyError, type ApplyInput } from './types.ts';

/**
 * Refuses workloads that may not run on the machine at hand: on one machine that is what is placed in clusters other than
 * local ones and rehearsals, or in pools and regions of such. Throws `ApplyError`; reads documents only where a workload
 * of the batch names a place.
 */
export async function checkPlacement(
  store: Pick<Store, 'documents'>,
  inputs: readonly ApplyInput[],
  specs: ReadonlyMap<number, WorkloadSpec>,
): Promise<void> {
  const placed = [...specs].filter(([, { key, placement }]) => placement || key.cluster !== defaultCluster);
  if (placed.length === 0) return;
  const stored = [...(await store.documents.list('Cluster')), ...(await store.documents.list('NodePool'))];
  const places = placesOf([...stored, ...inputs], true);
  for (const [index, spec] of placed) {
    const refusal = placementRefusal(spec, places);
    if (refusal) throw new ApplyError('placement', refusal.message, index, refusal.path);
  }
}
