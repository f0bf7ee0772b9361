import { type MigInstance, placeProfiles } from '../gpu/migLayout.ts';
import type { GpuNeed } from '../types.ts';
import type { GpuShape } from './gpuShape.ts';
import type { NodeGpuUse } from './types.ts';

/** What is left of one GPU while a node is filled. */
interface OpenGpu {
  milli: number;
  bytes: number;
  /** Stay where they are. */
  fixed: readonly MigInstance[];
  /** Placed so far, by profile. */
  added: Record<string, number>;
}

/**
 * The GPUs of one node whose amounts do not simply add up: a share must fit one GPU, a MIG instance a legal place.
 * Shares go to the GPU that they fill best (the least is left), which keeps whole GPUs whole.
 */
export class GpuRoom {
  readonly #shape: GpuShape;
  readonly #gpus: OpenGpu[];

  constructor(shape: GpuShape, uses: readonly NodeGpuUse[]) {
    this.#shape = shape;
    this.#gpus = Array.from({ length: shape.gpu?.count ?? 0 }, (_, index) => ({
      milli: 1000 - (uses[index]?.gpuMilli ?? 0),
      bytes: (shape.gpu?.memoryBytes ?? 0) - (uses[index]?.memoryBytes ?? 0),
      fixed: uses[index]?.instances ?? [],
      added: {},
    }));
  }

  /** Takes the GPUs for one pod and says which, or null where they are not free. */
  take(need: GpuNeed): number[] | null {
    if (need.kind === 'mig') return this.#takeInstances(need.profile, need.count);
    return need.kind === 'share' ? this.#takeShare(need.gpuMilli, need.memoryBytes) : this.#takeWhole(need.count);
  }

  #takeWhole(count: number): number[] | null {
    const full = this.#shape.gpu?.memoryBytes ?? 0;
    const free = this.#gpus.flatMap(({ milli, bytes }, index) => (milli === 1000 && bytes === full ? [index] : []));
    if (free.length < count) return null;
    const taken = free.slice(0, count);
    for (const index of taken) Object.assign(this.#gpus[index] ?? {}, { milli: 0, bytes: 0 });
    return taken;
  }

  #takeShare(gpuMilli: number, memoryBytes: number): number[] | null {
    let best = -1;
    let bestLeft = Number.POSITIVE_INFINITY;
    for (const [index, { milli, bytes }] of this.#gpus.entries()) {
      if (milli < gpuMilli || bytes < memoryBytes) continue;
      if (milli - gpuMilli >= bestLeft) continue;
      best = index;
      bestLeft = milli - gpuMilli;
    }
    const gpu = this.#gpus[best];
    if (gpu === undefined) return null;
    gpu.milli -= gpuMilli;
    gpu.bytes -= memoryBytes;
    return [best];
  }

  #takeInstances(profile: string, count: number): number[] | null {
    const taken: number[] = [];
    for (const [index, gpu] of this.#gpus.entries()) {
      while (taken.length < count) {
        const added = { ...gpu.added, [profile]: (gpu.added[profile] ?? 0) + 1 };
        if (!canPlace(this.#shape, gpu.fixed, added)) break;
        gpu.added = added;
        taken.push(index);
      }
    }
    if (taken.length === count) return taken;
    for (const index of taken) {
      const gpu = this.#gpus[index];
      if (gpu) gpu.added = { ...gpu.added, [profile]: (gpu.added[profile] ?? 0) - 1 };
    }
    return null;
  }
}

function canPlace({ card }: GpuShape, fixed: readonly MigInstance[], added: Readonly<Record<string, number>>): boolean {
  return card !== null && placeProfiles(card, fixed, added) !== null;
}

/** Legal places for the instances of one GPU; null where they cannot be together. */
export function placeInstances(
  { card }: GpuShape,
  use: NodeGpuUse | undefined,
  counts: Readonly<Record<string, number>>,
): MigInstance[] | null {
  return card === null ? null : placeProfiles(card, use?.instances ?? [], counts);
}
