import type { MigInstance } from './migLayout.ts';
import type { CurrentInstance } from './migRelayout.ts';

/** A part of one GPU that somebody has. */
export interface GpuShare {
  gpuMilli: number;
  memoryBytes: number;
}

/** What is taken on one GPU. */
export interface GpuUse {
  /** One workload has all of it. */
  whole: boolean;
  shares: readonly GpuShare[];
  /** MIG instances that are there, used or not. */
  instances: readonly CurrentInstance[];
}

/** Which GPUs, by their position on the node, one need gets. */
export type GpuPlacement =
  | { kind: 'whole'; gpus: readonly number[] }
  | ({ kind: 'share'; gpu: number } & GpuShare)
  | { kind: 'mig'; instances: readonly (MigInstance & { gpu: number })[] };

/** How one card is to be cut anew before its instances can be used. */
export interface CardRelayout {
  gpu: number;
  destroy: readonly MigInstance[];
  create: readonly MigInstance[];
}

export interface GpuAssignment {
  /** One for each need, in their order. */
  placements: readonly GpuPlacement[];
  /** Only cards that change. */
  relayouts: readonly CardRelayout[];
  /** What is taken on each GPU then. */
  after: readonly GpuUse[];
}

/**
 * Why needs cannot be met. `full` is the only one that other replicas' end can change; `undecided` means that the search
 * was cut off before it was known.
 */
export type GpuRefusalCode =
  | 'no-gpu'
  | 'vendor'
  | 'memory'
  | 'count'
  | 'sharing-unsupported'
  | 'sharing-off'
  | 'sharing-on'
  | 'more-than-one-replica'
  | 'mig-unsupported'
  | 'profile'
  | 'full'
  | 'undecided';

export interface GpuRefusal {
  code: GpuRefusalCode;
  /** For a person. */
  message: string;
  /** Position of the need that is refused; null: they do not fit together. */
  need: number | null;
}

export const noUse: GpuUse = { whole: false, shares: [], instances: [] };

/** Nothing on it is used. */
export function isUnused({ whole, shares, instances }: GpuUse): boolean {
  return !whole && shares.length === 0 && !instances.some((one) => one.inUse);
}
