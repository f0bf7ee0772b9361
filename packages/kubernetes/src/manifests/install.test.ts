import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ownKindNames, yamlText, yamlValues } from '@ebb/documents';
import { expect, test } from 'vitest';
import { installFiles } from './generatedFiles.ts';
import { installManifests } from './install.ts';
import { clusterPermissions, credentialPermissions, ownPermissions } from './permissions.ts';
import { dataDirectory, healthPort, imageUser, installVersion, type Manifest } from './settings.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const fileText = (path: string) => readFileSync(`${root}${path}`, 'utf8');
const all = [...clusterPermissions, ...ownPermissions, ...credentialPermissions];

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
  const granted = clusterPermissions.flatMap(({ group, resources, verbs }) =>
    resources.flatMap((resource) => verbs.map((verb) => `${group}/${resource}/${verb}`)),
  );
  expect(new Set(granted).size).toBe(granted.length);
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

test('manifests read back as they were', () => {
  const manifests = installManifests({ networkPolicy: true });
  expect(yamlValues(yamlText(manifests))).toEqual(JSON.parse(JSON.stringify(manifests)) as Manifest[]);
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
