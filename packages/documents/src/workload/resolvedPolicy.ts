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
  | SloPolicySpec;

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

export interface SloPolicySpec {
  type: 'slo';
  triggers: SloPolicyTrigger[];
  startTimeMs: number;
}

interface SloTriggerBase {
  name: string;
  windowMs: number;
  increase: { replicas: number; factor: number };
  decrease: { replicas: number; factor: number };
}

export type SloPolicyTrigger =
  | (SloTriggerBase & { type: 'responseTime' | 'queueWait'; aboveMs: number; belowMs: number | null })
  | (SloTriggerBase & { type: 'throughput'; abovePerReplica: number; belowPerReplica: number | null });
