import type { HpaMetricDocumentSpec, HpaSelectorSpec } from '@ebb/documents';
import type { ReadObject } from '@ebb/kubernetes';
import { isRecord, recordAt } from '../importKeda/podSpecs.ts';

/** What becomes of one metric of an HPA. */
export type TriggerOfMetric =
  | { readonly trigger: object; readonly right: string | null }
  /** Why there is no trigger that reads the same. */
  | { readonly missing: string };

interface Surroundings {
  /** The mean for each pod as the HPA has it written. */
  readonly amount: string;
  /** What the HPA scales; undefined: it was not read. */
  readonly target: ReadObject | undefined;
}

/**
 * The trigger that reads what a metric of an HPA reads, with the right that the operator needs for it: cpu and memory are KEDA's
 * own, everything else is asked of the metrics API that the HPA's controller asks.
 */
export function triggerOf(metric: HpaMetricDocumentSpec, { amount, target }: Surroundings): TriggerOfMetric {
  if (metric.type === 'Resource' || metric.type === 'ContainerResource') return resourceTrigger(metric, amount);
  if (metric.target.type === 'Utilization') return { missing: 'it has no requests to be a part of' };
  const { name, selector } = metric;
  const { target: aim } = metric;
  const valueMilli = aim.type === 'Value' ? aim.valueMilli : aim.averageValueMilli;
  const common = {
    metricName: name,
    ...(selector ? { metricSelector: selectorText(selector) } : {}),
    targetValue: String(valueMilli / 1000),
  };
  const made = (metadata: object, right: string) => ({
    trigger: { type: 'kubernetes-metrics', metricType: aim.type, metadata: { ...metadata, ...common } },
    right,
  });
  if (metric.type === 'Object') {
    const { kind, name: described } = metric.describedObject;
    const resource = Object.hasOwn(resourcesOf, kind) ? resourcesOf[kind] : undefined;
    if (resource === undefined) return { missing: `it is of a ${kind}, whose resource is not known here` };
    const object = { api: 'custom', object: `${resource}/${described}` };
    return made(object, `get ${resource}/${name} of custom.metrics.k8s.io`);
  }
  if (metric.type === 'External') return made({}, `list ${name} of external.metrics.k8s.io`);
  const pods = podSelectorOf(target);
  if (pods === null) return { missing: 'the labels of the pods are not known, because what it scales was not read' };
  return made({ api: 'custom', object: 'pods', podSelector: pods }, `get pods/${name} of custom.metrics.k8s.io`);
}

/** Kinds that adapters have metrics of, as the metrics API names them; where the group is not the core one, with it. */
const resourcesOf: Readonly<Record<string, string>> = {
  Pod: 'pods',
  Service: 'services',
  ConfigMap: 'configmaps',
  PersistentVolumeClaim: 'persistentvolumeclaims',
  Deployment: 'deployments.apps',
  StatefulSet: 'statefulsets.apps',
  DaemonSet: 'daemonsets.apps',
  ReplicaSet: 'replicasets.apps',
  Job: 'jobs.batch',
  CronJob: 'cronjobs.batch',
  Ingress: 'ingresses.networking.k8s.io',
  Gateway: 'gateways.gateway.networking.k8s.io',
  HTTPRoute: 'httproutes.gateway.networking.k8s.io',
  InferencePool: 'inferencepools.inference.networking.k8s.io',
  Rollout: 'rollouts.argoproj.io',
};

function resourceTrigger(
  metric: Extract<HpaMetricDocumentSpec, { type: 'Resource' | 'ContainerResource' }>,
  amount: string,
): TriggerOfMetric {
  const { name, target } = metric;
  if (name !== 'cpu' && name !== 'memory') return { missing: 'there is no trigger but for cpu and memory of pods' };
  if (target.type === 'Value') return { missing: 'it aims at the value of all pods together' };
  const container = metric.type === 'ContainerResource' ? { containerName: metric.container } : {};
  const value = target.type === 'Utilization' ? String(target.averageUtilization) : amount;
  return { trigger: { type: name, metricType: target.type, metadata: { value, ...container } }, right: null };
}

/** As Kubernetes writes selectors, such as `app=web,tier in (a,b),!old`. */
function selectorText({ matchLabels, matchExpressions }: HpaSelectorSpec): string {
  const labels = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`);
  const expressions = matchExpressions.map(({ key, operator, values }) => {
    if (operator === 'Exists') return key;
    if (operator === 'DoesNotExist') return `!${key}`;
    return `${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`;
  });
  return [...labels, ...expressions].join(',');
}

const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;

/** Labels by which a target knows its pods; null: it does not say them. */
function podSelectorOf(target: ReadObject | undefined): string | null {
  const selector = recordAt(recordAt(target?.document, 'spec'), 'selector');
  const labels = Object.entries(recordAt(selector, 'matchLabels') ?? {});
  const written = Array.isArray(selector?.matchExpressions) ? selector.matchExpressions : [];
  const matchExpressions = written.filter(isRecord).flatMap(({ key, operator, values }) => {
    const known = operators.find((one) => one === operator);
    if (typeof key !== 'string' || !known) return [];
    return [{ key, operator: known, values: Array.isArray(values) ? values.map(String) : [] }];
  });
  const matchLabels = Object.fromEntries(labels.map(([key, value]) => [key, String(value)]));
  return selectorText({ matchLabels, matchExpressions }) || null;
}
