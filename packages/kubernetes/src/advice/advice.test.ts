import { MemoryStore } from '@ebb/testing';
import { beforeEach, expect, it } from 'vitest';
import { type JsonObject, numberAt, objectAt, textAt } from '../client/values.ts';
import { deployment, type FakeCluster } from '../fake/fakeCluster.fixture.ts';
import { fakeOperators } from '../fake/fakeOperators.fixture.ts';
import { scaledObject, type ToldTriggers } from '../fake/operator.fixture.ts';
import { readComparison } from './comparison.ts';

const deployments = 'apps/v1/deployments';
const objects = 'keda.sh/v1alpha1/scaledobjects';
const hpas = 'autoscaling/v2/horizontalpodautoscalers';
const operators = fakeOperators({ podsReadyAfterMs: 5, shown: () => JSON.stringify(writes()) });
const { started, run, within } = operators;
let cluster: FakeCluster;
let triggers: ToldTriggers;
beforeEach(() => {
  ({ cluster, triggers } = operators);
});

const count = (name = 'web') => numberAt(cluster.server.get(deployments, 'default', name), 'spec', 'replicas');
/** Every write that the API server saw, but for those of the lease. */
const writes = () => [
  ...new Set(
    cluster.server.seen
      .filter(({ method, path }) => method !== 'GET' && !path.includes('/leases'))
      .map(({ method, path }) => `${method} ${path}`),
  ),
];
const advice = (name = 'web') =>
  started[0]?.operator
    .leading()
    ?.advice()
    .find((one) => one.name === name);
const configMap = () => cluster.server.get('v1/configmaps', 'default', 'ebb-advice');
const ownConfigMap = 'PATCH /api/v1/namespaces/default/configmaps/ebb-advice';

interface HpaOptions {
  target?: string;
  annotations?: Record<string, string>;
  utilization?: number;
  replicas?: number;
  labels?: Record<string, string>;
}

function hpa(name: string, options: HpaOptions = {}): JsonObject {
  const { target = 'web', annotations = {}, utilization = 50, replicas = 1, labels = {} } = options;
  return {
    metadata: { name, namespace: 'default', annotations: { 'ebb.dev/improvements': 'true', ...annotations }, labels },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: target },
      minReplicas: 1,
      maxReplicas: 12,
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
      ],
    },
    status: {
      currentReplicas: replicas,
      desiredReplicas: replicas,
      currentMetrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', current: { averageUtilization: utilization, averageValue: '250m' } },
        },
      ],
    },
  };
}

it('decides live for a ScaledObject and an HPA that others act on, and writes nothing but its own ConfigMap', async () => {
  cluster.server.put(deployments, deployment('web', 1));
  cluster.server.put(deployments, deployment('site', 2));
  cluster.server.put(objects, scaledObject('jobs'));
  // KEDA's own HPA is no document of its own, and no conflict either.
  cluster.server.put(hpas, hpa('keda-hpa-jobs', { labels: { 'app.kubernetes.io/managed-by': 'keda-operator' } }));
  cluster.server.put(hpas, hpa('site', { target: 'site', replicas: 2 }));
  await run({ mode: 'advice' });
  triggers.say('jobs', 100);
  await within(() => advice()?.advised.ready === 10, 'ten imagined');
  await within(() => advice('site')?.advised.wanted === 2, 'two for the HPA');
  // Two replicas at 150 % of 50 %: six are needed.
  cluster.server.put(hpas, hpa('site', { target: 'site', replicas: 2, utilization: 150 }));
  await within(() => advice('site')?.advised.wanted === 6, 'six for the HPA');
  // The one in charge comes later.
  cluster.server.put(deployments, deployment('web', 7));
  await within(() => advice()?.actual.ready === 7, 'what happened');
  await within(() => textAt(configMap(), 'data', 'default.site') !== null, 'the ConfigMap');
  await within(() => {
    const shown = readComparison(JSON.parse(textAt(configMap(), 'data', 'default.web') ?? '{}'));
    return shown?.actual.ready === 7 && shown.advised.wanted === 10;
  }, 'both sides in it');
  const shown = advice();
  expect(shown).toMatchObject({ document: 'ScaledObject/jobs', target: 'Deployment/web' });
  expect(shown?.because).not.toBe('');
  expect(shown?.actualTotals.shortMs).toBeGreaterThan(shown?.advisedTotals.shortMs ?? Number.POSITIVE_INFINITY);
  expect(shown?.actualTotals.changes).toBe(1);
  expect(advice('site')?.document).toBe('HorizontalPodAutoscaler/site');
  expect([count(), count('site')]).toEqual([7, 2]);
  expect(writes()).toEqual([ownConfigMap]);
});

it('counts a pod no more that has been given to somebody else by its labels', async () => {
  cluster.server.put(deployments, deployment('web', 2));
  cluster.server.put(deployments, deployment('site', 1));
  cluster.server.put(objects, scaledObject('jobs'));
  cluster.server.put(hpas, hpa('site', { target: 'site' }));
  await run({ mode: 'advice' });
  await within(() => advice()?.actual.ready === 2 && advice('site')?.actual.ready === 1, 'both');
  cluster.server.podsReadyAfterMs = null;
  const [pod] = cluster.server.list('v1/pods').filter((one) => textAt(one, 'metadata', 'labels', 'app') === 'web');
  const relabel = (app: string) =>
    pod && cluster.server.put('v1/pods', { ...pod, metadata: { ...objectAt(pod, 'metadata'), labels: { app } } });
  relabel('site');
  await within(() => advice()?.actual.live === 1 && advice('site')?.actual.live === 2, 'one that went over');
  relabel('nobody');
  await within(() => advice('site')?.actual.live === 1, 'one that left');
  relabel('web');
  await within(() => advice()?.actual.live === 2, 'one that came back');
});

it('reads a metric of an HPA that is below zero', async () => {
  cluster.server.put(deployments, deployment('site', 3));
  const external = { metric: { name: 'balance' }, target: { type: 'AverageValue', averageValue: '10' } };
  const below = (averageValue: string) => {
    const one = hpa('site', { target: 'site', replicas: 3 });
    return {
      ...one,
      spec: { ...objectAt(one, 'spec'), metrics: [{ type: 'External', external }] },
      status: {
        currentReplicas: 3,
        currentMetrics: [{ type: 'External', external: { metric: external.metric, current: { averageValue } } }],
      },
    };
  };
  cluster.server.put(hpas, below('20'));
  await run({ mode: 'advice' });
  await within(() => advice('site')?.advised.wanted === 6, 'six');
  cluster.server.put(hpas, below('-500m'));
  const key = { cluster: 'local', namespace: 'default', name: 'site.hpa' };
  const trigger = () => started[0]?.operator.leading()?.engine.scaledObject(key)?.triggers[0];
  await within(() => trigger()?.value === -1.5, 'minus a half of each of three');
  expect(trigger()?.state).toBe('ok');
});

it('writes to none when what it advises on goes, asks to be restored, or is scaled to zero by others', async () => {
  cluster.server.put(deployments, deployment('web', 3));
  cluster.server.put(objects, scaledObject('jobs', { spec: { advanced: { restoreToOriginalReplicaCount: true } } }));
  await run({ mode: 'advice' });
  triggers.say('jobs', 50);
  await within(() => advice()?.advised.wanted === 5, 'five');
  cluster.server.put(deployments, deployment('web', 0));
  await within(() => advice()?.actual.live === 0, 'none');
  triggers.say('jobs', 0);
  await within(() => advice()?.advised.wanted === 0, 'none either');
  cluster.server.remove(objects, 'default', 'jobs');
  await within(() => advice() === undefined, 'to be forgotten');
  expect(count()).toBe(0);
  expect(writes()).toEqual([ownConfigMap]);
});

it('is told by each object which mode it is in, and changes over without a wrong count', async () => {
  cluster.server.put(deployments, deployment('web', 4));
  const annotated = (mode: string) => scaledObject('jobs', { annotations: { 'ebb.dev/mode': mode } });
  cluster.server.put(objects, annotated('advice'));
  await run();
  triggers.say('jobs', 60);
  await within(() => advice()?.advised.wanted === 6, 'six advised');
  expect(count()).toBe(4);
  // A slip of the pen is no order to write.
  cluster.server.put(objects, annotated('Control'));
  triggers.say('jobs', 70);
  await within(() => advice()?.advised.wanted === 7, 'seven advised');
  expect(cluster.server.scales()).toEqual([]);
  cluster.server.put(objects, annotated('control'));
  await within(() => count() === 7, 'seven');
  expect(advice()).toBeUndefined();
  cluster.server.put(objects, annotated('advice'));
  await within(() => advice()?.actual.wanted === 7, 'advice again');
  triggers.say('jobs', 20);
  await within(() => advice()?.advised.wanted === 2, 'two advised');
  expect(cluster.server.scales().map(({ replicas }) => replicas)).toEqual([7]);
});

it('leaves HPAs alone that nobody asked for advice on, and is refused beside one that scales', async () => {
  cluster.server.put(deployments, deployment('web', 1));
  cluster.server.put(hpas, hpa('web'));
  cluster.server.put('ebb.dev/v1alpha1/workloads', {
    metadata: { name: 'web', namespace: 'default' },
    spec: { classes: [{ command: ['pod'] }], scaling: { minReplicas: 2, maxReplicas: 4 } },
  });
  await run();
  const status = () => JSON.stringify(cluster.server.get('ebb.dev/v1alpha1/workloads', 'default', 'web')?.status ?? '');
  await within(() => status().includes('ScaleConflict'), 'the refusal');
  expect(status()).toContain('Deployment web is scaled by the HorizontalPodAutoscaler web already');
  expect([advice(), count()]).toEqual([undefined, 1]);
  cluster.server.remove(hpas, 'default', 'web');
  await within(() => count() === 2, 'two');
});

it('holds what it advises while an HPA cannot read its metrics, and goes on counting after a restart', async () => {
  cluster.server.put(deployments, deployment('web', 2));
  cluster.server.put(hpas, hpa('web', { replicas: 2, utilization: 100 }));
  const embedded = new MemoryStore();
  const first = await run({ mode: 'advice', embedded });
  await within(() => advice()?.advised.wanted === 4, 'four');
  const failing = hpa('web', { replicas: 2 });
  const condition = {
    type: 'ScalingActive',
    status: 'False',
    reason: 'FailedGetResourceMetric',
    message: 'no metrics',
  };
  cluster.server.put(hpas, { ...failing, status: { currentReplicas: 2, conditions: [condition] } });
  const key = { cluster: 'local', namespace: 'default', name: 'web.hpa' };
  const told = () => JSON.stringify(first.operator.leading()?.engine.scaledObject(key) ?? '');
  await within(() => told().includes('no metrics'), 'the failure');
  expect(advice()?.advised.wanted).toBe(4);
  const before = advice();
  await first.stop();
  started.length = 0;
  await run({ mode: 'advice', embedded });
  await within(() => advice() !== undefined, 'advice');
  expect(advice()?.sinceMs).toBe(before?.sinceMs);
  expect(advice()?.actualTotals.replicaMs).toBeGreaterThanOrEqual(before?.actualTotals.replicaMs ?? 0);
  expect(advice()?.advised.wanted).toBeGreaterThanOrEqual(2);
  expect(writes().filter((write) => write !== ownConfigMap)).toEqual([]);
});
