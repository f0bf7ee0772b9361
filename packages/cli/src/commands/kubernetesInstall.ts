import { defineCommand } from './definition.ts';
import { jsonFlag, textFlag } from './flags.ts';
import { given, settingFlags, type SettingFlags } from './kubernetesSettings.ts';
import { parseSpan } from '../kubernetesInstall/span.ts';

export interface ClusterFlags {
  kubeconfig?: string;
  context?: string;
  json?: boolean;
}

export interface InstallFlags extends SettingFlags, ClusterFlags {
  dryRun?: boolean;
  force?: boolean;
  wait?: boolean;
  /** Milliseconds. */
  timeout?: number;
}

export interface UninstallFlags extends ClusterFlags {
  namespace?: string;
  crds?: boolean;
  data?: boolean;
  yes?: boolean;
  dryRun?: boolean;
  force?: boolean;
  wait?: boolean;
  timeout?: number;
}

export interface KubernetesDoctorFlags extends ClusterFlags {
  namespace?: string;
}

const clusterFlags = {
  kubeconfig: textFlag('FILE', 'Cluster and user (default: $KUBECONFIG, else ~/.kube/config)'),
  context: textFlag('NAME', 'Context of the kubeconfig (default: the current one)'),
  json: jsonFlag,
} as const;

const writing = {
  dryRun: given('Say what would be done, by the dry run of the API server, and change nothing'),
  force: given('Take over what others are in charge of, and go back to an older version'),
  wait: { kind: 'boolean', optional: true, brief: 'Wait until it is done in the cluster (default: yes)' },
  timeout: {
    kind: 'parsed',
    parse: parseSpan,
    optional: true,
    placeholder: 'TIME',
    brief: 'Longest time to wait, such as 90s (default: 5m)',
  },
} as const;

const aliases = { n: 'namespace' } as const;

export const kubernetesInstall = defineCommand<InstallFlags, []>({
  brief: 'Install Ebb in a cluster, or set it to what is asked for',
  description:
    'Applies the objects of ebb kubernetes manifests, by server-side apply as the field manager ebb-cli: the kinds first, then\n' +
    'namespace, rights and Deployment, and waits until the operator is ready. What your rights do not allow and what is in the\n' +
    'charge of others (Helm, Argo CD, Flux) is told before anything is changed. The same command again changes nothing.',
  examples: [
    { command: 'ebb kubernetes install --image registry.example/ebb:0.1.0', does: 'into ebb-system' },
    { command: 'ebb kubernetes install --dry-run', does: 'what it would do, object by object' },
    {
      command: 'ebb kubernetes install --namespace team-a --watch-namespace team-a --no-kinds',
      does: 'an Ebb of one tenant, with no rights outside',
    },
    { command: 'ebb kubernetes install --advice', does: 'beside KEDA and HPAs, with no right to scale anything' },
  ],
  parameters: { flags: { ...settingFlags, ...writing, ...clusterFlags }, aliases },
  load: async () => (await import('../actions/kubernetesInstall.ts')).kubernetesInstall,
});

export const kubernetesUpgrade = defineCommand<InstallFlags, []>({
  brief: 'Bring an installed Ebb to the version of this command',
  description:
    'Keeps what was chosen when it was installed, with the flags given here over it, and takes away what the new version has not\n' +
    'any more. A definition never loses a version in which objects are stored. An older version is refused without --force.',
  examples: [
    { command: 'ebb kubernetes upgrade', does: 'with the settings that it has' },
    { command: 'ebb kubernetes upgrade --no-advice', does: 'from advice to being in charge' },
    { command: 'ebb kubernetes upgrade --dry-run --json', does: 'what it would do, as JSON' },
  ],
  parameters: { flags: { ...settingFlags, ...writing, ...clusterFlags }, aliases },
  load: async () => (await import('../actions/kubernetesInstall.ts')).kubernetesUpgrade,
});

export const kubernetesUninstall = defineCommand<UninstallFlags, []>({
  brief: 'Take the operator and its rights away; what it has scaled stays',
  description:
    'Deployments, StatefulSets and their replicas stay as they are. Definitions and documents go with --crds alone, the volume with\n' +
    '--data alone, the namespace never.',
  examples: [
    { command: 'ebb kubernetes uninstall --dry-run', does: 'what would go, and what would stay' },
    { command: 'ebb kubernetes uninstall --crds --data --yes', does: 'everything, documents of Ebb included' },
  ],
  parameters: {
    flags: {
      namespace: settingFlags.namespace,
      crds: given('Take the definitions away too, and with them every Workload, Cluster and NodePool'),
      data: given('Take the volume away too: journal, ledger and memories'),
      yes: given('Agree beforehand that documents are lost'),
      ...writing,
      ...clusterFlags,
    },
    aliases,
  },
  load: async () => (await import('../actions/kubernetesUninstall.ts')).kubernetesUninstall,
});

export const kubernetesDoctor = defineCommand<KubernetesDoctorFlags, []>({
  brief: 'Check what of a cluster stands in the way of Ebb',
  description:
    'Reads the cluster and says what is right and what is not, with a remedy each: versions, definitions, the operator and its\n' +
    'lease, its rights, other autoscalers on the same targets, metrics, nodes, and documents with problems. Changes nothing.\n' +
    'Exit code 1 when something stands in the way; hints alone are fine.',
  examples: [
    { command: 'ebb kubernetes doctor', does: 'a line a check' },
    { command: 'ebb kubernetes doctor --context staging --json', does: 'another cluster, as JSON' },
  ],
  parameters: { flags: { namespace: settingFlags.namespace, ...clusterFlags }, aliases },
  load: async () => (await import('../actions/kubernetesDoctor.ts')).kubernetesDoctor,
});
