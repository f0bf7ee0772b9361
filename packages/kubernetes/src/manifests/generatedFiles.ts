import { markdownTable, yamlText } from '@ebb/documents';
import { chartFiles } from './chart.ts';
import { installManifests } from './install.ts';
import { networkPolicy } from './operator.ts';
import { clusterPermissions, credentialPermissions, ownPermissions, type Permission } from './permissions.ts';
import { defaultSettings } from './settings.ts';

const generated = '# Generated from packages/kubernetes/src/manifests; do not edit.\n';

/** Every file that an installation in Kubernetes takes, with its path from the root of the repository. */
export function installFiles(): { path: string; text: string }[] {
  return [
    { path: 'manifests/ebb.yaml', text: generated + yamlText(installManifests({ withoutKinds: true })) },
    { path: 'manifests/network-policy.yaml', text: generated + yamlText([networkPolicy(defaultSettings)]) },
    ...chartFiles().map(({ path, text }) => ({ path: `charts/ebb/${path}`, text })),
    { path: 'docs/reference/kubernetes-permissions.md', text: permissionsPage() },
  ];
}

function permissionsPage(): string {
  const table = (permissions: readonly Permission[]) =>
    markdownTable(
      ['group', 'resources', 'verbs', 'why'],
      permissions.map(({ group, resources, verbs, reason }) => [
        group === '' ? 'core' : group,
        resources.join(', '),
        verbs.join(', '),
        reason,
      ]),
    );
  return [
    '<!-- Generated from packages/kubernetes/src/manifests; do not edit. -->',
    '# What the operator may do',
    'Nothing else is granted: no Secret is listed, no pod is entered, no spec is written but its number of replicas.',
    '## In every namespace',
    table(clusterPermissions),
    '## In its own namespace',
    table(ownPermissions),
    '## In its own namespace, and in those that were named',
    'A namespace is named by `ebb kubernetes manifests --read-namespace NAME` or by `readNamespaces` of the chart.',
    table(credentialPermissions),
  ]
    .join('\n\n')
    .concat('\n');
}
