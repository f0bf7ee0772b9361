import {
  available,
  type KubernetesCluster,
  type RedisService,
  startKubernetes,
  startRedis,
  until,
} from '@ebb/testing/services';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCluster } from '../client/kubeConfig.ts';
import { applyRights, kubeconfigOfAccount } from '../fake/installedRights.fixture.ts';
import { installScaledJobs, jobsPath, scaledJobsPath } from '../fake/jobWorkers.fixture.ts';
import {
  createDeployment,
  installKeda,
  readDeployment,
  realTriggers,
  redisObject,
  scaledObjectsPath,
} from '../fake/kedaCluster.fixture.ts';
import { runOperator, type StartedOperator } from '../fake/operator.fixture.ts';
import { installManifests } from '../manifests/install.ts';

const present = available('kubernetes') && available('redis');
const namespace = 'ebb-rights';
const fleetsPath = '/apis/example.dev/v1/namespaces/default/fleets';

const fleetKind = {
  metadata: { name: 'fleets.example.dev' },
  spec: {
    group: 'example.dev',
    names: { kind: 'Fleet', listKind: 'FleetList', plural: 'fleets', singular: 'fleet' },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        subresources: {
          scale: {
            specReplicasPath: '.spec.replicas',
            statusReplicasPath: '.status.replicas',
            labelSelectorPath: '.status.selector',
          },
        },
      },
    ],
  },
};

describe.skipIf(!present)('with the rights that are installed', () => {
  let cluster: KubernetesCluster;
  let redis: RedisService;
  let one: StartedOperator | null = null;

  beforeAll(async () => {
    [cluster, redis] = await Promise.all([startKubernetes(), startRedis()]);
    await cluster.addNodes(2);
    await installKeda(cluster.api);
    await installScaledJobs(cluster.api);
    await cluster.api.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', fleetKind);
    await until(async () => (await cluster.api.send('GET', fleetsPath)).status === 200, {
      withinMs: 60_000,
      what: () => 'the kind Fleet',
    });
    const manifests = installManifests({ namespace, withoutKinds: true });
    await applyRights(cluster.api, manifests);
    // Its lease is in the namespace `default` here.
    const ownRights = manifests.filter(({ kind }) => kind.startsWith('Role'));
    await applyRights(cluster.api, ownRights, 'default');
    const { transport, server } = await openCluster({ path: await kubeconfigOfAccount(cluster, namespace, 'ebb') });
    one = await runOperator({ server, identity: 'a', triggers: realTriggers, transport, leaseMs: 60_000 });
    await one.operator.ready;
  });
  afterAll(async () => {
    await one?.stop();
    await redis?.stop();
    await cluster?.close();
  });

  const within = (check: () => Promise<boolean> | boolean, what: string, withinMs = 120_000) =>
    until(check, { withinMs, what: () => `${what}\n${one?.log.slice(-20).join('\n')}` });
  const ready = async (path: string) => {
    const { status } = await cluster.api.get<{
      status?: { conditions?: { type: string; status: string; reason: string; message: string }[] };
    }>(path);
    const found = status?.conditions?.find(({ type }) => type === 'Ready');
    return found ? `${found.status} ${found.reason}: ${found.message}` : '';
  };
  const push = (list: string, count: number) =>
    redis.cli(['rpush', list, ...Array.from({ length: count }, (_, index) => `m${index}`)]);

  it('makes Jobs of a ScaledJob, keeps its history, and owns them', async () => {
    const triggers = [{ type: 'redis', metadata: { address: redis.address, listName: 'videos', listLength: '1' } }];
    await cluster.api.post(scaledJobsPath, {
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'ScaledJob',
      metadata: { name: 'encoder', annotations: { 'ebb.dev/improvements': 'true' } },
      spec: {
        jobTargetRef: { template: { spec: { containers: [{ name: 'encoder', image: 'encoder:1' }] } } },
        pollingInterval: 1,
        successfulJobsHistoryLimit: 1,
        maxReplicaCount: 5,
        triggers,
      },
    });
    await within(async () => (await ready(`${scaledJobsPath}/encoder`)).startsWith('True'), 'the status');
    const jobs = async () => (await cluster.api.get<{ items: unknown[] }>(jobsPath)).items.length;
    await push('videos', 4);
    await within(async () => (await jobs()) >= 4, 'Jobs');
    await redis.cli(['del', 'videos']);
    // KWOK's pods end at once: what is beyond the history goes at the next poll.
    await within(async () => (await jobs()) === 1, 'one kept');
    await cluster.api.delete(`${scaledJobsPath}/encoder`);
    // Whose kinds it learns of every half minute.
    await within(async () => (await jobs()) === 0, 'the garbage collector', 180_000);
    expect(one?.log.join('\n')).not.toContain('forbidden');
  });

  it('lets what is deleted go though KEDA, whose finalizer is on it, is switched off', async () => {
    const finalizers = ['finalizer.keda.sh'];
    const triggers = [{ type: 'redis', metadata: { address: redis.address, listName: 'left', listLength: '1' } }];
    const template = { spec: { containers: [{ name: 'main', image: 'i' }] } };
    await cluster.api.post(scaledJobsPath, {
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'ScaledJob',
      metadata: { name: 'left', finalizers },
      spec: { jobTargetRef: { template }, triggers },
    });
    await createDeployment(cluster.api, 'left', 4);
    const object = redisObject('left', redis.address, { list: 'left' });
    const advanced = { restoreToOriginalReplicaCount: true };
    await cluster.api.post(scaledObjectsPath, {
      ...object,
      metadata: { name: 'left', annotations: { 'ebb.dev/improvements': 'true' }, finalizers },
      spec: { ...(object.spec as object), advanced },
    });
    const paths = [`${scaledJobsPath}/left`, `${scaledObjectsPath}/left`];
    const replicas = async () => (await readDeployment(cluster.api, 'left')).spec.replicas;
    await within(async () => (await replicas()) < 4, 'it to be scaled');
    await within(async () => (await ready(paths[0] ?? '')).startsWith('True'), 'the status');
    for (const path of paths) await cluster.api.delete(path);
    await within(async () => (await replicas()) === 4, 'the count that was found');
    for (const path of paths) {
      await within(async () => (await cluster.api.send('GET', path)).status === 404, `the end of ${path}`);
    }
    expect(one?.log.join('\n')).not.toContain('forbidden');
  });

  it('waits for the right to scale another kind, and goes on by itself when it is given', async () => {
    await cluster.api.post(fleetsPath, {
      apiVersion: 'example.dev/v1',
      kind: 'Fleet',
      metadata: { name: 'fleet' },
      spec: { replicas: 0, template: { spec: { containers: [{ name: 'main', image: 'i' }] } } },
      status: { selector: 'app=fleet', replicas: 0 },
    });
    const object = redisObject('fleet', redis.address) as { spec: Record<string, unknown> };
    object.spec.scaleTargetRef = { apiVersion: 'example.dev/v1', kind: 'Fleet', name: 'fleet' };
    await cluster.api.post(scaledObjectsPath, object);
    await createDeployment(cluster.api, 'web', 0);
    await cluster.api.post(scaledObjectsPath, redisObject('web', redis.address));
    const path = `${scaledObjectsPath}/fleet`;
    await within(async () => (await ready(path)).startsWith('False MissingPermission'), 'the condition');
    expect(await ready(path)).toContain('--scale-kind example.dev/fleets');
    await push('web', 20);
    await push('fleet', 30);
    await within(async () => (await readDeployment(cluster.api, 'web')).spec.replicas === 2, 'the other one');
    const manifests = installManifests({ namespace, withoutKinds: true, scaleKinds: ['example.dev/fleets'] });
    await applyRights(cluster.api, manifests);
    const replicas = async () =>
      (await cluster.api.get<{ spec: { replicas: number } }>(`${fleetsPath}/fleet`)).spec.replicas;
    await within(async () => (await replicas()) === 3, 'three');
    await within(async () => (await ready(path)).startsWith('True'), 'all well');
  });
});
