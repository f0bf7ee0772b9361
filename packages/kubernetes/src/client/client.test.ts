import { afterEach, beforeEach, expect, it } from 'vitest';
import { deployment, type FakeCluster, half, startFakeCluster } from '../fake/fakeCluster.fixture.ts';
import { Backoff } from './backoff.ts';
import { isOlderVersion } from './objects.ts';
import { resources } from './resources.ts';
import { parseSelector, selectorOf } from './selector.ts';
import { httpTransport, UnreachableError } from './transport.ts';

const at = { namespace: 'default', name: 'web' };
let cluster: FakeCluster;
beforeEach(async () => {
  cluster = await startFakeCluster();
});
afterEach(() => cluster.close());

it('tries again what was refused for a while, and says what was refused for good', async () => {
  cluster.server.put('apps/v1/deployments', deployment('web', 2));
  let refusals = 2;
  cluster.server.refuse = () => (refusals-- > 0 ? 503 : null);
  expect((await cluster.client.get(resources.deployments, at))?.name).toBe('web');
  expect(cluster.server.seen).toHaveLength(3);
  cluster.server.refuse = () => 403;
  await expect(cluster.client.get(resources.deployments, at)).rejects.toMatchObject({ status: 403, reason: 'Refused' });
  expect(cluster.server.seen).toHaveLength(4);
});

it('reads and writes a scale, at zero too, and is told of a stale version', async () => {
  cluster.server.put('apps/v1/deployments', deployment('web', 2));
  const before = await cluster.client.readScale(resources.deployments, at);
  expect(before).toMatchObject({ replicas: 2, selector: 'app=web' });
  const after = await cluster.client.writeScale(resources.deployments, at, 0, before.resourceVersion);
  expect(after.replicas).toBe(0);
  expect(isOlderVersion(before.resourceVersion, after.resourceVersion)).toBe(true);
  const stale = cluster.client.writeScale(resources.deployments, at, 5, before.resourceVersion);
  await expect(stale).rejects.toMatchObject({ status: 409 });
  expect((await cluster.client.readScale(resources.deployments, at)).replicas).toBe(0);
});

it('knows kinds by asking for them', async () => {
  expect(await cluster.client.discover('apps/v1', 'StatefulSet')).toEqual(resources.statefulSets);
  expect(await cluster.client.discover('apps/v1', 'Rollout')).toBeNull();
  expect(await cluster.client.discover('argoproj.io/v1alpha1', 'Rollout')).toBeNull();
});

it('gives up in time on a server that says nothing, and on one that is not there', async () => {
  cluster.server.refuse = () => null;
  const { createServer } = await import('node:http');
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const address = silent.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const transport = httpTransport({ server: `http://127.0.0.1:${port}` });
  const asked = transport.send({ method: 'GET', path: '/api', timeoutMs: 50 });
  await expect(asked).rejects.toThrow('GET /api: nothing came in time');
  const followed = transport.lines({ method: 'GET', path: '/api', timeoutMs: 50, idleMs: 50 }, () => {});
  await expect(followed).rejects.toBeInstanceOf(UnreachableError);
  transport.close();
  silent.closeAllConnections();
  await new Promise((resolve) => silent.close(resolve));
  const gone = httpTransport({ server: `http://127.0.0.1:${port}` });
  await expect(gone.send({ method: 'GET', path: '/api', timeoutMs: 500 })).rejects.toBeInstanceOf(UnreachableError);
  gone.close();
});

it('waits longer each time, up to a bound, and as long as the server asks', () => {
  const backoff = new Backoff(half);
  expect([1, 2, 3, 4, 5, 6, 7, 8].map(() => backoff.nextMs())).toEqual([75, 150, 300, 600, 1200, 2400, 3750, 3750]);
  expect(backoff.nextMs(9000)).toBe(9000);
  backoff.reset();
  expect(backoff.nextMs()).toBe(75);
});

const labels = { app: 'web', tier: 'gpu' };

it.each([
  ['app=web', true],
  ['app==web,tier=gpu', true],
  ['app!=web', false],
  ['app in (a,web),tier notin (cpu)', true],
  ['app in (a, b)', false],
  ['tier', true],
  ['!tier', false],
  ['!other,app', true],
  ['other!=x', true],
  ['', false],
])('reads the selector "%s" of a scale', (text, matches) => {
  expect(parseSelector(text)(labels)).toBe(matches);
});

it('reads the selector of a document, and owns nothing without one', () => {
  const matchExpressions = [
    { key: 'tier', operator: 'In', values: ['gpu', 'cpu'] },
    { key: 'old', operator: 'DoesNotExist' },
  ];
  expect(selectorOf({ matchLabels: { app: 'web' }, matchExpressions })(labels)).toBe(true);
  expect(selectorOf({ matchLabels: { app: 'web' }, matchExpressions })({ ...labels, old: '1' })).toBe(false);
  expect(selectorOf({})(labels)).toBe(false);
});
