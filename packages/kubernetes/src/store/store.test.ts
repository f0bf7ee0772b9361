import { MemoryStore } from '@ebb/testing';
import { until } from '@ebb/testing/services';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { resources } from '../client/resources.ts';
import { numberAt } from '../client/values.ts';
import { type FakeCluster, startFakeCluster } from '../fake/fakeCluster.fixture.ts';
import { scaledObject } from '../fake/operator.fixture.ts';
import { kubernetesStore } from './kubernetesStore.ts';
import { StatusWriter } from './statusWriter.ts';

const key = { cluster: 'local', namespace: 'default', name: 'web' };
const objects = 'keda.sh/v1alpha1/scaledobjects';
let cluster: FakeCluster;
beforeEach(async () => {
  cluster = await startFakeCluster();
});
afterEach(() => cluster.close());

const within = (check: () => boolean, what: string) => until(check, { withinMs: 4000, what: () => what });

it('keeps documents with versions and generations, and writes none to the cluster', async () => {
  const embedded = new MemoryStore();
  const { documents } = await kubernetesStore({ client: cluster.client, embedded, epoch: 3 });
  const input = { apiVersion: 'ebb.dev/v1alpha1', kind: 'Workload', key, origin: null, atMs: 5, epoch: 3 };
  const first = await documents.put({ ...input, document: { spec: { a: 1 } } });
  const same = await documents.put({ ...input, document: { metadata: { labels: {} }, spec: { a: 1 } } });
  const other = await documents.put({ ...input, document: { spec: { a: 2 } }, expectedVersion: same.resourceVersion });
  expect([first, same, other].map(({ generation }) => generation)).toEqual([1, 1, 2]);
  await expect(documents.put({ ...input, document: {}, expectedVersion: first.resourceVersion })).rejects.toMatchObject(
    {
      code: 'conflict',
    },
  );
  await expect(documents.put({ ...input, document: {}, epoch: 2 })).rejects.toMatchObject({ code: 'stale-epoch' });
  expect(await documents.list('Workload')).toHaveLength(1);
  await documents.delete('Workload', key, { epoch: 3 });
  expect(await documents.get('Workload', key)).toBeNull();
  expect(cluster.server.seen).toEqual([]);
});

it('counts its own epochs in the embedded store, whatever the lease says', async () => {
  const embedded = new MemoryStore();
  for (let taken = 0; taken < 7; taken++) await embedded.takeEpoch();
  // A new cluster, whose lease begins at 1, with an old volume.
  const { state, takeEpoch } = await kubernetesStore({ client: cluster.client, embedded, epoch: 1 });
  expect(await takeEpoch()).toBe(1);
  await state.save('memory', { a: 1 }, 1);
  expect(await state.load('memory')).toEqual({ a: 1 });
  await expect(state.save('memory', {}, 0)).rejects.toMatchObject({ code: 'stale-epoch' });
});

it('reads Secrets one by one from the cluster, and keeps none', async () => {
  const embedded = new MemoryStore();
  const { documents } = await kubernetesStore({ client: cluster.client, embedded, epoch: 1 });
  expect(await documents.get('Secret', key)).toBeNull();
  cluster.server.put('v1/secrets', { metadata: { name: 'web', namespace: 'default' }, data: { a: 'YQ==' } });
  expect(await documents.get('Secret', key)).toMatchObject({ kind: 'Secret', document: { data: { a: 'YQ==' } } });
  cluster.server.remove('v1/secrets', 'default', 'web');
  expect(await documents.get('Secret', key)).toBeNull();
  expect(await documents.list('Secret')).toEqual([]);
});

it('writes a status at once, then what follows together, and nothing that is the same', async () => {
  cluster.server.put(objects, scaledObject('web'));
  let value = 1;
  const { client, clock } = cluster;
  const writer = new StatusWriter({ client, clock, mayWrite: () => true, gapMs: 300, log: () => {} });
  const changed = () => writer.changed(resources.scaledObjects, { ...key, uid: 'u', body: {} }, () => ({ value }));
  const written = () => numberAt(cluster.server.get(objects, 'default', 'web'), 'status', 'value');
  const writes = () => cluster.server.seen.filter(({ path }) => path.endsWith('/status')).length;
  changed();
  await within(() => written() === 1, 'the first');
  const atMs = Date.now();
  for (value = 2; value < 9; value++) changed();
  await within(() => written() === 9, 'the last');
  expect(Date.now() - atMs).toBeGreaterThanOrEqual(200);
  expect(writes()).toBe(2);
  changed();
  value = 10;
  changed();
  await within(() => written() === 10, 'another one');
  expect(writes()).toBe(3);
  writer.close();
});

it('begins anew with an object that came back, and tells when one is forgotten', async () => {
  cluster.server.put(objects, scaledObject('web'));
  const { client, clock } = cluster;
  const forgotten: string[] = [];
  const writer = new StatusWriter({
    ...{ client, clock, mayWrite: () => true, gapMs: 0, log: () => {} },
    forgotten: (resource, at) => forgotten.push(`${resource.kind} ${at.name}`),
  });
  const changed = () => writer.changed(resources.scaledObjects, { ...key, uid: 'u', body: {} }, () => ({ value: 1 }));
  const writes = () => cluster.server.seen.filter(({ path }) => path.endsWith('/status')).length;
  changed();
  await within(() => writes() === 1, 'the first');
  writer.forget(resources.scaledObjects, key);
  expect(forgotten).toEqual(['ScaledObject web']);
  changed();
  await within(() => writes() === 2, 'the same, written again');
  writer.close();
});

it('writes the statuses of thousands a few at a time', async () => {
  const { clock, client } = cluster;
  let now = 0;
  let most = 0;
  let written = 0;
  const apply: typeof client.apply = async (resource, at, body) => {
    most = Math.max(most, ++now);
    await new Promise(setImmediate);
    now--;
    written++;
    return {
      ...at,
      apiVersion: '',
      kind: resource.kind,
      uid: '',
      resourceVersion: '',
      generation: 1,
      createdAtMs: 0,
      deletedAtMs: null,
      labels: {},
      annotations: {},
      body,
    };
  };
  const writing = Object.assign(Object.create(client) as typeof client, { apply });
  const writer = new StatusWriter({ client: writing, clock, mayWrite: () => true, log: () => {} });
  for (let at = 0; at < 3000; at++) {
    writer.changed(resources.scaledObjects, { namespace: 'default', name: `web-${at}`, uid: 'u', body: {} }, () => ({
      at,
    }));
  }
  await within(() => written === 3000, 'all');
  expect(most).toBe(8);
  writer.close();
});

it('writes no status while another one leads', async () => {
  cluster.server.put(objects, scaledObject('web'));
  const { client, clock } = cluster;
  let asked = 0;
  const writer = new StatusWriter({ client, clock, mayWrite: () => false, gapMs: 10, log: () => {} });
  writer.changed(resources.scaledObjects, { ...key, uid: 'u', body: {} }, () => ({ value: ++asked }));
  await within(() => asked > 0, 'the question');
  writer.close();
  expect(cluster.server.seen).toEqual([]);
});
