import { defineCommand } from './definition.ts';
import { jsonFlag, textFlag } from './flags.ts';

export interface ImportKubernetesFlags {
  kubeconfig?: string;
  namespace?: string;
  out?: string;
  all?: boolean;
  json?: boolean;
}

export const importKubernetes = defineCommand<ImportKubernetesFlags, []>({
  brief: 'Make documents of what scales in a cluster',
  description:
    'Reads Deployments, StatefulSets, HPAs, VPAs, the objects of KEDA and its http-add-on, services of Knative and KServe,\n' +
    'NodePools of Karpenter and Cluster Autoscaler, and says of each what becomes of it. --out writes the documents, one\n' +
    'file each, the report, and a rehearsal. Changes nothing in the cluster and reads no Secret. Exit code 0, or 1 where\n' +
    'this user may not read all of it.',
  examples: [
    { command: 'ebb import kubernetes', does: 'what becomes of a cluster' },
    { command: 'ebb import kubernetes --namespace shop --out from-cluster', does: 'one namespace, written' },
  ],
  parameters: {
    flags: {
      kubeconfig: textFlag('FILE', 'Cluster and user (default: $KUBECONFIG, ~/.kube/config)'),
      namespace: textFlag('NAME', 'Only this namespace, and what is in none (default: all)'),
      out: textFlag('FOLDER', 'Folder to write to; no file is written over'),
      all: { kind: 'boolean', optional: true, withNegated: false, brief: 'Deployments that nothing scales too' },
      json: jsonFlag,
    },
    aliases: { n: 'namespace' },
  },
  load: async () => (await import('../actions/importKubernetes.ts')).importKubernetes,
});
