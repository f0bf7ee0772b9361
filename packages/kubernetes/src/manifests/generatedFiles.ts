import { markdownTable, yamlText } from '@ebb/documents';
import { chartFiles } from './chart.ts';
import { installManifests } from './install.ts';
import { gatewayNetworkPolicy } from './gateway.ts';
import { dashboard } from '../observability/dashboard.ts';
import { alertRules } from '../observability/rules.ts';
import { serveServicesPermissions, sizingPermissions, warmthPermissions } from './optionalParts.ts';
import { networkPolicy } from './operator.ts';
import {
  advicePermissions,
  clusterPermissions,
  credentialPermissions,
  externalMetricsPermissions,
  nodePermissions,
  ownAdvicePermissions,
  ownExternalMetricsPermissions,
  ownPermissions,
  type Permission,
  scaleKindPermissions,
} from './permissions.ts';
import { defaultSettings } from './settings.ts';

const generated = '# Generated from packages/kubernetes/src/manifests; do not edit.\n';

/** Every file that an installation in Kubernetes takes, with its path from the root of the repository. */
export function installFiles(): { path: string; text: string }[] {
  return [
    { path: 'manifests/ebb.yaml', text: generated + yamlText(installManifests({ withoutKinds: true })) },
    {
      path: 'manifests/network-policy.yaml',
      text: generated + yamlText([networkPolicy(defaultSettings), gatewayNetworkPolicy(defaultSettings)]),
    },
    ...chartFiles().map(({ path, text }) => ({ path: `charts/ebb/${path}`, text })),
    { path: 'manifests/grafana/ebb.json', text: `${JSON.stringify(dashboard(), null, 2)}\n` },
    {
      path: 'manifests/prometheus/rules.yaml',
      text: generated.replace('manifests;', 'observability;') + yamlText([alertRules]),
    },
    { path: 'docs/reference/kubernetes-permissions.md', text: permissionsPage() },
  ];
}

function permissionsPage(): string {
  const table = (permissions: readonly Permission[]) =>
    markdownTable(
      ['group', 'resources', 'verbs', 'why'],
      permissions.map(({ group, resources, verbs, reason, names }) => [
        group === '' ? 'core' : group,
        resources.map((resource) => (names ? `${resource} \`${names.join(', ')}\`` : resource)).join(', '),
        verbs.join(', '),
        reason,
      ]),
    );
  return [
    '<!-- Generated from packages/kubernetes/src/manifests; do not edit. -->',
    '# What the operator may do',
    'Nothing else is granted: no Secret is listed, no pod is entered, and without the parts that are switched on one by one no spec is written ' +
      'but its number of replicas.',
    '## In every namespace',
    'Or in those alone that are named, by a Role in each, with `--watch-namespace NAME` or `watchNamespace` of the chart: without what is in no namespace.',
    table(clusterPermissions),
    '## Where it only advises',
    'With `ebb kubernetes manifests --advice` or `advice: true` of the chart these stand in the place of the rights in every namespace and in its own ' +
      '([migration](../kubernetes-migration.md)); with `--take-over` or `takeOver: true` besides, it has all. In every namespace, or in one:',
    table(advicePermissions),
    'In its own namespace:',
    table(ownAdvicePermissions),
    '## In the whole cluster, to make and end nodes',
    'Only with `ebb kubernetes manifests --node-pools` or `nodePools.enabled` of the chart ([nodes](../kubernetes-nodes.md)).',
    table(nodePermissions),
    '## To serve the external metrics API',
    'Only with `ebb kubernetes manifests --external-metrics` or `externalMetrics.enabled` of the chart ' +
      '([metrics](../kubernetes-metrics.md)). In the whole cluster, of one APIService alone:',
    table(externalMetricsPermissions),
    'In its own namespace, and the Role `extension-apiserver-authentication-reader` that every cluster has in `kube-system`:',
    table(ownExternalMetricsPermissions),
    '## To keep the endpoints of Services',
    'Only with `ebb kubernetes manifests --serve-services` or `serveServices.enabled` of the chart ([gateway](../kubernetes-gateway.md)). ' +
      'In every namespace, or in the one that is followed. Who has them can send the requests of any Service there anywhere.',
    table(serveServicesPermissions),
    '## To size pods',
    'Only with `ebb kubernetes manifests --sizing` or `sizing.enabled` of the chart ([sizing](../kubernetes-sizing.md)). ' +
      'In every namespace, or in the one that is followed. `patch` of a target cannot be limited to a part of it: who has it can change the whole template.',
    table(sizingPermissions),
    '## To keep images and room',
    'Only with `ebb kubernetes manifests --warmth` or `warmth.enabled` of the chart ([warmth](../kubernetes-warmth.md)). ' +
      'In every namespace, or in the one that is followed. Who may make pods of a namespace can have them use its service accounts and Secrets.',
    table(warmthPermissions),
    '## In its own namespace',
    table(ownPermissions),
    '## In its own namespace, and in those that were named',
    'A namespace is named by `ebb kubernetes manifests --read-namespace NAME` or by `readNamespaces` of the chart.',
    table(credentialPermissions),
    '## For each further kind that may be scaled',
    'A kind is named by `ebb kubernetes manifests --scale-kind GROUP/RESOURCE` or by `scaleKinds` of the chart. For ' +
      '`argoproj.io/rollouts`:',
    table(scaleKindPermissions('argoproj.io', 'rollouts')),
  ]
    .join('\n\n')
    .concat('\n');
}
