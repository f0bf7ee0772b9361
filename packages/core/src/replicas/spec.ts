import { keyText, type ScalingSpec, type SloPolicyTrigger, type WorkloadSpec } from '@ebb/documents';
import { defaultKpaSettings } from './algorithms/kpaSettings.ts';
import { defaultKubeAiSettings } from './algorithms/kubeAi.ts';
import type { SloTrigger } from './algorithms/sloTriggers.ts';
import { defaultOnTimeUs } from '../dispatch/counts.ts';
import type { DecisionSpec, WorkloadDecisionSpec } from './types.ts';

/** What is on time where a workload's policy does not say it. */
const defaultOnTimeMs = defaultOnTimeUs / 1000;
/** Requests that a replica of a class without a limit is taken to work on at once, where a policy must know. */
const concurrencyWithoutLimit = 10;

/**
 * What a workload is decided from, by the policy that it names; classes cheapest first. While it is paused Ebb's own
 * policy decides, because the others know no pause.
 */
export function decisionSpecOf(workload: WorkloadSpec): DecisionSpec {
  const { scaling } = workload;
  const { policy } = scaling;
  if (!policy || policy.type === 'windows') return windowsSpecOf(workload);
  if (scaling.paused && policy.type !== 'priced') return windowsSpecOf(workload);
  const spec = windowsSpecOf(workload);
  const shared = { workload: spec.workload, classes: spec.classes.map(({ name }) => name) };
  const { minReplicas, maxReplicas } = scaling;
  const bounds = { minReplicas, maxReplicas };
  switch (policy.type) {
    case 'knative': {
      const { type: _type, ...kpa } = policy;
      const containerConcurrency = largestConcurrency(workload) ?? 0;
      const scale = { containerConcurrency, minScale: minReplicas, maxScale: maxReplicas };
      return { ...defaultKpaSettings, ...shared, ...kpa, ...scale, policy: 'kpa' };
    }
    case 'ray': {
      const { type, ...ray } = policy;
      return { ...shared, ...bounds, ...ray, initialReplicas: scaling.initialReplicas, policy: type };
    }
    case 'skyserve': {
      const { type, ...sky } = policy;
      return { ...shared, ...bounds, ...sky, policy: type };
    }
    case 'kubeai': {
      const { type, ...kubeAi } = policy;
      return { ...defaultKubeAiSettings, ...shared, ...bounds, ...kubeAi, policy: type };
    }
    case 'aibrix': {
      const { type, ...aibrix } = policy;
      return { ...shared, ...bounds, ...aibrix, policy: type };
    }
    case 'clarifai': {
      const { type, ...clarifai } = policy;
      const concurrency = largestConcurrency(workload) ?? concurrencyWithoutLimit;
      return { ...shared, ...bounds, ...clarifai, concurrency, policy: type };
    }
    case 'priced': {
      const { type, ...priced } = policy;
      return { ...spec, ...priced, policy: type };
    }
    case 'slo': {
      const { type, startTimeMs, triggers, metrics, objective } = policy;
      const { keepAliveMs } = scaling;
      return {
        ...shared,
        ...bounds,
        startTimeMs,
        keepAliveMs,
        triggers: triggers.map(sloTrigger),
        ...(metrics ? { metricsIntervalMs: metrics.intervalMs } : {}),
        ...(objective ? { objective } : {}),
        policy: type,
      };
    }
  }
}

/** A request of the workload is on time when a replica takes it within this, whichever policy decides. */
export function onTimeMsOf({ policy }: ScalingSpec): number {
  return policy?.type === 'priced' ? policy.onTimeMs : defaultOnTimeMs;
}

/** What Ebb's own policy decides a workload from, whichever policy it names. */
export function windowsSpecOf(workload: WorkloadSpec): WorkloadDecisionSpec {
  return {
    policy: 'windows',
    workload: keyText(workload.key),
    classes: workload.classes
      .map(({ name, concurrency, pricePerHourMicro }) => ({ name, concurrency, pricePerHourMicro }))
      .sort((a, b) => a.pricePerHourMicro - b.pricePerHourMicro),
    scaling: workload.scaling,
  };
}

/** Largest concurrency of the classes; null: one has no limit. */
function largestConcurrency({ classes }: WorkloadSpec): number | null {
  return classes.some(({ concurrency }) => concurrency === 0)
    ? null
    : Math.max(...classes.map(({ concurrency }) => concurrency));
}

/** The same fields under the same names; the types say so one kind at a time. */
function sloTrigger(trigger: SloPolicyTrigger): SloTrigger {
  switch (trigger.type) {
    case 'throughput':
      return { ...trigger, type: trigger.type };
    case 'queueWait':
      return { ...trigger, type: trigger.type };
    case 'responseTime':
      return { ...trigger, type: trigger.type };
    default:
      return trigger;
  }
}
