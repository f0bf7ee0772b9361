import type { Reason } from '../explain/reasons.ts';
import type { Memory } from '../replicas/types.ts';

/**
 * Vertical sizing in the manner of the Vertical Pod Autoscaler, as data. CPU is in thousandths of a core, memory in
 * bytes, both integers; times are integer milliseconds. A "container" is whatever has requests of its own (for a
 * process workload: its class), a "replica" one running copy of it.
 */

export type SizedResource = 'cpu' | 'memory';

/** A resource that is left out is not set, which is not the same as 0. */
export interface ResourceAmounts {
  cpuMilli?: number;
  memoryBytes?: number;
}

/** A `containerPolicies` entry; the name `*` stands for every container without an entry of its own. */
export interface ContainerPolicy {
  container: string;
  /** Off: nothing is recommended for the container, and it does not share the minimum per pod. */
  mode?: 'Auto' | 'Off';
  /** An amount of 0 means that there is no bound. */
  minAllowed?: ResourceAmounts;
  maxAllowed?: ResourceAmounts;
  controlledResources?: SizedResource[];
  /** RequestsAndLimits (the default) moves limits in proportion. */
  controlledValues?: 'RequestsAndLimits' | 'RequestsOnly';
  /** Whole cores only, for exclusive CPUs. */
  integerCpu?: boolean;
  oomBumpRatio?: number;
  oomMinBumpBytes?: number;
  memoryWindowMs?: number;
  memoryWindowCount?: number;
}

/** Flags of the recommender. */
export interface RecommenderSettings {
  /** Added to every percentile, as a fraction of it. */
  safetyMargin: number;
  /** Per pod, shared evenly by its containers. */
  podMinCpuMilli: number;
  podMinMemoryBytes: number;
  cpuPercentiles: Percentiles;
  memoryPercentiles: Percentiles;
  /** History of this length, with a sample a minute, has confidence 1. */
  confidenceIntervalMs: number;
  cpuHalfLifeMs: number;
  memoryHalfLifeMs: number;
  /** One memory peak is kept per replica and window. */
  memoryWindowMs: number;
  /** History that was not added to for this many windows is forgotten. */
  memoryWindowCount: number;
  oomBumpRatio: number;
  oomMinBumpBytes: number;
  /** Recommendations are rounded up to multiples of these. */
  roundCpuMilli: number;
  roundMemoryBytes: number;
  /** Holds where a container's policy gives no `maxAllowed` for the resource. */
  maxAllowed: ResourceAmounts;
  /** Whether an annotation of a VerticalPodAutoscaler can ask for whole cores. */
  integerCpuByAnnotation: boolean;
}

export interface Percentiles {
  lowerBound: number;
  target: number;
  upperBound: number;
}

export const defaultRecommender: RecommenderSettings = {
  safetyMargin: 0.15,
  podMinCpuMilli: 25,
  podMinMemoryBytes: 250 * 1024 * 1024,
  cpuPercentiles: { lowerBound: 0.5, target: 0.9, upperBound: 0.95 },
  memoryPercentiles: { lowerBound: 0.5, target: 0.9, upperBound: 0.95 },
  confidenceIntervalMs: 86_400_000,
  cpuHalfLifeMs: 86_400_000,
  memoryHalfLifeMs: 86_400_000,
  memoryWindowMs: 86_400_000,
  memoryWindowCount: 8,
  oomBumpRatio: 1.2,
  oomMinBumpBytes: 100 * 1024 * 1024,
  roundCpuMilli: 1,
  roundMemoryBytes: 1,
  maxAllowed: {},
  integerCpuByAnnotation: false,
};

/** What a recommendation is made from. */
export interface SizingSpec {
  workload: string;
  /** Containers to answer for though nothing was measured of them yet; measured ones need not be listed. */
  containers: string[];
  policies: ContainerPolicy[];
  settings: RecommenderSettings;
}

/** What one replica's container used: the mean over the time up to the next sample, or the value at that time. */
export interface UsageSample {
  type: 'usage';
  container: string;
  replica: string;
  atMs: number;
  cpuMilli?: number;
  memoryBytes?: number;
}

/** The container was killed because it ran out of memory. */
export interface OomSample {
  type: 'oom';
  container: string;
  replica: string;
  atMs: number;
  /** What it had asked for; 0 where it had no request. */
  requestBytes: number;
}

export type SizingSample = UsageSample | OomSample;

export interface SizingObservation {
  nowMs: number;
  /** In the order they came. */
  samples: SizingSample[];
}

export interface ContainerRecommendation {
  name: string;
  lowerBound: ResourceAmounts;
  target: ResourceAmounts;
  upperBound: ResourceAmounts;
  /** The target before `minAllowed` and `maxAllowed`; for display only. */
  uncappedTarget: ResourceAmounts;
}

export interface SizingRecommendation {
  /** By name. */
  containers: ContainerRecommendation[];
}

export interface SizingResult {
  recommendation: SizingRecommendation;
  /** Plain JSON, at most `maxMemoryBytes`. */
  memory: Memory;
  reasons: Reason[];
}

/** What a container has now: from its status where that says so, else from its template. */
export interface SizedContainer {
  name: string;
  requests: ResourceAmounts;
  limits: ResourceAmounts;
}

/** One item of a Kubernetes LimitRange. */
export interface LimitRange {
  min?: ResourceAmounts;
  max?: ResourceAmounts;
  /** Limit of a container that names none. */
  default?: ResourceAmounts;
}

export interface LimitRanges {
  pod?: LimitRange;
  container?: LimitRange;
}
