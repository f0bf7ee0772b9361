import { afterEach, beforeEach, expect, it } from 'vitest';
import { deployment, type FakeCluster, startFakeCluster } from '../fake/fakeCluster.fixture.ts';
import { scaledObject } from '../fake/operator.fixture.ts';
import { readCluster, templateOf } from './readCluster.ts';

let cluster: FakeCluster;
beforeEach(async () => {
  cluster = await startFakeCluster();
});
afterEach(() => cluster.close());

it('reads each kind once, tells what is not there and what may not be read, and asks for no Secret', async () => {
  const { server, client } = cluster;
  const applied = { 'kubectl.kubernetes.io/last-applied-configuration': '{}', team: 'shop' };
  server.put('apps/v1/deployments', {
    ...deployment('web', 2),
    metadata: { name: 'web', namespace: 'default', annotations: applied },
    status: { replicas: 2 },
  });
  server.put('autoscaling/v2/horizontalpodautoscalers', {
    metadata: { name: 'keda-hpa-web', namespace: 'default', ownerReferences: [{ kind: 'ScaledObject', name: 'web' }] },
    spec: {},
  });
  server.put('keda.sh/v1alpha1/scaledobjects', scaledObject('web'));
  server.put('v1/secrets', { metadata: { name: 'web', namespace: 'default' }, data: { a: 'YQ==' } });
  server.refuse = ({ path }) => (path.includes('statefulsets') ? 403 : null);
  const { objects, missing, forbidden } = await readCluster(client, null);
  expect(objects.map(({ kind, name, owner }) => [kind, name, owner])).toEqual([
    ['Deployment', 'web', null],
    ['HorizontalPodAutoscaler', 'keda-hpa-web', 'ScaledObject/web'],
    ['ScaledObject', 'web', null],
  ]);
  expect(objects[0]?.document.metadata).toEqual({ name: 'web', namespace: 'default', annotations: { team: 'shop' } });
  expect(objects[0]?.document).not.toHaveProperty('status');
  expect(missing).toEqual(expect.arrayContaining(['InferenceService.serving.kserve.io', 'NodePool.karpenter.sh']));
  expect(forbidden).toEqual([{ kind: 'StatefulSet.apps', right: 'list statefulsets.apps in the whole cluster' }]);
  const asked = server.seen.map(({ method, path }) => `${method} ${path}`);
  expect(asked.every((one) => one.startsWith('GET '))).toBe(true);
  expect(asked.filter((one) => one.includes('secret'))).toEqual([]);
  expect(new Set(asked).size).toBe(asked.length);
});

it('reads one namespace, and of pods nothing of their variables', async () => {
  const { server, client } = cluster;
  server.put('apps/v1/deployments', deployment('web', 1));
  server.put('apps/v1/deployments', { ...deployment('other', 1), metadata: { name: 'other', namespace: 'elsewhere' } });
  const { objects } = await readCluster(client, 'elsewhere');
  expect(objects.map(({ name }) => name)).toEqual(['other']);
  const containers = [{ name: 'main', env: [{ name: 'A', value: 'sesame' }], envFrom: [{}], image: 'worker' }];
  const template = templateOf({ spec: { template: { spec: { containers } } } });
  expect(template).toEqual({ containers: [{ name: 'main', image: 'worker' }] });
});
