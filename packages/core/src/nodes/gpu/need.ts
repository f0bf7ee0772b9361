import type { Resources } from '@ebb/documents';
import type { GpuNeed } from '../types.ts';

/**
 * What a replica's requests ask of the GPUs of its node; null: nothing. A MIG profile, whole GPUs of at least some memory, or
 * a part of one by compute, by memory, or both.
 */
export function gpuNeedOf({ gpuMilli, gpuMemoryBytes = 0, gpuMig }: Partial<Resources>): GpuNeed | null {
  if (gpuMig) return { kind: 'mig', ...gpuMig };
  const milli = gpuMilli ?? 0;
  if (milli >= 1000) {
    return { kind: 'whole', count: Math.ceil(milli / 1000), vendor: null, minMemoryBytes: gpuMemoryBytes };
  }
  if (milli <= 0 && gpuMemoryBytes <= 0) return null;
  return { kind: 'share', gpuMilli: milli, memoryBytes: gpuMemoryBytes, vendor: null };
}
