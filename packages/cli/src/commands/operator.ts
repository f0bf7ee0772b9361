import { defineCommand } from './definition.ts';
import { dataFlag, jsonFlag, portFlag, textFlag } from './flags.ts';

export interface OperatorFlags {
  kubeconfig?: string;
  namespace?: string[];
  lease?: string;
  advice?: boolean;
  data?: string;
  apiPort?: number;
  metrics?: boolean;
  nodePools?: boolean;
  externalMetrics?: boolean;
  sizing?: boolean;
  warmth?: boolean;
  serveServices?: boolean;
  catalogue?: string;
  json?: boolean;
}

export const operator = defineCommand<OperatorFlags, []>({
  brief: 'Decide for a Kubernetes cluster, by its KEDA documents',
  description:
    'Follows ScaledObjects, Workloads, Deployments, StatefulSets and pods, and writes the number of replicas through the\n' +
    'scale subresource. Of several operators the one that holds the lease decides; the others stand by. When it ends,\n' +
    'everything in the cluster stays as it is. One JSON line for each thing that happens goes to stderr.\n\n' +
    'Journal, ledger and memories are in a file of --data, or with $EBB_STORE_URL=postgres://… in that database, which\n' +
    'several operators share ($EBB_STORE_PASSWORD: its password; $EBB_STORE_SCHEMA: default ebb).',
  examples: [
    { command: 'ebb operator', does: 'in a pod, as its service account' },
    { command: 'ebb operator --kubeconfig ~/.kube/config --namespace shop', does: 'from here, for one namespace' },
    { command: 'ebb operator --advice', does: "beside KEDA and the cluster's HPAs, without touching anything" },
  ],
  parameters: {
    flags: {
      kubeconfig: textFlag(
        'FILE',
        "Cluster and user (default: $KUBECONFIG, the pod's service account, ~/.kube/config)",
      ),
      namespace: {
        kind: 'parsed',
        parse: String,
        variadic: true,
        optional: true,
        placeholder: 'NAME',
        brief: 'Only objects of this namespace, or of each that is named (default: $EBB_WATCH_NAMESPACE, else all)',
      },
      lease: textFlag('NAMESPACE/NAME', 'Lease of the one that decides (default: ebb in the own namespace)'),
      advice: {
        kind: 'boolean',
        optional: true,
        brief: 'Write to no target but where it says ebb.dev/mode: control (default: $EBB_ADVICE, else no)',
      },
      data: dataFlag,
      apiPort: portFlag('Port of /livez, /healthz and /metrics (default 7070; 0: any free one)'),
      metrics: {
        kind: 'boolean',
        optional: true,
        brief: 'Answer /metrics, with no token (default: yes, but where $EBB_METRICS is false)',
      },
      nodePools: {
        kind: 'boolean',
        optional: true,
        brief: 'Make and end nodes as Clusters and NodePools say (default: $EBB_NODE_POOLS, else no)',
      },
      externalMetrics: {
        kind: 'boolean',
        optional: true,
        brief: 'Serve the external metrics API (default: $EBB_EXTERNAL_METRICS, else no)',
      },
      serveServices: {
        kind: 'boolean',
        optional: true,
        brief:
          'Keep endpoints of Services with the label ebb.dev/gateway: serve (default: $EBB_SERVE_SERVICES, else no)',
      },
      sizing: {
        kind: 'boolean',
        optional: true,
        brief: 'Size pods as Workloads say (default: $EBB_SIZING, else no)',
      },
      warmth: {
        kind: 'boolean',
        optional: true,
        brief: 'Keep images and room where annotations ask for it (default: $EBB_WARMTH, else no)',
      },
      catalogue: textFlag('FILE', 'Prices of machines, in place of the built-in list'),
      json: jsonFlag,
    },
    aliases: { n: 'namespace' },
  },
  load: async () => (await import('../actions/operator.ts')).operator,
});
