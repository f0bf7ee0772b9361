import { defineCommand } from './definition.ts';
import { jsonFlag, textFlag } from './flags.ts';

export interface AdviceFlags {
  kubeconfig?: string;
  namespace?: string;
  lease?: string;
  json?: boolean;
}

export const kubernetesAdvice = defineCommand<AdviceFlags, [string?]>({
  brief: 'What the operator would have done, beside what happened',
  description:
    'Reads what an operator in advice has counted (the ConfigMap beside its lease): for each target what runs and what Ebb\n' +
    'would run, replica-seconds of both, and how long each had fewer ready replicas than the readings ask for.',
  examples: [
    { command: 'ebb kubernetes advice', does: 'all targets, those that differ first' },
    { command: 'ebb kubernetes advice web -n shop', does: 'one, and why' },
  ],
  parameters: {
    flags: {
      kubeconfig: textFlag('FILE', 'Cluster and user (default: $KUBECONFIG, ~/.kube/config)'),
      namespace: textFlag('NAME', 'Targets of this namespace alone (default: all)'),
      lease: textFlag('NAMESPACE/NAME', 'Lease of the operator (default: ebb-system/ebb)'),
      json: jsonFlag,
    },
    aliases: { n: 'namespace' },
    positional: {
      kind: 'tuple',
      parameters: [{ parse: String, optional: true, placeholder: 'NAME', brief: 'One target' }],
    },
  },
  load: async () => (await import('../actions/kubernetesAdvice.ts')).kubernetesAdvice,
});
