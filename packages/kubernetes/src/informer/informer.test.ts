import { until } from '@ebb/testing/services';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { resources } from '../client/resources.ts';
import { deployment, type FakeCluster, startFakeCluster } from '../fake/fakeCluster.fixture.ts';
import { Informer } from './informer.ts';

let cluster: FakeCluster;
let informer: Informer;
const told: string[] = [];
const collection = 'apps/v1/deployments';

beforeEach(async () => {
  cluster = await startFakeCluster();
  told.length = 0;
  informer = new Informer({ client: cluster.client, resource: resources.deployments, namespace: 'default' });
  informer.watch((event) => told.push(`${event.type} ${event.object.name}`));
});
afterEach(async () => {
  await informer.close();
  await cluster.close();
});

const within = (check: () => boolean, what: string) => until(check, { withinMs: 5000, what: () => `${what}: ${told}` });

it('lists, then follows what changes', async () => {
  cluster.server.put(collection, deployment('a', 1));
  await informer.start().synced;
  expect(told).toEqual(['put a']);
  cluster.server.put(collection, deployment('b', 1));
  cluster.server.put(collection, deployment('a', 2));
  cluster.server.remove(collection, 'default', 'a');
  await within(() => told.length === 4, 'four events');
  expect(told).toEqual(['put a', 'put b', 'put a', 'delete a']);
  expect(informer.list().map(({ name }) => name)).toEqual(['b']);
  expect(informer.lists).toBe(1);
});

it('follows several namespaces as one, each from its own version, and no other one', async () => {
  await informer.close();
  const { client, server } = cluster;
  const at = (namespace: string, name: string) => ({ ...deployment(name, 1), metadata: { name, namespace } });
  server.put(collection, at('a', 'one'));
  server.put(collection, at('b', 'two'));
  server.put(collection, at('c', 'other'));
  informer = new Informer({ client, resource: resources.deployments, namespace: ['a', 'b'] });
  await informer.start().synced;
  const names = () =>
    informer
      .list()
      .map(({ namespace, name }) => `${namespace}/${name}`)
      .sort();
  expect(names()).toEqual(['a/one', 'b/two']);
  server.put(collection, at('c', 'another'));
  server.put(collection, at('b', 'three'));
  server.remove(collection, 'a', 'one');
  await within(() => names().join() === 'b/three,b/two', 'what has changed');
  // One that is listed anew takes nothing of the others away.
  server.compact();
  server.cut();
  server.put(collection, at('a', 'four'));
  server.remove(collection, 'b', 'two');
  await within(() => names().join() === 'a/four,b/three', 'both again');
  const asked = new Set(server.seen.map(({ path }) => path));
  expect([...asked].every((path) => /namespaces\/[ab]\//.test(path))).toBe(true);
});

it('goes on from where it was after a broken connection, and lists nothing again', async () => {
  cluster.server.put(collection, deployment('a', 1));
  await informer.start().synced;
  cluster.server.cut();
  cluster.server.put(collection, deployment('b', 1));
  await within(() => informer.list().length === 2, 'what changed meanwhile');
  expect(informer.lists).toBe(1);
});

it('keeps what it knows while the server is away, and takes 410 for a reason to list again', async () => {
  for (const name of ['a', 'b']) cluster.server.put(collection, deployment(name, 1));
  await informer.start().synced;
  cluster.server.refuse = () => 503;
  cluster.server.cut();
  cluster.server.remove(collection, 'default', 'a');
  cluster.server.put(collection, deployment('c', 1));
  await within(() => cluster.server.seen.length > 4, 'another try');
  expect(informer.list().map(({ name }) => name)).toEqual(['a', 'b']);
  cluster.server.compact();
  cluster.server.refuse = () => null;
  await within(() => told.includes('put c'), 'the list after 410');
  expect(told.slice(2).sort()).toEqual(['delete a', 'put c']);
  expect(informer.lists).toBe(2);
});

it('tells that an object has gone when another one of its name took its place unseen', async () => {
  const before = cluster.server.put(collection, deployment('a', 1));
  await informer.start().synced;
  cluster.server.refuse = ({ path }) => (path.includes('deployments') ? 503 : null);
  cluster.server.cut();
  cluster.server.remove(collection, 'default', 'a');
  cluster.server.put(collection, deployment('a', 1));
  cluster.server.compact();
  cluster.server.refuse = () => null;
  await within(() => told.length === 3, 'both');
  expect(told.slice(1)).toEqual(['delete a', 'put a']);
  expect(informer.list()[0]?.uid).not.toBe((before.metadata as { uid: string }).uid);
});
