import type { PolicyDocument } from './policy.ts';
import type { PolicySpec } from './resolvedPolicy.ts';
import { resolveSlo } from './resolveSlo.ts';

/** A policy in the core's units. */
export function resolvePolicy(policy: PolicyDocument): PolicySpec {
  switch (policy.type) {
    case 'knative': {
      const { stableWindow, scaleToZeroGracePeriod, scaleToZeroPodRetentionPeriod, ...rest } = policy;
      const { scaleDownDelay, progressDeadline, target = null, ...plain } = rest;
      return {
        ...plain,
        target,
        stableWindowMs: stableWindow,
        scaleToZeroGracePeriodMs: scaleToZeroGracePeriod,
        scaleToZeroPodRetentionPeriodMs: scaleToZeroPodRetentionPeriod,
        scaleDownDelayMs: scaleDownDelay,
        progressDeadlineMs: progressDeadline,
      };
    }
    case 'ray': {
      const { lookBackPeriod, upscaleDelay, downscaleDelay, downscaleToZeroDelay = null, ...plain } = policy;
      return {
        ...plain,
        lookBackMs: lookBackPeriod,
        upscaleDelayMs: upscaleDelay,
        downscaleDelayMs: downscaleDelay,
        downscaleToZeroDelayMs: downscaleToZeroDelay,
      };
    }
    case 'skyserve':
      return {
        type: policy.type,
        targetQpsPerReplica: policy.targetQpsPerReplica ?? null,
        upscaleDelayMs: policy.upscaleDelay,
        downscaleDelayMs: policy.downscaleDelay,
        qpsWindowMs: policy.qpsWindow,
        decisionIntervalMs: policy.decisionInterval,
        noReplicaDecisionIntervalMs: policy.noReplicaDecisionInterval,
      };
    case 'kubeai':
      return {
        type: policy.type,
        targetRequests: policy.targetRequests,
        scaleDownDelayMs: policy.scaleDownDelay,
        intervalMs: policy.interval,
        timeWindowMs: policy.timeWindow,
      };
    case 'aibrix': {
      const { stableWindow, scaleUpCooldown, scaleDownCooldown, reconcileInterval, ...plain } = policy;
      return {
        ...plain,
        stableWindowMs: stableWindow,
        scaleUpCooldownMs: scaleUpCooldown,
        scaleDownCooldownMs: scaleDownCooldown,
        reconcileIntervalMs: reconcileInterval,
      };
    }
    case 'clarifai':
      return {
        type: policy.type,
        softMinReplicas: policy.softMinReplicas,
        trafficHistoryMs: policy.trafficHistory,
        scaleUpDelayMs: policy.scaleUpDelay,
        scaleDownDelayMs: policy.scaleDownDelay,
        scaleToZeroDelayMs: policy.scaleToZeroDelay,
      };
    case 'priced':
      return {
        type: policy.type,
        onTimeMs: policy.onTime,
        onTimeShare: policy.share ?? null,
        costOfLatenessMicro: policy.costOfLateness ?? null,
        ...(policy.tuning ? { tuning: policy.tuning } : {}),
      };
    case 'slo':
      return resolveSlo(policy);
    default:
      return { type: policy.type };
  }
}
