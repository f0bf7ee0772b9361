import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ownKindNames, yamlText, yamlValues } from '@ebb/documents';
import { expect, test } from 'vitest';
import { installFiles } from './generatedFiles.ts';
import { type InstallChoice, installManifests } from './install.ts';
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
} from './permissions.ts';
import { serveServicesPermissions, sizingPermissions, warmthPermissions } from './optionalParts.ts';
import { dataDirectory, healthPort, imageUser, installVersion, type Manifest, podLabels } from './settings.ts';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const fileText = (path: string) => readFileSync(`${root}${path}`, 'utf8');
const external = [...externalMetricsPermissions, ...ownExternalMetricsPermissions, ...serveServicesPermissions];
const parts = [...sizingPermissions, ...warmthPermissions];
const all = [
  ...clusterPermissions,
  ...nodePermissions,
  ...ownPermissions,
  ...credentialPermissions,
  ...external,
  ...parts,
];

test('the version is that of the package', () => {
  expect(installVersion).toBe(
    (JSON.parse(fileText('packages/kubernetes/package.json')) as { version: string }).version,
  );
});

test.each(installFiles())('$path is up to date (npm run docs)', ({ path, text }) => {
  expect(fileText(path)).toBe(text);
});

test('every permission has a reason, and none is for anything', () => {
  for (const { group, resources, verbs, reason } of all) {
    expect(reason).not.toBe('');
    expect([group, ...resources, ...verbs].filter((word) => word.includes('*'))).toEqual([]);
  }
});

test('nothing is granted twice', () => {
  expect(new Set(granted(clusterPermissions)).size).toBe(granted(clusterPermissions).length);
});

test('what exists first is applied first', () => {
  const kinds = installManifests({ networkPolicy: true }).map(({ kind }) => kind);
  expect(kinds.slice(0, 1 + ownKindNames.length)).toEqual([
    'Namespace',
    ...ownKindNames.map(() => 'CustomResourceDefinition'),
  ]);
  expect(kinds.indexOf('ServiceAccount')).toBeLessThan(kinds.indexOf('Deployment'));
  expect(kinds.at(-1)).toBe('NetworkPolicy');
});

test('everything but what is of the whole cluster is in the namespace that was chosen', () => {
  const namespaces = installManifests({ namespace: 'shop', withoutKinds: true }).map((one) => one.metadata.namespace);
  expect(new Set(namespaces)).toEqual(new Set([undefined, 'shop']));
});

test('a namespace is let in for its Secrets by name only', () => {
  const without = installManifests({ withoutKinds: true });
  const named = installManifests({ withoutKinds: true, readNamespaces: ['shop'] });
  const added = named.filter((one) => !without.some((other) => yamlText([other]) === yamlText([one])));
  expect(added.map(({ kind, metadata }) => `${kind} ${metadata.namespace}`)).toEqual(['Role shop', 'RoleBinding shop']);
});

test('a kind may be scaled and seen where it is named, and nothing else of it', () => {
  const without = installManifests({ withoutKinds: true });
  const named = installManifests({ withoutKinds: true, scaleKinds: ['argoproj.io/rollouts'] });
  const added = named.filter((one) => !without.some((other) => yamlText([other]) === yamlText([one])));
  expect(added.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
    'ClusterRole ebb-scale-rollouts.argoproj.io',
    'ClusterRoleBinding ebb-scale-rollouts.argoproj.io',
  ]);
  expect(added[0]?.rules).toEqual([
    { apiGroups: ['argoproj.io'], resources: ['rollouts'], verbs: ['list', 'watch'] },
    { apiGroups: ['argoproj.io'], resources: ['rollouts/scale'], verbs: ['get', 'update'] },
  ]);
});

test('rights to make nodes come only when that is switched on', () => {
  const rights = (nodePools: string) =>
    installManifests({ withoutKinds: true, nodePools }).filter(({ metadata }) => metadata.name === 'ebb-nodes');
  expect(rights('false')).toEqual([]);
  expect(rights('true').map(({ kind }) => kind)).toEqual(['ClusterRole', 'ClusterRoleBinding']);
  const everywhere = new Set(granted(clusterPermissions));
  expect(granted(nodePermissions).filter((one) => everywhere.has(one))).toEqual([]);
  expect(new Set(granted(nodePermissions)).size).toBe(granted(nodePermissions).length);
});

test('advice has fewer rights and none to write to a target, whatever else was chosen', () => {
  const everywhere = new Set([...granted(clusterPermissions), ...granted(ownPermissions)]);
  const advice = [...granted(advicePermissions), ...granted(ownAdvicePermissions)];
  expect(advice.filter((one) => !everywhere.has(one))).toEqual([]);
  const writes = advice.filter((one) => !/\/(get|list|watch)$/.test(one));
  expect(writes).toEqual([
    'ebb.dev/workloads/status/patch',
    'coordination.k8s.io/leases/create',
    'coordination.k8s.io/leases/update',
    '/configmaps/create',
    '/configmaps/patch',
  ]);
  const choice = { withoutKinds: true, nodePools: 'true', scaleKinds: ['argoproj.io/rollouts'], networkPolicy: true };
  for (const watchNamespace of ['', 'shop']) {
    const manifests = installManifests({ ...choice, watchNamespace, advice: 'true' });
    const rules = manifests.flatMap(({ rules }) => (Array.isArray(rules) ? (rules as Rule[]) : []));
    const given = rules.flatMap(({ apiGroups, resources, verbs }) =>
      resources.flatMap((resource) => verbs.map((verb) => `${apiGroups[0]}/${resource}/${verb}`)),
    );
    expect(given.filter((one) => !/\/(get|list|watch)$/.test(one))).toEqual(writes);
    expect(manifests.filter(({ metadata }) => /gateway|nodes/.test(metadata.name))).toEqual([]);
    expect(yamlText(manifests)).toContain('name: EBB_ADVICE\n              value: "true"');
    const inCharge = installManifests({ ...choice, watchNamespace, advice: 'true', takeOver: 'true' });
    const isRole = ({ kind, metadata }: Manifest) => kind.endsWith('Role') && !metadata.name.includes('nodes');
    expect(inCharge.filter(isRole)).toEqual(installManifests({ ...choice, watchNamespace }).filter(isRole));
  }
});

test('the external metrics API comes only when it is switched on, and one APIService alone may be written', () => {
  const added = (externalMetrics: string) =>
    installManifests({ withoutKinds: true, externalMetrics })
      .filter(({ metadata }) => metadata.name.includes('external'))
      .map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`);
  expect(added('false')).toEqual([]);
  expect(added('true')).toEqual([
    'ClusterRole /ebb-external-metrics',
    'ClusterRoleBinding /ebb-external-metrics',
    'Role ebb-system/ebb-external-metrics',
    'RoleBinding ebb-system/ebb-external-metrics',
    'RoleBinding kube-system/ebb-external-metrics',
    'Service ebb-system/ebb-external-metrics',
    'APIService /v1beta1.external.metrics.k8s.io',
  ]);
  expect(externalMetricsPermissions.map(({ names }) => names)).toEqual([['v1beta1.external.metrics.k8s.io']]);
});

test('endpoints of Services may be written only where that is switched on, and never in advice', () => {
  const added = (choice: InstallChoice) =>
    installManifests({ withoutKinds: true, serveServices: 'true', ...choice })
      .filter(({ metadata }) => metadata.name === 'ebb-serve-services')
      .map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}`);
  expect(added({ serveServices: 'false' })).toEqual([]);
  expect(added({ advice: 'true' })).toEqual([]);
  expect(added({})).toEqual(['ClusterRole ', 'ClusterRoleBinding ']);
  expect(added({ watchNamespace: 'shop' })).toEqual(['Role shop', 'RoleBinding shop']);
  const everywhere = new Set(granted([...clusterPermissions, ...nodePermissions]));
  expect(granted(serveServicesPermissions).filter((one) => everywhere.has(one))).toEqual([]);
  expect(new Set(granted(serveServicesPermissions)).size).toBe(granted(serveServicesPermissions).length);
});

test.each([
  ['sizing', sizingPermissions, ['ClusterRole ebb-sizing', 'ClusterRoleBinding ebb-sizing']],
  [
    'warmth',
    warmthPermissions,
    ['PriorityClass ebb-headroom', 'ClusterRole ebb-warmth', 'ClusterRoleBinding ebb-warmth'],
  ],
])('rights for %s come only when it is switched on, and not in advice', (part, permissions, expected) => {
  const of = (more: object) =>
    installManifests({ withoutKinds: true, ...more })
      .filter(({ kind, metadata }) => metadata.name === `ebb-${part}` || kind === 'PriorityClass')
      .map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  expect(of({})).toEqual([]);
  expect(of({ [part]: 'true' })).toEqual(expected);
  expect(of({ [part]: 'true', advice: 'true' })).toEqual([]);
  expect(of({ [part]: 'true', watchNamespace: 'shop' }).at(-1)).toBe(`RoleBinding ebb-${part}`);
  const everywhere = new Set(granted(clusterPermissions));
  expect(granted(permissions).filter((one) => everywhere.has(one))).toEqual([]);
  expect(new Set(granted(permissions)).size).toBe(granted(permissions).length);
});

test('manifests read back as they were', () => {
  const manifests = installManifests({ networkPolicy: true });
  expect(yamlValues(yamlText(manifests))).toEqual(JSON.parse(JSON.stringify(manifests)) as Manifest[]);
});

test('with a database there is no volume, and one of two operators stays when nodes are emptied', () => {
  const manifests = installManifests({ withoutKinds: true, postgresSecret: 'ebb-store' });
  expect(manifests.filter(({ kind }) => kind === 'PersistentVolumeClaim')).toEqual([]);
  const own = (kind: string) => manifests.filter((one) => one.kind === kind && one.metadata.name === 'ebb');
  expect(own('PodDisruptionBudget')).toMatchObject([
    { spec: { maxUnavailable: 1, selector: { matchLabels: podLabels } } },
  ]);
  expect(own('Deployment')).toMatchObject([{ spec: { replicas: 2, strategy: { type: 'RollingUpdate' } } }]);
  const text = yamlText(own('Deployment'));
  expect(text).toContain('EBB_STORE_URL');
  expect(text).not.toContain('EBB_DATA');
  const [embedded] = installManifests({ withoutKinds: true }).filter((one) => one.kind === 'Deployment');
  expect(embedded).toMatchObject({ spec: { replicas: 1, strategy: { type: 'Recreate' } } });
  expect(yamlText(embedded ? [embedded] : [])).not.toContain('EBB_STORE');
});

test('the image is the one that the Deployment runs', () => {
  const lines = fileText('Containerfile').replaceAll('\\\n', ' ').split('\n');
  expect(lines).toContain(`USER ${imageUser}:${imageUser}`);
  expect(lines).toContain(`EXPOSE ${healthPort}`);
  expect(lines).toContain(`ENV NODE_ENV=production EBB_DATA=${dataDirectory}`);
  const [, entry] = /^ENTRYPOINT \["node", "\/ebb\/(.*)"\]$/m.exec(lines.join('\n')) ?? [];
  expect(existsSync(`${root}${entry}`)).toBe(true);
  const [, script] = /^RUN node (\S+)/m.exec(lines.join('\n')) ?? [];
  expect(existsSync(`${root}${script}`)).toBe(true);
  expect(lines.find((line) => line.startsWith('CMD'))).toBe('CMD ["operator"]');
});

function granted(permissions: readonly Permission[]): string[] {
  return permissions.flatMap(({ group, resources, verbs }) =>
    resources.flatMap((resource) => verbs.map((verb) => `${group}/${resource}/${verb}`)),
  );
}
