import type { PolicyDocument } from './policy.ts';
import type { PolicySpec, SloPolicyTrigger } from './resolvedPolicy.ts';

type SloTriggerDocument = Extract<PolicyDocument, { type: 'slo' }>['triggers'][number];

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
    case 'slo':
      return { type: policy.type, triggers: policy.triggers.map(resolveTrigger), startTimeMs: policy.startTime };
    default:
      return { type: policy.type };
  }
}

function resolveTrigger(trigger: SloTriggerDocument): SloPolicyTrigger {
  const { increase, decrease, window } = trigger;
  const shared = {
    name: trigger.name ?? trigger.type,
    windowMs: window,
    increase: { replicas: increase.replicas, factor: increase.factor ?? 2 },
    decrease: { replicas: decrease.replicas, factor: decrease.factor ?? 1 },
  };
  const { above, below = null } = trigger;
  if (trigger.type === 'throughput') {
    return { ...shared, type: trigger.type, abovePerReplica: above, belowPerReplica: below };
  }
  return { ...shared, type: trigger.type, aboveMs: above, belowMs: below };
}
