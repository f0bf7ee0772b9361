import { fileFlag } from './apply.ts';
import { defineCommand } from './definition.ts';
import { jsonFlag } from './flags.ts';

export type ImportNodesFlags = { file: readonly string[]; cluster?: string; write?: string; json?: boolean };

const parameters = {
  flags: {
    file: fileFlag,
    cluster: {
      kind: 'parsed',
      parse: String,
      optional: true,
      placeholder: 'NAME',
      brief: 'Name of the Cluster, in place of the one that the files tell',
    },
    write: {
      kind: 'parsed',
      parse: String,
      optional: true,
      placeholder: 'DIR',
      brief: 'Folder to write the documents to; no file is written over',
    },
    json: jsonFlag,
  },
  aliases: { f: 'file' },
} as const;

const exits =
  'Changes nothing else, and needs no running Ebb. Exit code 0 when every field counts, 1 when some are ignored, 2 for\n' +
  'what cannot be read.';

export const importKarpenter = defineCommand({
  brief: "Make NodePools and Clusters of Karpenter's",
  description:
    'Reads NodePools (karpenter.sh/v1) and EC2NodeClasses (karpenter.k8s.aws/v1) and says of each field what becomes of it,\n' +
    'or why it is ignored; shows the documents that are made of them, or writes them with --write DIR.\n' +
    exits,
  examples: [
    { command: 'ebb import karpenter -f karpenter/', does: 'what becomes of a folder' },
    { command: 'ebb import karpenter -f karpenter/ --write nodes/', does: 'and write the documents' },
    {
      command: 'ebb import karpenter -f pool.yaml --json | jq \'.fields[] | select(.result=="ignored")\'',
      does: 'what is ignored',
    },
  ],
  parameters,
  load: async () => (await import('../actions/importNodes.ts')).importFromKarpenter,
});

export const importClusterAutoscaler = defineCommand({
  brief: 'Make NodePools and a Cluster of a Cluster Autoscaler',
  description:
    'Reads a Deployment of Cluster Autoscaler with its flags and variables, and the ConfigMap of its priority expander, and\n' +
    'says of each flag what becomes of it, or why it is ignored; --nodes and --node-group-auto-discovery become NodePools.\n' +
    exits,
  examples: [
    { command: 'ebb import cluster-autoscaler -f autoscaler.yaml', does: 'what becomes of its flags' },
    {
      command: 'kubectl -n kube-system get deploy cluster-autoscaler -o yaml | ebb import cluster-autoscaler -f -',
      does: 'from a cluster',
    },
    { command: 'ebb import cluster-autoscaler -f autoscaler.yaml --write nodes/', does: 'and write the documents' },
  ],
  parameters,
  load: async () => (await import('../actions/importNodes.ts')).importFromClusterAutoscaler,
});
