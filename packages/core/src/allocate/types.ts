import type { Resources } from '@ebb/documents';
import type { Reason } from '../explain/reasons.ts';
import type { Memory } from '../replicas/types.ts';

/** What one workload's decision asks of the shared limits. */
export interface AllocationRequest {
  workload: string;
  priority: number;
  /** Cheapest first. `current` counts every replica that exists and is not draining. */
  classes: { name: string; wanted: number; current: number; requests: Resources; pricePerHourMicro: number }[];
  minReplicas: number;
  /** Workloads that need a ready replica first, and whether each has one. */
  dependencies: { workload: string; ready: boolean }[];
}

export interface AllocationLimits {
  /** Null: no limit. */
  maxReplicas: number | null;
  capacity: { cpuMilli: number | null; memoryBytes: number | null; gpuMilli: number | null };
  maxPricePerHourMicro: number | null;
}

export interface Grant {
  workload: string;
  classes: Record<string, number>;
  replicas: number;
  reasons: Reason[];
}

export interface AllocateResult {
  grants: Grant[];
  memory: Memory;
}

/** `allocate(requests, limits, memory) → { grants, memory }`: shares what is scarce. The grant is what is applied. */
export type Allocate = (
  requests: AllocationRequest[],
  limits: AllocationLimits,
  memory: Memory | null,
) => AllocateResult;
