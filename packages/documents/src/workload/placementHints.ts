import type { Hint } from '../kind.ts';
import { defaultCluster } from '../objectKey.ts';
import type { PlacementDocument } from './placement.ts';

/** Wishes that say nothing where there is one machine: the workload names no cluster and no pool. */
export function placementHints(placement: PlacementDocument | undefined): Hint[] {
  if (!placement || placement.clusters.some(isOther) || placement.pools.length > 0) return [];
  const { nodeSelector, requirements, tolerations, instances, spread } = placement;
  const isWritten = {
    nodeSelector: Object.keys(nodeSelector).length > 0,
    requirements: requirements.length > 0,
    tolerations: tolerations.length > 0,
    instances: instances.order !== 'cheapest' || instances.cpuAllowed !== undefined || instances.gpuNeeded,
    spread: spread.length > 0,
  };
  return Object.entries(isWritten).flatMap(([field, written]): Hint[] =>
    written
      ? [
          {
            path: ['spec', 'placement', field],
            code: 'mode-not-available',
            message: `${field} says nothing on this machine, which is the only one of its cluster; name a cluster of type rehearsal in placement.clusters`,
          },
        ]
      : [],
  );
}

function isOther(cluster: string): boolean {
  return cluster !== defaultCluster;
}
