import { beforeEach, expect, it } from 'vitest';
import { listAt, numberAt, textAt } from '../client/values.ts';
import { deployment, type FakeCluster } from '../fake/fakeCluster.fixture.ts';
import { fakeOperators } from '../fake/fakeOperators.fixture.ts';
import { scaledObject, type ToldTriggers } from '../fake/operator.fixture.ts';

const objects = 'keda.sh/v1alpha1/scaledobjects';
const fleets = 'example.dev/v1/fleets';
const fleet = { apiVersion: 'example.dev/v1', kind: 'Fleet', name: 'web' };
const operators = fakeOperators();
const { run, within } = operators;
let cluster: FakeCluster;
let triggers: ToldTriggers;
beforeEach(() => {
  ({ cluster, triggers } = operators);
});

const ready = (name = 'jobs') => {
  const all = listAt(cluster.server.get(objects, 'default', name), 'status', 'conditions');
  const found = all.find((one) => textAt(one, 'type') === 'Ready');
  return `${textAt(found, 'status')} ${textAt(found, 'reason')}: ${textAt(found, 'message')}`;
};
const replicas = (collection: string) => numberAt(cluster.server.get(collection, 'default', 'web'), 'spec', 'replicas');

it('scales any kind that has a scale', async () => {
  cluster.server.put(fleets, deployment('web', 0));
  cluster.server.put(objects, scaledObject('jobs', { spec: { scaleTargetRef: fleet } }));
  await run();
  triggers.say('jobs', 40);
  await within(() => replicas(fleets) === 4, 'four');
});

it.each([
  ['to list it', (path: string) => path.endsWith('/fleets')],
  ['to read its scale', (path: string) => path.endsWith('/scale')],
])('says which right is missing %s and how to give it, while all others are scaled', async (_what, isRefused) => {
  cluster.server.put(fleets, deployment('web', 0));
  cluster.server.put('apps/v1/deployments', { ...deployment('other', 0) });
  cluster.server.put(objects, scaledObject('jobs', { spec: { scaleTargetRef: fleet } }));
  cluster.server.put(objects, scaledObject('others', { target: 'other' }));
  cluster.server.refuse = ({ path }) => (isRefused(path) && path.includes('example.dev') ? 403 : null);
  await run();
  await within(() => ready().startsWith('False MissingPermission'), 'the condition');
  expect(ready()).toContain('--scale-kind example.dev/fleets');
  triggers.say('others', 30);
  const others = () => numberAt(cluster.server.get('apps/v1/deployments', 'default', 'other'), 'spec', 'replicas');
  await within(() => others() === 3, 'three');
  // Whatever touches it looks again; time alone does so every half minute.
  cluster.server.refuse = () => null;
  triggers.say('jobs', 40);
  cluster.server.put(objects, scaledObject('jobs', { spec: { scaleTargetRef: fleet, maxReplicaCount: 9 } }));
  await within(() => replicas(fleets) === 4, 'four');
  await within(() => ready().startsWith('True'), 'all well');
});

it('says which kind the cluster does not know', async () => {
  const scaleTargetRef = { ...fleet, kind: 'Flotilla' };
  cluster.server.put(objects, scaledObject('jobs', { spec: { scaleTargetRef } }));
  await run();
  await within(() => ready().startsWith('False'), 'the condition');
  expect(ready()).toBe('False UnknownKind: the cluster knows no kind Flotilla of example.dev/v1');
});

it('scales what a Workload scales where a ScaledObject names that', async () => {
  cluster.server.put('apps/v1/deployments', deployment('web', 0));
  const classes = [{ name: 'default', command: ['pod'] }];
  cluster.server.put('ebb.dev/v1alpha1/workloads', {
    metadata: { name: 'web', namespace: 'default' },
    spec: { classes, scaling: { minReplicas: 0, maxReplicas: 20 } },
  });
  const scaleTargetRef = { apiVersion: 'ebb.dev/v1alpha1', kind: 'Workload', name: 'web' };
  cluster.server.put(objects, scaledObject('jobs', { spec: { scaleTargetRef } }));
  await run();
  triggers.say('jobs', 40);
  await within(() => replicas('apps/v1/deployments') === 4, 'four');
  expect(cluster.server.scales()).toEqual([{ name: 'web', replicas: 4 }]);
});

it('names the flag that lets it read a Secret that a trigger names', async () => {
  const env = [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'redis', key: 'password' } } }];
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'main', image: 'i', env }] } };
  cluster.server.put('apps/v1/deployments', deployment('web', 0, { template }));
  cluster.server.put('v1/secrets', { metadata: { name: 'redis', namespace: 'default' }, data: { password: 'cA==' } });
  const metadata = { address: '127.0.0.1:1', listName: 'l', passwordFromEnv: 'PASSWORD' };
  cluster.server.put(objects, scaledObject('jobs', { spec: { triggers: [{ type: 'redis', metadata }] } }));
  cluster.server.refuse = ({ path }) => (path.endsWith('/secrets/redis') ? 403 : null);
  await run();
  await within(() => ready().startsWith('False MissingPermission'), 'the condition');
  expect(ready()).toContain('--read-namespace default');
  cluster.server.refuse = () => null;
  cluster.server.put('apps/v1/deployments', deployment('web', 0, { template, minReadySeconds: 1 }));
  triggers.say('jobs', 20);
  await within(() => replicas('apps/v1/deployments') === 2, 'two');
  expect(triggers.requests.at(-1)?.env).toEqual({ PASSWORD: 'p' });
});
