import { defineScaler } from '../contract/definition.ts';
import { boolean, number, text } from '../contract/parameter.ts';
import { selectorProblems } from './labelSelector.ts';

/** KEDA's trigger by other workloads: on one machine these are Ebb's own. */
export const kubernetesWorkload = defineScaler({
  type: 'kubernetes-workload',
  summary: 'Replicas of other workloads, chosen by their labels.',
  parameters: {
    podSelector: text({
      required: true,
      description: 'Labels of the workloads that count: `app=web, tier in (front, back), !canary`.',
    }),
    value: number({ required: true, moreThan: 0, description: 'Counted replicas for each replica of this object.' }),
    activationValue: number({ default: 0, min: 0, description: 'It is active above this.' }),
    groupByNode: boolean({ default: false, description: 'Accepted and not followed: one machine is one node.' }),
  },
  check({ podSelector, groupByNode }) {
    const message = 'groupByNode is not followed: on one machine each replica counts';
    return [
      ...selectorProblems('podSelector', podSelector),
      ...(groupByNode ? [{ parameter: 'groupByNode', message, severity: 'warning' as const }] : []),
    ];
  },
  formulaTarget: 'value',
  target: ({ value, activationValue }) => ({ target: value, activationTarget: activationValue }),
  metricName: () => 'workload',
  open: ({ podSelector, activationValue }, { inside }) => ({
    async read() {
      const value = inside.replicas(podSelector);
      return { value, active: value > activationValue };
    },
    close: async () => {},
  }),
  example: `type: kubernetes-workload
metadata:
  podSelector: app=web, tier in (front, back)
  value: "2"`,
  documentation: {
    reaction: 'Read from memory at its pace.',
    rights: 'None: it sees workloads of its own namespace only.',
    notes: [
      'Replicas count that are ready or starting; what has ended does not.',
      'The selector is that of Kubernetes: =, ==, !=, in, notin, key, !key, > and <. An absent label fits != and notin.',
    ],
  },
});
