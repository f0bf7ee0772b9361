import { assignGpus, type GpuKind, type GpuSharing, type PlacedPod, type PlacementPod } from '@ebb/core';

/**
 * On which GPUs of a node pods may be thought to be, in their order. The device plugin chooses for itself and does not tell; what
 * counts is how much is left. More than the node can hold leaves the last pods without one.
 */
export function gpuPlaces(
  gpu: GpuKind | null,
  sharing: GpuSharing,
  pods: readonly Pick<PlacementPod, 'id' | 'gpu'>[],
): Map<string, PlacedPod> {
  const places = new Map<string, PlacedPod>(pods.map(({ id }) => [id, { id, gpus: [], instances: [] }]));
  const asking = pods.flatMap(({ id, gpu: need }) => (need === null ? [] : [{ id, need }]));
  for (let count = asking.length; count > 0; count--) {
    const some = asking.slice(0, count);
    const made = assignGpus(
      gpu,
      sharing,
      [],
      some.map(({ need }) => need),
    );
    if ('refusal' in made) continue;
    for (const [index, { id }] of some.entries()) {
      const placement = made.assignment.placements[index];
      if (placement?.kind === 'whole') places.set(id, { id, gpus: placement.gpus, instances: [] });
      else if (placement?.kind === 'share') places.set(id, { id, gpus: [placement.gpu], instances: [] });
      else if (placement) {
        const instances = placement.instances.map(({ gpu: _gpu, ...instance }) => instance);
        places.set(id, { id, gpus: placement.instances.map((one) => one.gpu), instances });
      }
    }
    return places;
  }
  return places;
}
