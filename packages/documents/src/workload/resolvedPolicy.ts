import type { pricedTuningNames } from './policy.ts';
import type { LlmServer } from './llmServers.ts';

/**
 * The policy of a workload in the core's units: the names and defaults of its origin, durations in milliseconds. Bounds
 * come from `ScalingSpec`, what a replica works on at once from the classes.
 */
export type PolicySpec =
  | { type: 'windows' }
  | KnativePolicySpec
  | RayPolicySpec
  | SkyServePolicySpec
  | KubeAiPolicySpec
  | AibrixPolicySpec
  | ClarifaiPolicySpec
  | SloPolicySpec
  | PricedPolicySpec;

export interface KnativePolicySpec {
  type: 'knative';
  metric: 'concurrency' | 'rps';
  /** Null: the concurrency of the classes, or the default target. */
  target: number | null;
  /** Share of the target that is planned for, in (0, 1]. */
  targetUtilization: number;
  containerConcurrencyTargetDefault: number;
  requestsPerSecondTargetDefault: number;
  stableWindowMs: number;
  panicWindowPercentage: number;
  panicThresholdPercentage: number;
  maxScaleUpRate: number;
  maxScaleDownRate: number;
  /** 0: the activator is never in the path of a running revision; -1: always. */
  targetBurstCapacity: number;
  activatorCapacity: number;
  enableScaleToZero: boolean;
  scaleToZeroGracePeriodMs: number;
  scaleToZeroPodRetentionPeriodMs: number;
  scaleDownDelayMs: number;
  initialScale: number;
  /** At least this many when it asks for any. */
  activationScale: number;
  progressDeadlineMs: number;
  aggregation: 'linear' | 'weighted-exponential';
}

export interface RayPolicySpec {
  type: 'ray';
  targetOngoingRequests: number;
  lookBackMs: number;
  upscaleDelayMs: number;
  downscaleDelayMs: number;
  /** Null: `downscaleDelayMs`. */
  downscaleToZeroDelayMs: number | null;
  upscalingFactor: number;
  downscalingFactor: number;
  aggregation: 'mean' | 'max' | 'min';
  gangSize: number;
}

export interface SkyServePolicySpec {
  type: 'skyserve';
  /** Null: always the minimum. */
  targetQpsPerReplica: number | null;
  upscaleDelayMs: number;
  downscaleDelayMs: number;
  qpsWindowMs: number;
  decisionIntervalMs: number;
  noReplicaDecisionIntervalMs: number;
}

export interface KubeAiPolicySpec {
  type: 'kubeai';
  targetRequests: number;
  scaleDownDelayMs: number;
  intervalMs: number;
  timeWindowMs: number;
}

export interface AibrixPolicySpec {
  type: 'aibrix';
  targetValue: number;
  stableWindowMs: number;
  maxScaleUpRate: number;
  maxScaleDownRate: number;
  upFluctuationTolerance: number;
  downFluctuationTolerance: number;
  scaleUpCooldownMs: number;
  scaleDownCooldownMs: number;
  reconcileIntervalMs: number;
}

export interface ClarifaiPolicySpec {
  type: 'clarifai';
  softMinReplicas: number;
  trafficHistoryMs: number;
  scaleUpDelayMs: number;
  scaleDownDelayMs: number;
  scaleToZeroDelayMs: number;
}

export interface PricedPolicySpec {
  type: 'priced';
  /** A request is on time when a replica takes it within this. */
  onTimeMs: number;
  /** Share of the requests that is to be on time, below 1; null: lateness has a price only. */
  onTimeShare: number | null;
  /** Price of a late request in micro-units of the classes' currency; null: two cold starts of a replica. */
  costOfLatenessMicro: number | null;
  /** Other numbers than those that the policy comes with. */
  tuning?: Partial<Record<(typeof pricedTuningNames)[number], number>>;
}

export interface SloPolicySpec {
  type: 'slo';
  triggers: SloPolicyTrigger[];
  startTimeMs: number;
  /** Left out: the replicas' own metrics are not read. */
  metrics?: SloMetricsSpec;
  /** Left out: no error budget. */
  objective?: SloObjectiveSpec;
}

export interface SloMetricsSpec {
  server: LlmServer | 'auto';
  path: string;
  /** Null: the replica's own. */
  port: number | null;
  intervalMs: number;
}

export interface SloObjectiveSpec {
  /** Share of the times that must be within their mark, below 1. */
  share: number;
  windowMs: number;
}

interface SloTriggerBase {
  name: string;
  windowMs: number;
  increase: { replicas: number; factor: number };
  decrease: { replicas: number; factor: number };
}

export type SloPolicyTrigger =
  | (SloTriggerBase & { type: 'responseTime' | 'queueWait'; aboveMs: number; belowMs: number | null })
  | (SloTriggerBase & { type: 'throughput'; abovePerReplica: number; belowPerReplica: number | null })
  | SloLlmTrigger;

/** Triggers whose signal the replicas publish themselves. */
export type SloLlmTrigger =
  | (SloTriggerBase & {
      type: 'timeToFirstToken' | 'interTokenLatency';
      /** Null: the mean. */
      quantile: number | null;
      aboveMs: number;
      /** Null: no say in shrinking. */
      belowMs: number | null;
    })
  | (SloTriggerBase & { type: 'tokensPerSecond'; abovePerReplica: number; belowPerReplica: number })
  | (SloTriggerBase & { type: 'kvCacheUse' | 'waitingRequests' | 'runningRequests'; above: number; below: number });
