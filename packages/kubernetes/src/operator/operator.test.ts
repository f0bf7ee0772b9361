import { MemoryStore } from '@ebb/testing';
import { beforeEach, expect, it } from 'vitest';
import { listAt, numberAt, textAt } from '../client/values.ts';
import { deployment, type FakeCluster } from '../fake/fakeCluster.fixture.ts';
import { fakeOperators } from '../fake/fakeOperators.fixture.ts';
import { scaledObject, type StartedOperator, type ToldTriggers } from '../fake/operator.fixture.ts';

const deployments = 'apps/v1/deployments';
const objects = 'keda.sh/v1alpha1/scaledobjects';
const operators = fakeOperators({ podsReadyAfterMs: 5, shown: ({ server }) => JSON.stringify(server.scales()) });
const { started, within } = operators;
let cluster: FakeCluster;
let triggers: ToldTriggers;
beforeEach(() => {
  ({ cluster, triggers } = operators);
});

const run = (identity = 'a', more: Parameters<typeof operators.start>[0] = {}) =>
  operators.start({ identity, ...more });
const count = (name = 'web') => numberAt(cluster.server.get(deployments, 'default', name), 'spec', 'replicas');
const scales = () => cluster.server.scales().map(({ replicas }) => replicas);
const condition = (name: string, type: string) => {
  const all = listAt(cluster.server.get(objects, 'default', name), 'status', 'conditions');
  const found = all.find((one) => textAt(one, 'type') === type);
  return `${textAt(found, 'status')} ${textAt(found, 'reason')}: ${textAt(found, 'message')}`;
};
const readyPods = () =>
  cluster.server.list('v1/pods').filter((pod) => textAt(listAt(pod, 'status', 'conditions')[0], 'status') === 'True')
    .length;

it('scales a Deployment by a ScaledObject as it is: to what the queue needs in one write, and back to zero', async () => {
  cluster.server.put(deployments, deployment('web', 0));
  cluster.server.put(objects, scaledObject('jobs'));
  const { operator } = await run();
  await operator.ready;
  await within(() => condition('jobs', 'Ready').startsWith('True'), 'the status');
  triggers.say('jobs', 100);
  await within(() => readyPods() === 10, 'ten ready');
  expect(scales()).toEqual([10]);
  triggers.say('jobs', 0);
  await within(() => count() === 0, 'zero');
  await within(() => readyPods() === 0, 'no pods');
  expect(condition('jobs', 'Ready')).toContain('ScaledObjectReady');
});

it('leaves a target as it is found while nothing is known, also when its pods are only being made', async () => {
  const { operator } = await run();
  await operator.ready;
  triggers.say('jobs', null);
  cluster.server.put(objects, scaledObject('jobs'));
  cluster.server.put(deployments, deployment('web', 3));
  await within(() => condition('jobs', 'Ready').includes('the source is away'), 'the error');
  await within(() => readyPods() === 3, 'three ready');
  expect(count()).toBe(3);
  expect(scales()).toEqual([]);
  triggers.say('jobs', 0);
  await within(() => count() === 0, 'zero, once that is known');
});

it('waits for the rest of the cool-down that others have begun, and leaves word of its own', async () => {
  cluster.server.put(deployments, deployment('web', 1));
  const object = scaledObject('jobs') as { metadata: object; spec: object };
  const lastActiveTime = new Date(Date.now() - 60_000).toISOString().replace(/\.\d+Z$/, 'Z');
  cluster.server.put(objects, { ...object, spec: { ...object.spec, cooldownPeriod: 300 }, status: { lastActiveTime } });
  const { operator } = await run();
  await operator.ready;
  triggers.say('jobs', 0);
  await within(() => condition('jobs', 'Active').startsWith('False'), 'the status');
  const status = () => cluster.server.get(objects, 'default', 'jobs');
  const decided = () => operator.leading()?.engine.explain({ cluster: 'local', namespace: 'default', name: 'web' });
  expect(JSON.stringify(await decided())).toContain('keda-cools-down');
  expect([count(), scales(), textAt(status(), 'status', 'lastActiveTime')]).toEqual([1, [], lastActiveTime]);
  triggers.say('jobs', 25);
  await within(() => condition('jobs', 'Active').startsWith('True'), 'active');
  triggers.say('jobs', 0);
  const lastActiveMs = () => Date.parse(textAt(status(), 'status', 'lastActiveTime') ?? '');
  await within(() => lastActiveMs() > Date.parse(lastActiveTime) + 30_000, 'the new time');
  await within(() => count() === 1, 'one, for the rest of the time');
});

it('is paused by its annotation, at a count where that says one', async () => {
  cluster.server.put(deployments, deployment('web', 1));
  cluster.server.put(objects, scaledObject('jobs', { annotations: { 'autoscaling.keda.sh/paused': 'true' } }));
  await (await run()).operator.ready;
  triggers.say('jobs', 100);
  await within(() => condition('jobs', 'Paused').startsWith('True'), 'paused');
  // Whoever pauses it scales it by hand.
  for (const replicas of [4, 2]) {
    cluster.server.put(deployments, deployment('web', replicas));
    await within(() => readyPods() === replicas, `${replicas} by hand`);
    triggers.say('jobs', 100 + replicas);
  }
  triggers.say('jobs', 100);
  expect(scales()).toEqual([]);
  cluster.server.put(objects, scaledObject('jobs', { annotations: { 'autoscaling.keda.sh/paused-replicas': '3' } }));
  await within(() => count() === 3, 'three');
  cluster.server.put(objects, scaledObject('jobs'));
  await within(() => count() === 10, 'ten');
  // What runs is adopted when it is paused and resumed.
  cluster.server.put(objects, scaledObject('jobs', { annotations: { 'autoscaling.keda.sh/paused': 'true' } }));
  await within(() => started[0]?.operator.leading()?.engine.statuses().length === 0, 'paused again');
  cluster.server.put(objects, scaledObject('jobs'));
  triggers.say('jobs', 120);
  await within(() => readyPods() === 12, 'twelve');
  expect(scales()).toEqual([3, 10, 12]);
});

it('refuses a target that an HPA or an older ScaledObject has, and names it', async () => {
  cluster.server.put(deployments, deployment('web', 1));
  cluster.server.put(deployments, deployment('other', 1));
  const hpa = {
    metadata: { name: 'cpu', namespace: 'default' },
    spec: { scaleTargetRef: { kind: 'Deployment', name: 'other' } },
  };
  cluster.server.put('autoscaling/v2/horizontalpodautoscalers', hpa);
  const older = { creationTimestamp: '2020-01-01T00:00:00Z' };
  const first = scaledObject('first');
  cluster.server.put(objects, { ...first, metadata: { ...(first.metadata as object), ...older } });
  cluster.server.put(objects, scaledObject('second'));
  cluster.server.put(objects, scaledObject('third', { target: 'other' }));
  await (await run()).operator.ready;
  for (const name of ['first', 'second', 'third']) triggers.say(name, name === 'first' ? 30 : 100);
  await within(() => count() === 3, 'the first one decides');
  await within(() => condition('second', 'Ready').startsWith('False'), 'the second one is told');
  await within(() => condition('third', 'Ready').startsWith('False'), 'the third one is told');
  expect(condition('second', 'Ready')).toBe(
    'False ScaleConflict: Deployment web is scaled by the ScaledObject first already',
  );
  expect(condition('third', 'Ready')).toBe(
    'False ScaleConflict: Deployment other is scaled by the HorizontalPodAutoscaler cpu already',
  );
  expect(count('other')).toBe(1);
  cluster.server.remove('autoscaling/v2/horizontalpodautoscalers', 'default', 'cpu');
  await within(() => count('other') === 10, 'the third one decides');
  cluster.server.remove(objects, 'default', 'first');
  await within(() => count() === 10, 'the second one decides');
});

it('leaves a target as it is when its ScaledObject goes, or goes back to the count that was found', async () => {
  cluster.server.put(deployments, deployment('web', 1));
  cluster.server.put(deployments, deployment('back', 2));
  cluster.server.put(objects, scaledObject('jobs'));
  const advanced = { restoreToOriginalReplicaCount: true };
  cluster.server.put(objects, scaledObject('restored', { target: 'back', spec: { advanced } }));
  const { operator } = await run();
  await operator.ready;
  triggers.say('jobs', 50);
  triggers.say('restored', 50);
  await within(() => count() === 5 && count('back') === 5, 'five each');
  cluster.server.remove(objects, 'default', 'jobs');
  cluster.server.remove(objects, 'default', 'restored');
  await within(() => count('back') === 2, 'what was found');
  await within(() => operator.leading()?.engine.statuses().length === 0, 'both to be forgotten');
  expect(count()).toBe(5);
  expect(
    cluster.server
      .scales()
      .filter(({ name }) => name === 'web')
      .at(-1)?.replicas,
  ).toBe(5);
});

it('tells what is wrong: a document that is not valid, a target that is not there', async () => {
  cluster.server.put(objects, scaledObject('bad', { spec: { minReplicaCount: 9, maxReplicaCount: 3 } }));
  cluster.server.put(objects, scaledObject('early', { target: 'later' }));
  await (await run()).operator.ready;
  await within(() => condition('bad', 'Ready').includes('InvalidDocument'), 'the bad one');
  expect(condition('bad', 'Ready')).toContain('minReplicaCount 9 is larger than maxReplicaCount 3');
  await within(() => condition('early', 'Ready').includes('NoTarget'), 'the early one');
  triggers.say('early', 20);
  cluster.server.put(deployments, deployment('later', 0));
  await within(() => count('later') === 2, 'the target that came');
});

it('holds what runs while its source or the API server is away, and goes on from there', async () => {
  cluster.server.put(deployments, deployment('web', 0));
  cluster.server.put(objects, scaledObject('jobs'));
  const { operator } = await run('a', { leaseMs: 30_000 });
  await operator.ready;
  triggers.say('jobs', 40);
  await within(() => readyPods() === 4, 'four');
  triggers.say('jobs', null);
  cluster.server.refuse = ({ method }) => (method === 'PUT' ? 503 : null);
  cluster.server.cut();
  const asked = cluster.server.seen.length;
  await within(() => cluster.server.seen.length > asked + 3, 'some tries');
  triggers.say('jobs', 60);
  const refused = () => cluster.server.scales().filter(({ replicas }) => replicas === 6).length;
  await within(() => refused() > 1, 'to be asked again');
  cluster.server.refuse = () => null;
  await within(() => readyPods() === 6, 'six');
  expect(scales().filter((replicas) => replicas < 4)).toEqual([]);
});

it('takes over from a leader that was killed: what runs is adopted, nothing is scaled twice', async () => {
  cluster.server.put(deployments, deployment('web', 0));
  cluster.server.put(objects, scaledObject('jobs'));
  const first = await run('a');
  await first.operator.ready;
  const second = await run('b');
  triggers.say('jobs', 100);
  await within(() => readyPods() === 10, 'ten');
  first.kill();
  await second.operator.ready;
  expect(scales()).toEqual([10]);
  triggers.say('jobs', 120);
  await within(() => readyPods() === 12, 'twelve');
  expect(scales()).toEqual([10, 12]);
});

it('goes on after a restart with the same replicas, where its volume is kept', async () => {
  cluster.server.put(deployments, deployment('web', 0));
  cluster.server.put(objects, scaledObject('jobs'));
  const embedded = new MemoryStore();
  const first = await run('a', { embedded });
  await first.operator.ready;
  triggers.say('jobs', 30);
  await within(() => readyPods() === 3, 'three');
  const ids = (one: StartedOperator) =>
    one.operator
      .leading()
      ?.engine.statuses()
      .flatMap(({ replicaList }) => replicaList.map(({ id }) => id))
      .sort();
  const before = ids(first);
  await first.stop();
  const second = await run('b', { embedded });
  await second.operator.ready;
  await within(() => ids(second)?.length === 3, 'the adopted');
  expect(ids(second)).toEqual(before);
  expect(scales()).toEqual([3]);
});

it('lets the Deployment roll out by itself', async () => {
  cluster.server.put(deployments, deployment('web', 0));
  cluster.server.put(objects, scaledObject('jobs'));
  const { operator } = await run();
  await operator.ready;
  triggers.say('jobs', 20);
  await within(() => readyPods() === 2, 'two');
  const container = { name: 'main', image: 'worker:2', resources: { requests: { cpu: '500m', memory: '1Gi' } } };
  const changed = deployment('web', 2, {
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [container] } },
  });
  cluster.server.put(deployments, changed);
  for (const pod of cluster.server.list('v1/pods')) {
    cluster.server.endPod('default', textAt(pod, 'metadata', 'name') ?? '');
  }
  await within(() => readyPods() === 2, 'two new ones');
  const settled = () => operator.leading()?.engine.statuses()[0]?.replicas;
  await within(() => settled()?.ready === 2 && settled()?.wanted === 2, 'the engine to see them');
  expect(scales()).toEqual([2]);
});

const workloads = 'ebb.dev/v1alpha1/workloads';
const workload = (name: string, scaling: object, annotations: Record<string, string> = {}) => ({
  metadata: { name, namespace: 'default', annotations },
  spec: { classes: [{ command: ['pod'] }], scaling },
});

it('scales by a Workload: the Deployment of its name, or what its annotation names', async () => {
  cluster.server.put(deployments, deployment('own', 0));
  cluster.server.put('apps/v1/statefulsets', deployment('other', 0));
  cluster.server.put(workloads, workload('own', { minReplicas: 2, maxReplicas: 4 }));
  const annotations = { 'ebb.dev/scale-target': 'StatefulSet/other' };
  cluster.server.put(workloads, workload('named', { minReplicas: 3, maxReplicas: 4 }, annotations));
  cluster.server.put(workloads, workload('wrong', { minReplicas: 9, maxReplicas: 4 }));
  await (await run()).operator.ready;
  const setCount = () => numberAt(cluster.server.get('apps/v1/statefulsets', 'default', 'other'), 'spec', 'replicas');
  await within(() => count('own') === 2 && setCount() === 3, 'both');
  const status = (name: string) => cluster.server.get(workloads, 'default', name)?.status;
  await within(() => numberAt(status('named'), 'replicas', 'ready') === 3, 'the status');
  await within(() => JSON.stringify(status('wrong') ?? '').includes('InvalidDocument'), 'the problem');
  // Its document changes, and it goes: the target stays as it is.
  cluster.server.put(workloads, workload('own', { minReplicas: 4, maxReplicas: 4 }));
  await within(() => count('own') === 4, 'four');
  cluster.server.remove(workloads, 'default', 'own');
  cluster.server.remove(workloads, 'default', 'named');
  await within(() => started[0]?.operator.leading()?.engine.statuses().length === 0, 'both to be forgotten');
  expect([count('own'), setCount()]).toEqual([4, 3]);
});

it('shows a count that others have set, puts it right once and leaves it after that', async () => {
  cluster.server.put(deployments, deployment('web', 0));
  cluster.server.put(objects, scaledObject('jobs'));
  await (await run()).operator.ready;
  triggers.say('jobs', 40);
  await within(() => readyPods() === 4, 'four');
  cluster.server.put(deployments, deployment('web', 1));
  await within(() => readyPods() === 4 && scales().length === 2, 'four again');
  cluster.server.put(deployments, deployment('web', 1));
  await within(() => readyPods() === 1, 'one');
  await within(() => condition('jobs', 'ExternalScale').includes('NotFought'), 'the condition', 20_000);
  expect(count()).toBe(1);
  expect(scales()).toEqual([4, 4]);
  triggers.say('jobs', 60);
  await within(() => readyPods() === 6, 'six');
});

it('says in its status why the cluster refuses pods, as long as it does', async () => {
  cluster.server.put(deployments, deployment('web', 0));
  cluster.server.put(objects, scaledObject('jobs'));
  await (await run()).operator.ready;
  const failure = { type: 'ReplicaFailure', reason: 'FailedCreate', message: 'exceeded quota: few' };
  const say = (status: string) => {
    const found = cluster.server.get(deployments, 'default', 'web');
    cluster.server.put(deployments, { ...found, status: { conditions: [{ ...failure, status }] } });
  };
  say('True');
  await within(() => condition('jobs', 'ReplicaFailure').includes('exceeded quota: few'), 'the refusal');
  say('False');
  await within(() => !condition('jobs', 'ReplicaFailure').includes('quota'), 'its end');
  expect(scales()).toEqual([]);
});

it('goes to zero though the cluster’s clock, and its source’s, are a day ahead of its own', async () => {
  cluster.server.put(deployments, deployment('web', 2));
  cluster.server.put(objects, scaledObject('jobs'));
  triggers.say('jobs', 0);
  await (await run('a', { skewMs: -86_400_000 })).operator.ready;
  // Nothing has been active yet: it counts from when the object was made.
  await within(() => count() === 0, 'zero');
  triggers.say('jobs', 20);
  await within(() => readyPods() === 2, 'two');
  triggers.say('jobs', 0);
  await within(() => count() === 0, 'zero again');
});
