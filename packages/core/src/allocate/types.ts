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
  /** What quotas are matched with. */
  namespace?: string;
  labels?: Record<string, string>;
}

/** Null or left out: no limit. */
interface LimitedAmounts {
  maxReplicas: number | null;
  capacity: { cpuMilli: number | null; memoryBytes: number | null; gpuMilli: number | null };
  maxPricePerHourMicro: number | null;
}

/**
 * Limits of one namespace or of the workloads with one label. A workload within several is bound by all of them and
 * takes its fair share from the first.
 */
export interface Quota {
  name: string;
  scope: { namespace: string } | { label: [key: string, value: string] };
  maxReplicas?: LimitedAmounts['maxReplicas'];
  capacity?: Partial<LimitedAmounts['capacity']>;
  maxPricePerHourMicro?: LimitedAmounts['maxPricePerHourMicro'];
  /** Part of what is scarce, against the other quotas (default 1; 0: only what no other wants). */
  weight?: number;
}

/** Money for a window of time, in micro-units of its currency. */
export interface Budget {
  currency: string;
  /** Spent within the window until `asOfMs`. */
  spentMicro: number;
  limitMicro: number;
  asOfMs: number;
  windowEndsAtMs: number;
  /** `stop-growing`: nothing starts that would take the window over the limit. `warn`: only a reason says so. */
  mode: 'warn' | 'stop-growing';
}

/** At most `max` jobs of all members together, those that run included. */
export interface JobCap {
  name: string;
  max: number;
  members: string[];
}

export interface AllocationLimits extends LimitedAmounts {
  quotas?: Quota[];
  budget?: Budget;
  jobCaps?: JobCap[];
  /** Whether a higher priority may take back running replicas of a lower one, down to its `minReplicas`. */
  preemption?: boolean;
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
