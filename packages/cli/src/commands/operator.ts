import { defineCommand } from './definition.ts';
import { dataFlag, jsonFlag, portFlag, textFlag } from './flags.ts';

export interface OperatorFlags {
  kubeconfig?: string;
  namespace?: string;
  lease?: string;
  data?: string;
  apiPort?: number;
  json?: boolean;
}

export const operator = defineCommand<OperatorFlags, []>({
  brief: 'Decide for a Kubernetes cluster, by its KEDA documents',
  description:
    'Follows ScaledObjects, Workloads, Deployments, StatefulSets and pods, and writes the number of replicas through the\n' +
    'scale subresource. Of several operators the one that holds the lease decides; the others stand by. When it ends,\n' +
    'everything in the cluster stays as it is. One JSON line for each thing that happens goes to stderr.',
  examples: [
    { command: 'ebb operator', does: 'in a pod, as its service account' },
    { command: 'ebb operator --kubeconfig ~/.kube/config --namespace shop', does: 'from here, for one namespace' },
  ],
  parameters: {
    flags: {
      kubeconfig: textFlag(
        'FILE',
        "Cluster and user (default: $KUBECONFIG, the pod's service account, ~/.kube/config)",
      ),
      namespace: textFlag('NAME', 'Only objects of this namespace (default: all)'),
      lease: textFlag('NAMESPACE/NAME', 'Lease of the one that decides (default: ebb in the own namespace)'),
      data: dataFlag,
      apiPort: portFlag('Port of /livez and /healthz (default 7070; 0: any free one)'),
      json: jsonFlag,
    },
    aliases: { n: 'namespace' },
  },
  load: async () => (await import('../actions/operator.ts')).operator,
});
