import type { GpuKind, GpuNeed, GpuSharing, GpuVendor } from '../types.ts';
import type { GpuRefusalCode, GpuShare } from './gpuUse.ts';
import { migCardOf, migProfile } from './migCards.ts';
import { unknownProfile } from './migLayout.ts';

/** How far a GPU may be shared. */
export interface ShareBounds {
  /** Most replicas on one GPU. */
  slots: number;
  gpuMilli: number;
  memoryBytes: number;
}

export type Refusal = { code: GpuRefusalCode; message: string };

const wholeGpuMilli = 1000;
const vendorNames: Record<GpuVendor, string> = {
  nvidia: 'NVIDIA',
  amd: 'AMD',
  intel: 'Intel',
  google: 'Google',
  aws: 'AWS',
};
const methodNames: Record<GpuSharing['kind'], string> = {
  none: 'no sharing',
  'time-slicing': 'time-slicing',
  mps: 'MPS',
  fraction: 'sharing by fractions',
  mig: 'MIG',
};

/**
 * Why GPUs of this kind cannot be shared so, or null. Only NVIDIA has a way to share one GPU that is handed out here; of
 * every other vendor a replica gets whole ones.
 */
export function sharingProblem(gpu: GpuKind, sharing: GpuSharing): Refusal | null {
  if (sharing.kind === 'none') return null;
  if (gpu.vendor !== 'nvidia') {
    const message = `${vendorNames[gpu.vendor]} GPUs are given out whole: ${methodNames[sharing.kind]} works on NVIDIA only`;
    return { code: 'sharing-unsupported', message };
  }
  if (sharing.kind === 'mig' && !migCardOf(gpu)) {
    const message = `${gpu.model} has no MIG, or its profiles are not known`;
    return { code: 'mig-unsupported', message };
  }
  const replicas = 'replicas' in sharing ? sharing.replicas : 2;
  if (Number.isInteger(replicas) && replicas >= 2 && replicas <= wholeGpuMilli) return null;
  const message = `${methodNames[sharing.kind]} by ${replicas}: replicas must be a whole number from 2 to ${wholeGpuMilli}`;
  return { code: 'sharing-unsupported', message };
}

/** What one GPU can be shared into. MPS gives each replica an equal part of memory and compute; time-slicing counts alike. */
export function shareBounds(gpu: GpuKind, sharing: GpuSharing): ShareBounds {
  const slots = 'replicas' in sharing ? sharing.replicas : wholeGpuMilli;
  return { slots, gpuMilli: wholeGpuMilli, memoryBytes: gpu.memoryBytes };
}

/** Why GPUs of this kind can never meet this need, however empty they are; null: they can. */
export function needProblem(gpu: GpuKind, sharing: GpuSharing, need: GpuNeed): Refusal | null {
  if (need.kind === 'mig') return migProblem(gpu, sharing, need);
  if (need.vendor !== null && need.vendor !== gpu.vendor) {
    const message = `needs ${vendorNames[need.vendor]}, and ${gpu.model} is ${vendorNames[gpu.vendor]}`;
    return { code: 'vendor', message };
  }
  return need.kind === 'whole' ? wholeProblem(gpu, sharing, need) : shareProblem(gpu, sharing, need);
}

/**
 * What a share takes of a GPU. One asked for by compute alone takes the same part of the memory, one asked for by memory
 * alone the same part of the compute (rounded down, so that equal parts of a GPU fill it and no more). Under time-slicing
 * and MPS it takes one replica.
 */
export function shareTaken(gpu: GpuKind, sharing: GpuSharing, need: Extract<GpuNeed, { kind: 'share' }>): GpuShare {
  if ('replicas' in sharing) return replicaShare(gpu, sharing.replicas);
  const { gpuMilli, memoryBytes } = need;
  return {
    gpuMilli: gpuMilli > 0 ? gpuMilli : Math.max(1, Math.floor((wholeGpuMilli * memoryBytes) / gpu.memoryBytes)),
    memoryBytes: memoryBytes > 0 ? memoryBytes : Math.floor((gpu.memoryBytes * gpuMilli) / wholeGpuMilli),
  };
}

function replicaShare(gpu: GpuKind, replicas: number): GpuShare {
  return { gpuMilli: Math.floor(wholeGpuMilli / replicas), memoryBytes: Math.floor(gpu.memoryBytes / replicas) };
}

function wholeProblem(gpu: GpuKind, sharing: GpuSharing, need: Extract<GpuNeed, { kind: 'whole' }>): Refusal | null {
  if ('replicas' in sharing) {
    const { gpuMilli } = replicaShare(gpu, sharing.replicas);
    const message = `asks for a whole GPU, and they are shared by ${methodNames[sharing.kind]} in ${sharing.replicas}: ask for ${gpuMilli}m or less`;
    return { code: 'more-than-one-replica', message };
  }
  if (need.minMemoryBytes > gpu.memoryBytes) return tooSmall(gpu, need.minMemoryBytes);
  if (need.count <= gpu.count) return null;
  return { code: 'count', message: `needs ${need.count} GPUs of one node, which has ${gpu.count} ${gpu.model}` };
}

function shareProblem(gpu: GpuKind, sharing: GpuSharing, need: Extract<GpuNeed, { kind: 'share' }>): Refusal | null {
  const refused = sharingProblem(gpu, sharing.kind === 'none' ? { kind: 'fraction' } : sharing);
  if (refused) return refused;
  if (sharing.kind === 'none') {
    return { code: 'sharing-off', message: 'asks for a part of a GPU, and they are given out whole' };
  }
  if (sharing.kind === 'mig') {
    return { code: 'sharing-off', message: 'asks for a part of a GPU, and they are cut by MIG: ask for a profile' };
  }
  if (need.gpuMilli > wholeGpuMilli) {
    return { code: 'count', message: `asks for ${need.gpuMilli}m of one GPU, which is more than all of it` };
  }
  if (need.memoryBytes > gpu.memoryBytes) return tooSmall(gpu, need.memoryBytes);
  if (!('replicas' in sharing)) return null;
  const one = replicaShare(gpu, sharing.replicas);
  if (need.gpuMilli <= one.gpuMilli && need.memoryBytes <= one.memoryBytes) return null;
  const asked = need.gpuMilli > one.gpuMilli ? `${need.gpuMilli}m` : mebibytes(need.memoryBytes);
  const message =
    `asks for ${asked}, more than one of ${sharing.replicas} ${methodNames[sharing.kind]} replicas of a GPU ` +
    `(${one.gpuMilli}m, ${mebibytes(one.memoryBytes)}); more of them give no more`;
  return { code: 'more-than-one-replica', message };
}

function migProblem(gpu: GpuKind, sharing: GpuSharing, need: Extract<GpuNeed, { kind: 'mig' }>): Refusal | null {
  const refused = sharingProblem(gpu, { kind: 'mig' });
  if (refused) return refused;
  const card = migCardOf(gpu);
  const profile = card && migProfile(card, need.profile);
  if (!card || !profile) return { code: 'profile', message: card ? unknownProfile(card, need.profile) : gpu.model };
  if (sharing.kind !== 'mig') {
    return { code: 'sharing-off', message: `asks for the MIG profile ${need.profile}, and MIG is not used here` };
  }
  const most = profile.maxPerCard * gpu.count;
  if (need.count <= most) return null;
  const message = `needs ${need.count} of ${need.profile}, and ${gpu.count} ${gpu.model} hold at most ${most}`;
  return { code: 'count', message };
}

function tooSmall(gpu: GpuKind, memoryBytes: number): Refusal {
  const message = `needs ${mebibytes(memoryBytes)} of one GPU, and ${gpu.model} has ${mebibytes(gpu.memoryBytes)}`;
  return { code: 'memory', message };
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 1024 / 1024)} MiB`;
}
