import { type MigCard, migCardOf, migProfile } from '../gpu/migCards.ts';
import type { GpuKind, GpuNeed, GpuSharing } from '../types.ts';

/** The GPUs of a machine and how they are shared: what is the same for all machines with them. */
export interface GpuShape {
  gpu: GpuKind | null;
  sharing: GpuSharing;
  /** Null: the card is not known to be cut. */
  card: MigCard | null;
  /** Amounts of all GPUs of an empty machine, in the units of `gpuAmounts`. */
  capacity: readonly [number, number];
  /** Whether what fits by amounts fits: no GPU can have a remainder that is lost. */
  isAdditive: boolean;
}

export function gpuShapeOf(gpu: GpuKind | null, sharing: GpuSharing): GpuShape {
  const card = gpu !== null && sharing.kind === 'mig' ? migCardOf(gpu) : null;
  const count = gpu?.count ?? 0;
  const memoryBytes = gpu?.memoryBytes ?? 0;
  const shape = { gpu, sharing, card };
  switch (sharing.kind) {
    case 'none':
      return { ...shape, capacity: [count, 0], isAdditive: true };
    case 'time-slicing':
    case 'mps':
      return { ...shape, capacity: [count * sharing.replicas, 0], isAdditive: true };
    case 'fraction':
      return { ...shape, capacity: [count * 1000, count * memoryBytes], isAdditive: count === 0 };
    case 'mig': {
      const { computeSlices = 0, memorySlices = 0 } = card ?? {};
      return { ...shape, capacity: [count * computeSlices, count * memorySlices], isAdditive: card === null };
    }
  }
}

export type GpuMiss = 'gpu-kind' | 'gpu-sharing' | 'gpu-memory' | 'gpu-count';

/**
 * Two amounts that a need takes of a shape's capacity, or why no machine of this shape can ever meet it. Whole GPUs and
 * places of time-slicing and MPS: GPUs or places, 0. Fractions: thousandths, bytes. MIG: compute slices, memory slices.
 * A replica of time-slicing or MPS is 1/replicas of a GPU and of its memory: a larger share is not promised by two.
 */
export function gpuAmounts(shape: GpuShape, need: GpuNeed | null): readonly [number, number] | GpuMiss {
  const { gpu, sharing } = shape;
  if (need === null) return [0, 0];
  if (gpu === null || gpu.count === 0) return 'gpu-kind';
  if (need.kind === 'mig') return migAmounts(shape, need.profile, need.count, gpu.count);
  if (need.vendor !== null && need.vendor !== gpu.vendor) return 'gpu-kind';
  if (sharing.kind === 'mig') return 'gpu-sharing';
  const isShared = sharing.kind === 'time-slicing' || sharing.kind === 'mps';
  if (need.kind === 'whole') {
    if (isShared) return 'gpu-sharing';
    if (need.minMemoryBytes > gpu.memoryBytes) return 'gpu-memory';
    // A slice that a cloud rents is no whole GPU.
    if (need.count > (gpu.sliceMilli === undefined ? gpu.count : 0)) return 'gpu-count';
    return sharing.kind === 'fraction' ? [need.count * 1000, need.count * gpu.memoryBytes] : [need.count, 0];
  }
  const parts = isShared ? sharing.replicas : 1;
  if (need.memoryBytes * parts > gpu.memoryBytes) return 'gpu-memory';
  if (need.gpuMilli * parts > (gpu.sliceMilli ?? 1000)) return isShared ? 'gpu-sharing' : 'gpu-count';
  return sharing.kind === 'fraction' ? [need.gpuMilli, need.memoryBytes] : [1, 0];
}

function migAmounts({ sharing, card }: GpuShape, name: string, count: number, gpus: number) {
  if (sharing.kind !== 'mig' || card === null) return 'gpu-sharing';
  const profile = migProfile(card, name);
  if (profile === undefined || profile === null) return 'gpu-kind';
  if (count > profile.maxPerCard * gpus) return 'gpu-count';
  return [count * profile.computeSlices, count * profile.memorySlices] as const;
}
