import { describe, expect, it, test } from 'vitest';
import type { JsonObject } from '../client/values.ts';
import type { Transport, TransportRequest } from '../client/transport.ts';
import { installManifests } from '../manifests/install.ts';
import { differences, missingFrom } from './difference.ts';
import { inventoryManifest, readInventory, together } from './inventory.ts';
import { inOrder, refOf, refText } from './names.ts';
import { chargeOf } from './owners.ts';
import { settingsForUpgrade } from './plan.ts';
import { operatorReadiness } from './readiness.ts';
import { rightsOfRole, rightsText } from './rights.ts';
import { InstallServer } from './server.ts';
import { compareVersions } from './versions.ts';

test('versions are ordered as Semantic Versioning has it', () => {
  const order = [
    '0.0.9',
    '0.1.0-alpha',
    '0.1.0-alpha.1',
    '0.1.0-alpha.beta',
    '0.1.0-rc.2',
    '0.1.0-rc.10',
    '0.1.0',
    '0.10.0',
    '1.29.0',
    'v1.36.3',
  ];
  for (const [at, version] of order.entries()) {
    for (const [other, than] of order.entries()) {
      expect(Math.sign(compareVersions(version, than)), `${version} ${than}`).toBe(Math.sign(at - other));
    }
  }
  expect(compareVersions('0.1.0+build.7', 'v0.1.0')).toBe(0);
});

test('what differs is named by its path, without what the server writes', () => {
  const before = {
    metadata: { resourceVersion: '1', labels: { a: '1' } },
    spec: { list: [{ image: 'a' }], gone: 1 },
    status: { x: 1 },
  };
  const after = {
    metadata: { resourceVersion: '2', labels: { a: '2' } },
    spec: { list: [{ image: 'b' }] },
    status: { x: 2 },
  };
  expect(differences(before, after)).toEqual(['metadata.labels.a', 'spec.gone', 'spec.list[0].image']);
  expect(differences(before, { ...before, status: {} })).toEqual([]);
  expect(missingFrom({ a: 1, none: '', list: [{ b: 2 }] }, { a: 1, list: [{ b: 2, more: 3 }], extra: 1 })).toEqual([]);
  expect(missingFrom({ list: [{ b: 2 }] }, { list: [{ b: 3 }] })).toEqual(['list[0].b']);
});

test.each([
  [
    { annotations: { 'meta.helm.sh/release-name': 'ebb', 'meta.helm.sh/release-namespace': 'x' } },
    'Helm (release x/ebb)',
  ],
  [{ labels: { 'app.kubernetes.io/managed-by': 'Helm' } }, 'Helm'],
  [{ annotations: { 'argocd.argoproj.io/tracking-id': 'shop:apps/Deployment:x/ebb' } }, 'Argo CD (application shop)'],
  [{ labels: { 'kustomize.toolkit.fluxcd.io/name': 'infra' } }, 'Flux (Kustomization infra)'],
  [{ labels: { 'helm.toolkit.fluxcd.io/name': 'ebb' } }, 'Flux (HelmRelease ebb)'],
  [{ labels: { 'app.kubernetes.io/managed-by': 'ebb-cli' } }, null],
])('%j is in the charge of %s', (metadata, charge) => {
  expect(chargeOf({ metadata })).toBe(charge);
});

test('definitions come first, then the namespace, then the rest as it was', () => {
  const manifests = installManifests({ networkPolicy: true });
  const kinds = inOrder(manifests, ({ kind }) => kind).map(({ kind }) => kind);
  expect(kinds.slice(0, 4)).toEqual([...Array<string>(3).fill('CustomResourceDefinition'), 'Namespace']);
  expect(kinds.lastIndexOf('ServiceAccount')).toBeLessThan(kinds.indexOf('ClusterRole'));
  expect(kinds.indexOf('RoleBinding')).toBeLessThan(kinds.indexOf('Deployment'));
  expect([...kinds].sort()).toEqual(manifests.map(({ kind }) => kind).sort());
});

test('rights are told a resource a line', () => {
  const [role] = installManifests().filter(
    ({ kind, metadata }) => kind === 'Role' && metadata.name === 'ebb-credentials',
  );
  if (!role) throw new Error('there is no Role');
  expect(rightsText(rightsOfRole(role))).toEqual(['get secrets in ebb-system', 'get configmaps in ebb-system']);
});

/** An API server that has these objects and answers every write the same. */
function serverWith(objects: Readonly<Record<string, JsonObject>>, write?: { status: number; body: JsonObject }) {
  const sent: TransportRequest[] = [];
  const transport: Transport = {
    async send(request) {
      sent.push(request);
      const kinds = { resources: [{ name: 'configmaps', kind: 'ConfigMap', namespaced: true }] };
      const found = request.path === '/api/v1' ? kinds : objects[request.path];
      const answer =
        request.method === 'GET' ? (found ? { status: 200, body: found } : { status: 404, body: {} }) : write;
      return { status: answer?.status ?? 200, retryAfterMs: null, text: JSON.stringify(answer?.body ?? {}) };
    },
    lines: () => Promise.reject(new Error('nothing is watched')),
    close: () => {},
  };
  return { server: new InstallServer(transport), sent };
}

describe('the inventory', () => {
  const objects = installManifests({ namespace: 'shop' }).map(refOf);
  const settings = {
    ...{ namespace: 'shop', image: 'registry.example/ebb:0.0.9', readNamespaces: ['a'], networkPolicy: true },
    ...{ podLabels: { team: 'ml' }, nodePools: 'true', gateway: false },
  };
  const body = inventoryManifest('shop', { version: '0.0.9', objects, settings }) as unknown as JsonObject;
  const path = '/api/v1/namespaces/shop/configmaps/ebb-inventory';

  it('is read back as it was written', async () => {
    const { server } = serverWith({ [path]: body });
    expect(await readInventory(server, 'shop')).toEqual({ version: '0.0.9', objects, settings });
    expect(await readInventory(server, 'other')).toBeNull();
  });

  it('is not believed where it has another form', async () => {
    const data = {
      version: '1',
      objects: 'nothing\n{"kind":"Role"}\n',
      settings: '{"image":7,"unknown":"x","readNamespaces":[1]}',
    };
    const { server } = serverWith({ [path]: { ...body, data } });
    expect(await readInventory(server, 'shop')).toEqual({ version: '1', objects: [], settings: {} });
  });

  it('lets the image go along with the version, where its tag is that', () => {
    const upgraded = (image: string) =>
      settingsForUpgrade({ version: '0.0.9', objects, settings: { image } }, '0.1.0').image;
    expect(upgraded('registry.example/ebb:0.0.9')).toBe('registry.example/ebb:0.1.0');
    expect(upgraded('registry.example/ebb:stable')).toBe('registry.example/ebb:stable');
    expect(upgraded('registry.example/ebb@sha256:0.0.9')).toBe('registry.example/ebb@sha256:0.1.0');
  });

  it('never forgets what was there before', () => {
    const old = { apiVersion: 'rbac.authorization.k8s.io/v1beta1', kind: 'Role', namespace: 'shop', name: 'ebb' };
    const gone = { ...old, name: 'old' };
    expect(together(objects, [old, gone])).toEqual([...objects, gone]);
  });
});

describe('a server-side apply', () => {
  const manifest = inventoryManifest('shop', { version: '1', objects: [], settings: {} });

  it('names who owns the fields that it would change', async () => {
    const causes = [
      { reason: 'FieldManagerConflict', message: 'conflict with "helm" using v1', field: '.data.version' },
    ];
    const { server, sent } = serverWith({}, { status: 409, body: { reason: 'Conflict', details: { causes } } });
    expect(await server.apply(manifest, { dryRun: true, force: false })).toEqual({
      kind: 'conflict',
      conflicts: [{ manager: 'helm', field: '.data.version' }],
    });
    expect(sent.at(-1)?.query).toMatchObject({
      fieldManager: 'ebb-cli',
      force: 'false',
      dryRun: 'All',
      fieldValidation: 'Strict',
    });
  });

  it('says which object was refused', async () => {
    const { server } = serverWith({}, { status: 403, body: { message: 'no', reason: 'Forbidden' } });
    await expect(server.apply(manifest, { dryRun: false, force: true })).rejects.toThrow(
      `${refText(refOf(manifest))}: no`,
    );
  });
});

describe('the readiness of the operator', () => {
  const deployment = (status: JsonObject) => ({ metadata: { generation: 2 }, spec: { replicas: 1 }, status });
  const pod = (status: JsonObject) => ({ metadata: { name: 'ebb-1' }, status });

  it('is that of its newest pods', () => {
    const all = { observedGeneration: 2, replicas: 1, readyReplicas: 1, updatedReplicas: 1 };
    expect(operatorReadiness(deployment(all), [], [])).toEqual({ isReady: true, text: '1 of 1 ready' });
    for (const wrong of [{ observedGeneration: 1 }, { readyReplicas: 0 }, { updatedReplicas: 0 }, { replicas: 2 }]) {
      expect(operatorReadiness(deployment({ ...all, ...wrong }), [], []).isReady, JSON.stringify(wrong)).toBe(false);
    }
  });

  it.each<[string, JsonObject]>([
    [
      '0 of 1 ready; pod ebb-1: ErrImagePull: no such image',
      { containerStatuses: [{ state: { waiting: { reason: 'ErrImagePull', message: 'no such image' } } }] },
    ],
    [
      '0 of 1 ready; pod ebb-1: CrashLoopBackOff (exit code 1)',
      {
        containerStatuses: [
          { state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated: { exitCode: 1 } } },
        ],
      },
    ],
    [
      '0 of 1 ready; pod ebb-1: no room',
      { conditions: [{ type: 'PodScheduled', status: 'False', message: 'no room' }] },
    ],
    ['0 of 1 ready; pod ebb-1 is Running and not ready', { phase: 'Running' }],
  ])('says %s', (text, status) => {
    expect(operatorReadiness(deployment({}), [pod(status)], [])).toEqual({ isReady: false, text });
  });

  it('says that its volume is not there, and that a quota lets no pod in', () => {
    const claim = { metadata: { name: 'ebb' }, status: { phase: 'Pending' } };
    expect(operatorReadiness(deployment({}), [], [claim]).text).toBe('0 of 1 ready; volume ebb is Pending');
    const failure = { conditions: [{ type: 'ReplicaFailure', status: 'True', message: 'exceeded quota' }] };
    expect(operatorReadiness(deployment(failure), [], []).text).toBe('0 of 1 ready; exceeded quota');
    expect(operatorReadiness(null, [], []).text).toBe('there is no Deployment');
  });
});
