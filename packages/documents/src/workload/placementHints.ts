import type { Hint } from '../kind.ts';
import type { PlacementDocument } from './placement.ts';

/** Wishes that say nothing where there is one machine. */
export function placementHints(placement: PlacementDocument | undefined): Hint[] {
  if (!placement) return [];
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
            message: `${field} is checked and stored; this version runs replicas on its own machine, where there is nothing to choose`,
          },
        ]
      : [],
  );
}
