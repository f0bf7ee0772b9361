import { beforeEach, expect, it } from 'vitest';
import { isObject, type JsonObject, numberAt, objectAt } from '../client/values.ts';
import { deployment, type FakeCluster } from '../fake/fakeCluster.fixture.ts';
import { fakeOperators } from '../fake/fakeOperators.fixture.ts';
import { scaledObject, type ToldTriggers } from '../fake/operator.fixture.ts';
import { HandOverRefused } from './handOver.ts';
import { giveBack, takeOver } from './takeOver.ts';

const deployments = 'apps/v1/deployments';
const objects = 'keda.sh/v1alpha1/scaledobjects';
const hpas = 'autoscaling/v2/horizontalpodautoscalers';
const operators = fakeOperators({ podsReadyAfterMs: 5 });
const { started, within } = operators;
let cluster: FakeCluster;
let triggers: ToldTriggers;
beforeEach(() => {
  ({ cluster, triggers } = operators);
});

const options = (name: string, more: object = {}) => ({
  client: cluster.client,
  kind: null,
  namespace: 'default',
  name,
  lease: { namespace: 'default', name: 'ebb' },
  waitMs: 2000,
  lookMs: 10,
  ...more,
});
const run = () => operators.run({ mode: 'advice' });
const count = (name = 'web') => numberAt(cluster.server.get(deployments, 'default', name), 'spec', 'replicas');
const advised = (name = 'web') =>
  started[0]?.operator
    .leading()
    ?.advice()
    .find((one) => one.name === name)?.advised;

const policies = [{ type: 'Pods', value: 9, periodSeconds: 1 }];
const behavior = { scaleUp: { policies }, scaleDown: { stabilizationWindowSeconds: 0, policies } };
function hpa(utilization: number, spec: object = { behavior }): JsonObject {
  return {
    metadata: { name: 'web', namespace: 'default', annotations: { 'ebb.dev/improvements': 'true', team: 'shop' } },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      minReplicas: 2,
      maxReplicas: 8,
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
      ],
      ...spec,
    },
    status: {
      currentReplicas: 2,
      currentMetrics: [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: utilization } } }],
    },
  };
}
/** What a user has written of it. */
const written = (name = 'web') => {
  const { metadata, spec } = cluster.server.get(hpas, 'default', name) ?? {};
  return { annotations: objectAt(metadata, 'annotations'), spec };
};
/** Its controller says something new. */
function say(utilization: number): void {
  const object = cluster.server.get(hpas, 'default', 'web');
  if (object) cluster.server.put(hpas, { ...object, status: hpa(utilization).status });
}

it('takes a target over from its HPA, which goes on reading, and gives it back as it was', async () => {
  cluster.server.put(deployments, deployment('web', 2));
  cluster.server.put(hpas, hpa(150));
  const before = written();
  await run();
  await within(() => advised()?.wanted === 6, 'advice');
  const planned = await takeOver(options('web'), { write: false });
  expect(planned).toMatchObject({
    kind: 'HorizontalPodAutoscaler',
    target: 'Deployment/web',
    steps: [{ state: 'to do' }],
  });
  expect(written()).toEqual(before);
  await takeOver(options('web'), { write: true });
  await within(() => count() === 6, 'six');
  expect(written().spec).toMatchObject({
    maxReplicas: 2_147_483_647,
    behavior: { scaleUp: { selectPolicy: 'Disabled' } },
  });
  // Its own bounds hold, not the opened ones.
  say(1000);
  await within(() => count() === 8, 'its maximum');
  expect((await takeOver(options('web'), { write: true })).steps).toMatchObject([{ state: 'done' }]);
  await giveBack(options('web'), { write: true });
  expect(written()).toEqual(before);
  const scales = cluster.server.scales().length;
  say(50);
  await within(() => advised()?.wanted === 2, 'advice again');
  expect(cluster.server.scales()).toHaveLength(scales);
  expect((await giveBack(options('web'), { write: true })).steps).toMatchObject([{ state: 'done' }]);
});

it('goes on with a give-back that was interrupted, and undoes it too', async () => {
  cluster.server.put(deployments, deployment('web', 2));
  cluster.server.put(hpas, hpa(50, {}));
  const before = written();
  await run();
  await takeOver(options('web'), { write: true });
  // The command dies after its first write.
  let writes = 0;
  cluster.server.refuse = ({ method, path }) =>
    method === 'PUT' && path.endsWith('/web') && ++writes > 1 ? 403 : null;
  await expect(giveBack(options('web'), { write: true })).rejects.toMatchObject({ status: 403 });
  cluster.server.refuse = () => null;
  expect(written().annotations).toMatchObject({ 'ebb.dev/mode': 'advice' });
  // Nobody scales it in between, and either way is open.
  await takeOver(options('web'), { write: true });
  say(150);
  await within(() => count() === 6, 'six');
  await giveBack(options('web'), { write: true });
  expect(written()).toEqual(before);
});

it('writes over a status that came in between, and over nothing else', async () => {
  cluster.server.put(deployments, deployment('web', 2));
  cluster.server.put(hpas, hpa(50, {}));
  await run();
  let between = 0;
  cluster.server.refuse = ({ method, path }) => {
    if (method === 'PUT' && path.endsWith('/web') && ++between <= 2) say(50 + between);
    return null;
  };
  await takeOver(options('web'), { write: true });
  expect(between).toBe(3);
  expect(written().annotations).toMatchObject({ 'ebb.dev/mode': 'control' });
  cluster.server.refuse = ({ method, path }) => {
    const object = cluster.server.get(hpas, 'default', 'web');
    if (method === 'PUT' && path.endsWith('/web') && object) {
      cluster.server.put(hpas, { ...object, metadata: { ...objectAt(object, 'metadata'), labels: { by: 'others' } } });
    }
    return null;
  };
  await expect(giveBack(options('web'), { write: true })).rejects.toThrow('was changed by others just now');
  expect(written().annotations).toMatchObject({ 'ebb.dev/mode': 'control' });
  cluster.server.refuse = () => null;
});

it('waits until KEDA has taken its HPA away, so that never two are in charge', async () => {
  cluster.server.put(deployments, deployment('web', 1));
  cluster.server.put(objects, scaledObject('jobs'));
  const owner = { kind: 'ScaledObject', name: 'jobs' };
  const kedaHpa = {
    metadata: { name: 'keda-hpa-jobs', namespace: 'default', ownerReferences: [owner] },
    spec: { scaleTargetRef: { kind: 'Deployment', name: 'web' }, maxReplicas: 9 },
  };
  cluster.server.put(hpas, kedaHpa);
  await run();
  triggers.say('jobs', 50);
  await within(() => advised()?.wanted === 5, 'advice');
  await expect(takeOver(options('keda-hpa-jobs'), { write: true })).rejects.toThrow('KEDA made');
  await expect(takeOver(options('jobs', { waitMs: 50 }), { write: true })).rejects.toMatchObject({ changed: true });
  expect(count()).toBe(1);
  const taking = takeOver(options('jobs'), { write: true });
  cluster.server.remove(hpas, 'default', 'keda-hpa-jobs');
  await taking;
  await within(() => count() === 5, 'five');
  // Its mode is what it was once KEDA has its HPA, and not before.
  const annotations = () => objectAt(cluster.server.get(objects, 'default', 'jobs'), 'metadata', 'annotations');
  const giving = giveBack(options('jobs'), { write: true });
  await within(() => !('autoscaling.keda.sh/paused' in annotations()), 'KEDA to go on');
  await expect(giveBack(options('jobs', { waitMs: 0 }), { write: true })).rejects.toThrow('has not made its HPA');
  expect(annotations()).toMatchObject({ 'ebb.dev/mode': 'advice' });
  cluster.server.put(hpas, kedaHpa);
  await giving;
  expect(annotations()).toEqual({ 'ebb.dev/improvements': 'true' });
  triggers.say('jobs', 90);
  await within(() => advised()?.wanted === 9, 'advice again');
  expect(cluster.server.scales().map(({ replicas }) => replicas)).toEqual([5]);
});

it('takes over the Jobs of a ScaledJob, pauses KEDA for it, and gives both back', async () => {
  const scaledJobs = 'keda.sh/v1alpha1/scaledjobs';
  const jobs = () => cluster.server.list('batch/v1/jobs').length;
  cluster.server.put(scaledJobs, {
    metadata: { name: 'resize', namespace: 'default', annotations: { 'ebb.dev/improvements': 'true' } },
    spec: {
      jobTargetRef: { template: { spec: { containers: [{ name: 'main', image: 'resize' }] } } },
      triggers: [{ type: 'redis', metadata: { address: '127.0.0.1:1', listName: 'l' } }],
    },
  });
  const advised = () =>
    started[0]?.operator
      .leading()
      ?.advice()
      .find(({ document }) => document === 'ScaledJob/resize');
  const annotations = () => objectAt(cluster.server.get(scaledJobs, 'default', 'resize'), 'metadata', 'annotations');
  const before = annotations();
  await run();
  triggers.say('resize', 20);
  await within(() => advised()?.advised.wanted === 2, 'advice');
  expect(await takeOver(options('resize'), { write: false })).toMatchObject({ target: 'Job/resize' });
  expect(jobs()).toBe(0);
  await takeOver(options('resize', { kind: 'ScaledJob' }), { write: true });
  expect(annotations()).toMatchObject({ 'autoscaling.keda.sh/paused': 'true', 'ebb.dev/mode': 'control' });
  await within(() => jobs() === 2, 'two Jobs');
  await giveBack(options('resize'), { write: true });
  expect(annotations()).toEqual(before);
  triggers.say('resize', 70);
  await within(() => advised()?.advised.wanted === 7, 'advice again');
  expect(jobs()).toBe(2);
});

it('refuses what would leave a target without anybody, or with two', async () => {
  cluster.server.put(deployments, deployment('web', 2));
  cluster.server.put(hpas, hpa(50));
  const before = written();
  const refusal = async (name: string) => {
    const error = await takeOver(options(name), { write: true }).catch((one: unknown) => one);
    expect(error).toBeInstanceOf(HandOverRefused);
    return isObject(error) || error instanceof Error ? String(error) : '';
  };
  expect(await refusal('web')).toContain('no operator holds the lease default/ebb');
  expect(await refusal('nobody')).toContain(
    'there is no ScaledObject, HorizontalPodAutoscaler or ScaledJob "nobody" in the namespace default',
  );
  await run();
  cluster.server.put(hpas, { ...hpa(50), metadata: { name: 'second', namespace: 'default' } });
  expect(await refusal('web')).toContain('Deployment/web is scaled by the HorizontalPodAutoscaler second too');
  cluster.server.put(
    objects,
    scaledObject('jobs', { annotations: { 'autoscaling.keda.sh/paused': 'true' }, target: 'x' }),
  );
  expect(await refusal('jobs')).toContain('is paused by autoscaling.keda.sh/paused');
  cluster.server.put(objects, scaledObject('web', { target: 'y' }));
  expect(await refusal('web')).toContain('there is a ScaledObject and a HorizontalPodAutoscaler "web"');
  expect(written()).toEqual(before);
});
