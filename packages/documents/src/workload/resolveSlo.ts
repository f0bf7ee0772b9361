import type { PolicyDocument } from './policy.ts';
import type { SloTriggerDocument } from './policySlo.ts';
import { llmSignals } from './llmServers.ts';
import type { SloPolicySpec, SloPolicyTrigger } from './resolvedPolicy.ts';

/** The policy `slo` in the core's units. Metrics of replicas are there when a trigger needs them or the document asks. */
export function resolveSlo(policy: Extract<PolicyDocument, { type: 'slo' }>): SloPolicySpec {
  const { triggers, metrics, objective } = policy;
  const signals: readonly string[] = llmSignals;
  const isRead = metrics !== undefined || triggers.some(({ type }) => signals.includes(type));
  const { server = 'auto', path = '/metrics', port = null, interval: intervalMs = 1000 } = metrics ?? {};
  return {
    type: policy.type,
    triggers: triggers.map(resolveTrigger),
    startTimeMs: policy.startTime,
    ...(isRead ? { metrics: { server, path, port, intervalMs } } : {}),
    ...(objective ? { objective: { share: objective.share, windowMs: objective.window } } : {}),
  };
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
  switch (trigger.type) {
    case 'throughput':
      return { ...shared, type: trigger.type, abovePerReplica: above, belowPerReplica: below };
    case 'tokensPerSecond':
      return { ...shared, type: trigger.type, abovePerReplica: above, belowPerReplica: below ?? above / 2 };
    case 'kvCacheUse':
    case 'waitingRequests':
    case 'runningRequests':
      return { ...shared, type: trigger.type, above, below: below ?? above / 2 };
    case 'timeToFirstToken':
    case 'interTokenLatency': {
      const quantile = trigger.quantile === 'mean' ? null : trigger.quantile;
      // How fast tokens come at rest is up to the model: half of a mark may lie beneath what it can do.
      const belowMs = below ?? (trigger.type === 'timeToFirstToken' ? above / 2 : null);
      return { ...shared, type: trigger.type, quantile, aboveMs: above, belowMs };
    }
    default:
      return { ...shared, type: trigger.type, aboveMs: above, belowMs: below };
  }
}
