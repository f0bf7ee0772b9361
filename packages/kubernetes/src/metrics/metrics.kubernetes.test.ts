import { request } from 'node:https';
import {
  available,
  freePort,
  type KubernetesCluster,
  type RedisService,
  startKubernetes,
  startRedis,
  until,
} from '@ebb/testing/services';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCluster } from '../client/kubeConfig.ts';
import { applyRights, kubeconfigOfAccount } from '../fake/installedRights.fixture.ts';
import {
  deploymentsPath,
  installKeda,
  readDeployment,
  realTriggers,
  redisObject,
  scaledObjectsPath,
} from '../fake/kedaCluster.fixture.ts';
import { runOperator, type StartedOperator } from '../fake/operator.fixture.ts';
import { startPodMetrics } from '../fake/podMetrics.fixture.ts';
import { installManifests } from '../manifests/install.ts';
import { externalMetricsName, externalMetricsService, type Manifest } from '../manifests/settings.ts';

const present = available('kubernetes') && available('redis');
const namespace = 'ebb-metrics';
const rbac = '/apis/rbac.authorization.k8s.io/v1';
const apiServicePath = `/apis/apiregistration.k8s.io/v1/apiservices/${externalMetricsName}`;
const externalPath = '/apis/external.metrics.k8s.io/v1beta1';
const hpasPath = '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers';

/** With the rights that are installed, and no others. */
describe.skipIf(!present)('metrics on a real API server', () => {
  let cluster: KubernetesCluster;
  let redis: RedisService;
  let one: StartedOperator | null = null;
  let port = 0;

  beforeAll(async () => {
    [cluster, redis, port] = await Promise.all([startKubernetes(), startRedis(), freePort()]);
    await cluster.addNodes(4);
    await installKeda(cluster.api);
    const manifests = installManifests({ namespace, withoutKinds: true, externalMetrics: 'true' });
    await applyRights(cluster.api, manifests);
    // Its lease is in the namespace `default` here.
    const ownRights = manifests.filter(({ kind, metadata }) => kind.startsWith('Role') && metadata.name === 'ebb');
    await applyRights(cluster.api, ownRights, 'default');
    // The operator runs beside the cluster: the Service leads out of it, and another adapter has the API at first.
    await cluster.api.post(`/api/v1/namespaces/${namespace}/services`, {
      metadata: { name: externalMetricsService },
      spec: { type: 'ExternalName', externalName: 'localhost', ports: [{ port }] },
    });
    const registration = manifests.find(({ kind }) => kind === 'APIService') as Manifest & { spec: object };
    await cluster.api.post('/apis/apiregistration.k8s.io/v1/apiservices', {
      ...registration,
      spec: { ...registration.spec, service: { namespace: 'keda', name: 'keda-metrics-apiserver', port: 443 } },
    });
    const { transport, server } = await openCluster({ path: await kubeconfigOfAccount(cluster, namespace, 'ebb') });
    const service = { namespace, name: externalMetricsService };
    one = await runOperator({
      ...{ server, identity: 'a', triggers: realTriggers, transport, leaseMs: 60_000 },
      externalMetrics: { host: '127.0.0.1', port, service, podName: null },
    });
    await one.operator.ready;
  });
  afterAll(async () => {
    await one?.stop();
    await redis?.stop();
    await cluster?.close();
  });

  const within = (check: () => Promise<boolean> | boolean, what: string, withinMs = 120_000) =>
    until(check, { withinMs, what: () => `${what}\n${one?.log.slice(-20).join('\n')}` });
  const deploy = (name: string, replicas: number) => {
    const labels = { app: name };
    const containers = [{ name: 'main', image: 'worker', resources: { requests: { cpu: '100m', memory: '64Mi' } } }];
    return cluster.api.post(deploymentsPath, {
      metadata: { name },
      spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
    });
  };
  const replicas = async (name: string) => (await readDeployment(cluster.api, name)).spec.replicas;
  const status = async (name: string) => {
    const object = await cluster.api.get<{
      status?: { conditions?: { type: string; status: string; message?: string }[] };
    }>(`${scaledObjectsPath}/${name}`);
    return object.status?.conditions?.find(({ type }) => type === 'Ready');
  };

  it('scales by the CPU that pods use, with the arithmetic of HPA, and says what is missing', async () => {
    await deploy('web', 2);
    await cluster.api.post(scaledObjectsPath, {
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'ScaledObject',
      metadata: { name: 'web', annotations: { 'ebb.dev/improvements': 'true' } },
      spec: {
        scaleTargetRef: { name: 'web' },
        minReplicaCount: 1,
        maxReplicaCount: 9,
        advanced: {
          horizontalPodAutoscalerConfig: { behavior: { scaleDown: { stabilizationWindowSeconds: 0 } } },
        },
        triggers: [{ type: 'cpu', metricType: 'Utilization', metadata: { value: '50' } }],
      },
    });
    await within(async () => (await status('web'))?.status === 'False', 'the error');
    expect((await status('web'))?.message).toContain('install metrics-server');
    expect(await replicas('web')).toBe(2);
    const metrics = await startPodMetrics(cluster.api);
    try {
      // 300m of 2 × 100m are 150 %, three times what is aimed at.
      metrics.cpuMilli = 300;
      await within(async () => (await replicas('web')) === 6, 'six');
      await within(async () => (await status('web'))?.status === 'True', 'all well');
      expect(new Set(metrics.asked)).toEqual(new Set(['app=web']));
      // 16 % for each of six are 48 % for each of two, and not 16 % of those that are left.
      metrics.cpuMilli = 96;
      await within(async () => (await replicas('web')) === 2, 'two');
    } finally {
      await metrics.close();
    }
    await within(async () => (await status('web'))?.status === 'False', 'the error again');
    expect(await replicas('web')).toBe(2);
    await cluster.api.delete(`${scaledObjectsPath}/web`);
  });

  it('leaves the external metrics API to another adapter, and says whose it is', async () => {
    await within(
      () => one?.log.join('\n').includes('the Service keda/keda-metrics-apiserver already') === true,
      'the other one',
    );
    const { spec } = await cluster.api.get<{ spec: object }>(apiServicePath);
    expect(spec).not.toHaveProperty('caBundle');
  });

  it('serves the external metrics API, and a real HPA follows it', async () => {
    await cluster.api.patch(apiServicePath, {
      spec: { service: { namespace, name: externalMetricsService, port } },
    });
    await within(async () => (await cluster.api.send('GET', externalPath)).status === 200, 'the API');
    for (const name of ['api', 'follower']) await deploy(name, 1);
    const object = redisObject('api', redis.address) as { metadata: { annotations: Record<string, string> } };
    object.metadata.annotations['ebb.dev/mode'] = 'advice';
    await cluster.api.post(scaledObjectsPath, object);
    const hpa = (name: string, metric: object, averageValue: string) =>
      cluster.api.post(hpasPath, {
        metadata: { name },
        spec: {
          scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
          minReplicas: 1,
          maxReplicas: 20,
          metrics: [{ type: 'External', external: { metric, target: { type: 'AverageValue', averageValue } } }],
        },
      });
    const ofObject = { matchLabels: { 'scaledobject.keda.sh/name': 'api' } };
    await hpa('api', { name: 's0-redis-api', selector: ofObject }, '10');
    await hpa('follower', { name: 'ebb-replicas', selector: { matchLabels: { 'ebb.dev/workload': 'api' } } }, '1');
    await redis.cli(['rpush', 'api', ...Array.from({ length: 35 }, (_, index) => `m${index}`)]);
    for (const name of ['api', 'follower'])
      await within(async () => (await replicas(name)) === 4, `four of ${name}`, 180_000);
    const path = `${externalPath}/namespaces/default/s0-redis-api?labelSelector=scaledobject.keda.sh%2Fname%3Dapi`;
    expect(await cluster.api.get(path)).toMatchObject({ items: [{ metricName: 's0-redis-api', value: '35' }] });
    const nobody = await cluster.api.send('GET', path.replace('Dapi', 'Dnobody'));
    expect([nobody.status, nobody.text]).toEqual([404, expect.stringContaining('there is no ScaledObject nobody')]);
    expect(one?.log.join('\n')).not.toContain('forbidden');
  });

  it('reads the metrics of an adapter once it may', async () => {
    await deploy('reader', 1);
    const metadata = { metricName: 'ebb-replicas', metricSelector: 'ebb.dev/workload=api', targetValue: '1' };
    const object = redisObject('reader', redis.address) as { spec: Record<string, unknown> };
    object.spec.triggers = [{ type: 'kubernetes-metrics', metadata }];
    object.spec.pollingInterval = 1;
    await cluster.api.post(scaledObjectsPath, object);
    await within(
      async () => (await status('reader'))?.message?.includes('give the operator that right') === true,
      'the error',
    );
    expect(await replicas('reader')).toBe(1);
    const rules = [{ apiGroups: ['external.metrics.k8s.io'], resources: ['ebb-replicas'], verbs: ['list'] }];
    await cluster.api.post(`${rbac}/namespaces/default/roles`, { metadata: { name: 'metrics' }, rules });
    await cluster.api.post(`${rbac}/namespaces/default/rolebindings`, {
      metadata: { name: 'metrics' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'metrics' },
      subjects: [{ kind: 'ServiceAccount', name: 'ebb', namespace }],
    });
    await within(async () => (await replicas('reader')) === 4, 'four');
  });

  it('answers the API server alone', async () => {
    const ask = () =>
      new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
        const sent = request({ host: '127.0.0.1', port, path: externalPath, rejectUnauthorized: false }, (answer) => {
          let text = '';
          answer.on('data', (part: Buffer) => (text += part.toString()));
          answer.on('end', () => resolve({ status: answer.statusCode, text }));
        });
        sent.on('error', reject);
        sent.end();
      });
    expect(await ask()).toMatchObject({ status: 401, text: expect.stringContaining('only the API server may ask') });
  });
});
