import type { KnativePolicySpec } from '@ebb/documents';
import type { AlgorithmSpec } from './tickingPolicy.ts';

/**
 * Settings of Knative's Pod Autoscaler as data: ConfigMap `config-autoscaler` and the annotations of a revision
 * together (knative/serving pkg/autoscaler/config, pkg/apis/autoscaling). `parseKnativeAnnotations` makes them.
 */
export interface KpaSettings extends Omit<KnativePolicySpec, 'type'> {
  /** Of the revision; 0: no limit. */
  containerConcurrency: number;
  minScale: number;
  /** 0: none. */
  maxScale: number;
}

export interface KpaDecisionSpec extends KpaSettings, AlgorithmSpec {
  policy: 'kpa';
}

/** What only Knative's autoscaler reads; everything is optional. */
export interface KpaObservation {
  /** False: no route leads to the revision, so that min scale, initial scale and pod retention do not count. */
  reachable?: boolean;
  /** Whether the activator answered the probe; absent: Ebb's gateway is always in the path. */
  activatorAnswers?: boolean;
}

export const defaultKpaSettings: KpaSettings = {
  metric: 'concurrency',
  containerConcurrency: 0,
  target: null,
  targetUtilization: 0.7,
  containerConcurrencyTargetDefault: 100,
  requestsPerSecondTargetDefault: 200,
  stableWindowMs: 60_000,
  panicWindowPercentage: 10,
  panicThresholdPercentage: 200,
  maxScaleUpRate: 1000,
  maxScaleDownRate: 2,
  targetBurstCapacity: 211,
  activatorCapacity: 100,
  enableScaleToZero: true,
  scaleToZeroGracePeriodMs: 30_000,
  scaleToZeroPodRetentionPeriodMs: 0,
  scaleDownDelayMs: 0,
  initialScale: 1,
  activationScale: 1,
  minScale: 0,
  maxScale: 0,
  progressDeadlineMs: 600_000,
  aggregation: 'linear',
};

/** `tickInterval` of pkg/autoscaler/scaling/multiscaler.go. */
export const kpaTickMs = 2000;
const leastTarget = 0.01;

/**
 * Target and total value a pod (pkg/reconciler/autoscaling/resources/target.go): the annotation is capped by the
 * container concurrency, the target is the utilised share of the total and at least 0.01.
 */
export function kpaTarget(settings: KpaSettings): { target: number; total: number } {
  let total: number;
  if (settings.metric === 'rps') {
    total = settings.target ?? settings.requestsPerSecondTargetDefault;
  } else {
    const limit = settings.containerConcurrency;
    total = settings.target ?? (limit > 0 ? limit : settings.containerConcurrencyTargetDefault);
    if (limit > 0) total = Math.min(total, limit);
  }
  return { target: Math.max(leastTarget, total * settings.targetUtilization), total };
}

/** Share of the stable window, in whole seconds and at least one (pkg/reconciler/autoscaling/resources/metric.go). */
export function kpaPanicWindowMs(settings: KpaSettings): number {
  return Math.max(1, Math.round((settings.stableWindowMs * settings.panicWindowPercentage) / 100 / 1000)) * 1000;
}
