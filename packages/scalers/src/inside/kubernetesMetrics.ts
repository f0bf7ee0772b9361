import { defineScaler } from '../contract/definition.ts';
import { SourceError } from '../contract/errors.ts';
import { choice, number, text } from '../contract/parameter.ts';
import { selectorProblems } from './labelSelector.ts';

const pattern = /^(pods|[a-z0-9]+(\.[a-z0-9.-]+)?\/[a-z0-9]([-a-z0-9.]*[a-z0-9])?)$/;

/** What HPAs read besides CPU and memory: metrics that adapters serve in the cluster's own APIs. */
export const kubernetesMetrics = defineScaler({
  type: 'kubernetes-metrics',
  summary: "Metric of the cluster's external or custom metrics API, as an HPA reads it.",
  parameters: {
    api: choice(['external', 'custom'], {
      default: 'external',
      description: 'external.metrics.k8s.io (External of an HPA), or custom.metrics.k8s.io (Pods and Object).',
    }),
    metricName: text({ required: true, description: 'Name of the metric.' }),
    metricSelector: text({ default: '', description: 'Labels of the series that count, such as `queue=orders`.' }),
    object: text({
      description:
        'With custom: `pods`, or one object as `services/web` or `deployments.apps/web`, in the namespace of this one.',
    }),
    podSelector: text({
      default: '',
      description: 'With the object pods: labels of the pods that count, such as `app=web`.',
    }),
    targetValue: number({ required: true, moreThan: 0, description: 'Value that one replica is to have.' }),
    activationTargetValue: number({ default: 0, description: 'Active above this value.' }),
  },
  check({ api, object, podSelector, metricSelector }) {
    const problems = [
      ...selectorProblems('metricSelector', metricSelector),
      ...selectorProblems('podSelector', podSelector),
    ];
    const say = (parameter: string, message: string) => problems.push({ parameter, message });
    if (api === 'external') {
      if (object !== undefined) say('object', 'object goes with api: custom; external metrics belong to no object');
    } else if (object === undefined) say('object', 'api: custom needs an object: pods, or one such as services/web');
    else if (!pattern.test(object))
      say('object', `object must be pods, or a resource and a name such as services/web, found "${object}"`);
    if (object === 'pods' && podSelector === '')
      say('podSelector', 'the object pods needs a podSelector, such as app=web');
    if (object !== 'pods' && podSelector !== '') say('podSelector', 'podSelector goes with the object pods');
    return problems;
  },
  formulaTarget: 'targetValue',
  target: ({ targetValue, activationTargetValue }) => ({
    target: targetValue,
    activationTarget: activationTargetValue,
  }),
  metricName: ({ metricName }) => `kubernetes-metrics-${metricName}`,
  open(settings, { inside, object: { namespace } }) {
    const { api, metricName: metric, metricSelector, object, podSelector, activationTargetValue } = settings;
    const question = {
      namespace,
      metric,
      metricSelector,
      podSelector,
      object: api === 'external' ? null : (object ?? ''),
    };
    return {
      async read(signal) {
        if (!inside.clusterMetric) {
          throw new SourceError('unsupported', 'metrics of a cluster are read by `ebb operator`, which runs in one');
        }
        const value = Math.max(0, await inside.clusterMetric(question, signal));
        return { value, active: value > activationTargetValue };
      },
      close: async () => {},
    };
  },
  example: `type: kubernetes-metrics
metadata:
  metricName: queue_messages_ready
  metricSelector: queue=orders
  targetValue: "30"`,
  documentation: {
    reaction: 'Asked at the polling interval, one GET each time.',
    rights:
      'list of an external metric, get of a custom one, by name: a Role of its own gives it (docs/kubernetes-metrics.md).',
    notes: [
      'Several series or pods are added up; with metricType AverageValue the sum is shared by the replicas, as an HPA does.',
      'No series is an error and not 0, as with an HPA.',
      'An HPA counts pods that are not ready in its own way for Pods metrics; here the sum alone counts.',
      'A negative number counts as 0.',
    ],
  },
});
