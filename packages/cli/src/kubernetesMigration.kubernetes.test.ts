import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClusterOperator, startClusterOperator } from '@ebb/controller';
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
import { runMain } from './runMain.fixture.ts';

const kinds: [group: string, version: string, kind: string, plural: string, scope: string][] = [
  ['keda.sh', 'v1alpha1', 'ScaledObject', 'scaledobjects', 'Namespaced'],
  ['keda.sh', 'v1alpha1', 'ScaledJob', 'scaledjobs', 'Namespaced'],
  ['keda.sh', 'v1alpha1', 'TriggerAuthentication', 'triggerauthentications', 'Namespaced'],
  ['keda.sh', 'v1alpha1', 'ClusterTriggerAuthentication', 'clustertriggerauthentications', 'Cluster'],
  ['http.keda.sh', 'v1alpha1', 'HTTPScaledObject', 'httpscaledobjects', 'Namespaced'],
  ['autoscaling.k8s.io', 'v1', 'VerticalPodAutoscaler', 'verticalpodautoscalers', 'Namespaced'],
  ['serving.knative.dev', 'v1', 'Service', 'services', 'Namespaced'],
  ['serving.kserve.io', 'v1beta1', 'InferenceService', 'inferenceservices', 'Namespaced'],
  ['karpenter.sh', 'v1', 'NodePool', 'nodepools', 'Cluster'],
  ['karpenter.k8s.aws', 'v1', 'EC2NodeClass', 'ec2nodeclasses', 'Cluster'],
];
const pathOf = ([group, version, , plural, scope]: (typeof kinds)[number]) =>
  `/apis/${group}/${version}/${scope === 'Cluster' ? '' : 'namespaces/default/'}${plural}`;
const definition = ([group, name, kind, plural, scope]: (typeof kinds)[number]) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: `${plural}.${group}`,
    ...(group.endsWith('.k8s.io') ? { annotations: { 'api-approved.kubernetes.io': 'unapproved, for tests' } } : {}),
  },
  spec: {
    group,
    scope,
    names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
    versions: [
      {
        ...{ name, served: true, storage: true, subresources: { status: {} } },
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
});
const container = (image: string) => ({
  ...{ name: 'main', image, command: ['work'], env: [{ name: 'PASSWORD', value: 'sesame' }] },
  resources: { requests: { cpu: '100m', memory: '64Mi' } },
});
const reference = (name: string) => ({ apiVersion: 'apps/v1', kind: 'Deployment', name });

describe.skipIf(!(available('kubernetes') && available('redis')))('from a cluster to Ebb in charge', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ebb-migration-'));
  let cluster: KubernetesCluster;
  let redis: RedisService;
  let operator: ClusterOperator | null = null;
  const said: string[] = [];

  beforeAll(async () => {
    [cluster, redis] = await Promise.all([startKubernetes(), startRedis()]);
    const { api } = cluster;
    await cluster.addNodes(4);
    for (const kind of kinds)
      await api.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition(kind));
    for (const kind of kinds) {
      const path = pathOf(kind);
      await until(async () => (await api.send('GET', path)).status === 200, { withinMs: 60_000, what: () => path });
    }
    await createAll();
  });
  afterAll(async () => {
    await operator?.stop();
    await redis?.stop();
    await cluster?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function createAll(): Promise<void> {
    const { api } = cluster;
    const post = (kind: string, name: string, spec: object, more: object = {}) => {
      const found = kinds.find((one) => one[2] === kind);
      if (!found) throw new Error(kind);
      const [group, version] = found;
      return api.post(pathOf(found), { apiVersion: `${group}/${version}`, kind, metadata: { name, ...more }, spec });
    };
    for (const [name, replicas, image] of [
      ['site', 2, 'shop/site:7'],
      ['orders', 1, 'shop/orders:3'],
      ['alone', 1, 'shop/alone:1'],
      ['cluster-autoscaler', 1, 'registry.k8s.io/autoscaling/cluster-autoscaler:v1.33.0'],
    ] as const) {
      const labels = { app: name };
      const made = {
        ...container(image),
        ...(name === 'cluster-autoscaler' ? { command: ['./cluster-autoscaler', '--nodes=0:3:web'] } : {}),
      };
      await api.post('/apis/apps/v1/namespaces/default/deployments', {
        metadata: { name },
        spec: {
          replicas,
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers: [made] } },
        },
      });
    }
    await api.post('/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers', {
      metadata: { name: 'site' },
      spec: {
        scaleTargetRef: reference('site'),
        ...{ minReplicas: 2, maxReplicas: 8 },
        metrics: [
          { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } },
        ],
      },
    });
    const redisTrigger = (listName: string) => ({
      type: 'redis',
      metadata: { address: redis.address, listName, listLength: '10' },
    });
    await post('ScaledObject', 'orders', { scaleTargetRef: { name: 'orders' }, triggers: [redisTrigger('orders')] });
    await post('ScaledJob', 'resize', {
      jobTargetRef: { template: { spec: { restartPolicy: 'Never', containers: [container('shop/resize:1')] } } },
      pollingInterval: 1,
      triggers: [redisTrigger('pictures')],
    });
    const credentials = { secretTargetRef: [{ parameter: 'password', name: 'redis', key: 'password' }] };
    await post('TriggerAuthentication', 'redis', credentials);
    await post('ClusterTriggerAuthentication', 'redis', credentials);
    await post('VerticalPodAutoscaler', 'orders', { targetRef: reference('orders') });
    await post('HTTPScaledObject', 'front', {
      hosts: ['shop.example'],
      scaleTargetRef: { name: 'alone', kind: 'Deployment', apiVersion: 'apps/v1', service: 'alone', port: 80 },
      replicas: { min: 0, max: 5 },
    });
    const annotations = { 'autoscaling.knative.dev/max-scale': '5', 'autoscaling.knative.dev/target': '20' };
    await post('Service', 'search', {
      template: { metadata: { annotations }, spec: { containers: [container('shop/search:2')] } },
    });
    await post('InferenceService', 'vision', {
      predictor: {
        minReplicas: 0,
        maxReplicas: 3,
        scaleTarget: 2,
        model: { modelFormat: { name: 'onnx' }, storageUri: 's3://models/vision' },
      },
    });
    await post('NodePool', 'gpu', {
      weight: 3,
      template: { spec: { nodeClassRef: { group: 'karpenter.k8s.aws', kind: 'EC2NodeClass', name: 'gpu' } } },
    });
    await post('EC2NodeClass', 'gpu', { role: 'nodes' });
  }

  const ebb = async (...words: string[]) => {
    const done = await runMain(words, folder);
    said.push(`$ ebb ${words.join(' ').replaceAll(cluster.kubeconfig, '~/.kube/config')}\n${done.out}${done.err}`);
    return done;
  };
  const here = () => ['--kubeconfig', cluster.kubeconfig];

  it('imports every kind into documents that are valid together and can be rehearsed', async () => {
    const { code, out, err } = await ebb('import', 'kubernetes', ...here(), '--out', 'from-cluster');
    expect(code, out + err).toBe(0);
    const valid = await ebb('validate', '-f', 'from-cluster');
    expect(valid.code, valid.err).toBe(0);
    const files = readdirSync(join(folder, 'from-cluster'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name).slice(join(folder, 'from-cluster').length + 1))
      .sort();
    expect(files).toEqual([
      'README.md',
      ...files.filter((name) => name.startsWith('cluster/')),
      'default/httpscaledobject-front.yaml',
      'default/scaledjob-resize.yaml',
      'default/scaledobject-orders.yaml',
      'default/scaledobject-site.yaml',
      'default/triggerauthentication-redis.yaml',
      'default/verticalpodautoscaler-orders.yaml',
      'rehearsal/load.csv',
      'workloads/default-alone.yaml',
      'workloads/default-orders.yaml',
      'workloads/default-search.yaml',
      'workloads/default-site.yaml',
      'workloads/default-vision.yaml',
    ]);
    expect(files.filter((name) => name.startsWith('cluster/'))).toEqual(
      expect.arrayContaining([
        'cluster/clustertriggerauthentication-redis.yaml',
        'cluster/nodepool-gpu.yaml',
        'cluster/nodepool-web.yaml',
      ]),
    );
    for (const name of files)
      expect(readFileSync(join(folder, 'from-cluster', name), 'utf8'), name).not.toContain('sesame');
    const rehearsed = await ebb(
      ...['rehearse', '-f', 'from-cluster/workloads', '--trace', 'from-cluster/rehearsal/load.csv'],
      ...['--policies', 'ebb,always-on', '--price', '0.50', '--first', '8h', '--every', '10'],
    );
    expect(rehearsed.code, rehearsed.err).toBe(0);
    // Nothing is written over.
    expect((await ebb('import', 'kubernetes', ...here(), '--out', 'from-cluster')).code).toBe(2);
  });

  it('names what a user may not read, and goes on without it', async () => {
    const { api } = cluster;
    const rbac = '/apis/rbac.authorization.k8s.io/v1';
    await api.post('/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'reader' } });
    await api.post(`${rbac}/clusterroles`, {
      metadata: { name: 'reader' },
      rules: [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['list'] }],
    });
    await api.post(`${rbac}/clusterrolebindings`, {
      metadata: { name: 'reader' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' },
      subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace: 'default' }],
    });
    const { status } = await api.post<{ status: { token: string } }>(
      '/api/v1/namespaces/default/serviceaccounts/reader/token',
      {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds: 3600 },
      },
    );
    const kubeconfig = cluster.kubeconfigFor({ name: 'reader', token: status.token });
    const { code, out } = await runMain(['import', 'kubernetes', '--kubeconfig', kubeconfig, '-n', 'default'], folder);
    expect(code).toBe(1);
    expect(out).toContain(
      'ScaledObject.keda.sh was not read: this user lacks the right to list scaledobjects.keda.sh in the namespace default',
    );
    expect(out).toContain('Deployment default/site');
  });

  it('advises, takes over and gives back by the command line', async () => {
    const { api } = cluster;
    const lease = ['--lease', 'default/ebb'];
    operator = await startClusterOperator({
      kubeconfig: cluster.kubeconfig,
      namespace: null,
      advice: true,
      nodePools: null,
      lease: { namespace: 'default', name: 'ebb' },
      dataDirectory: join(folder, 'data'),
      health: { host: '127.0.0.1', port: await freePort() },
      log: () => {},
    });
    await operator.ready;
    const count = async () =>
      (await api.get<{ spec: { replicas: number } }>('/apis/apps/v1/namespaces/default/deployments/orders')).spec
        .replicas;
    const within = (check: () => Promise<boolean>, what: string) =>
      until(check, { withinMs: 120_000, what: () => `${what}\n${said.at(-1)}` });
    await redis.cli(['rpush', 'orders', ...Array.from({ length: 60 }, (_, index) => `m${index}`)]);
    await within(async () => {
      const { out } = await runMain(['kubernetes', 'advice', 'orders', ...here(), ...lease], folder);
      return /ebb +4 wanted/.test(out);
    }, 'advice of four');
    await redis.cli(['rpush', 'pictures', ...Array.from({ length: 25 }, (_, index) => `p${index}`)]);
    await within(async () => {
      const { out } = await runMain(['kubernetes', 'advice', 'resize', ...here(), ...lease], folder);
      return out.includes('0 → 3 Jobs');
    }, 'three Jobs of Ebb');
    const { out: listed } = await ebb('kubernetes', 'advice', ...here(), ...lease);
    expect(listed).toContain('Deployment/site');
    expect(listed).toMatch(/Job\/resize +ScaledJob\/resize .* 0 → 3\n/);
    await ebb('kubernetes', 'advice', 'resize', ...here(), ...lease);
    const json = await runMain(['kubernetes', 'advice', 'resize', '--json', ...here(), ...lease], folder);
    expect(JSON.parse(json.out)).toMatchObject({ comparisons: [{ made: { actual: 0, advised: 3 } }] });
    expect((await api.get<{ items: object[] }>('/apis/batch/v1/namespaces/default/jobs')).items).toEqual([]);
    await ebb('kubernetes', 'advice', 'orders', ...here(), ...lease);
    expect(await count()).toBe(1);
    const planned = await ebb('take-over', 'scaledobject/orders', ...here(), ...lease);
    expect(planned).toMatchObject({ code: 0, out: expect.stringContaining('Nothing was changed; --yes does it.') });
    expect((await ebb('take-over', 'orders', ...here(), ...lease, '--yes')).code).toBe(0);
    await within(async () => (await count()) > 1, 'Ebb in charge');
    const hpa = () =>
      api.get<{ spec: unknown; metadata: { annotations?: unknown } }>(
        '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers/site',
      );
    const before = await hpa();
    expect((await ebb('take-over', 'hpa/site', ...here(), ...lease, '--yes')).code).toBe(0);
    expect((await hpa()).spec).toMatchObject({ behavior: { scaleUp: { selectPolicy: 'Disabled' } } });
    expect((await ebb('give-back', 'hpa/site', ...here(), ...lease, '--yes')).code).toBe(0);
    const after = await hpa();
    expect([after.spec, after.metadata.annotations]).toEqual([before.spec, before.metadata.annotations]);
    const giving = ebb('give-back', 'orders', ...here(), ...lease, '--yes');
    const orders = '/apis/keda.sh/v1alpha1/namespaces/default/scaledobjects/orders';
    const annotations = async () =>
      (await api.get<{ metadata: { annotations?: object } }>(orders)).metadata.annotations;
    await within(async () => !('autoscaling.keda.sh/paused' in ((await annotations()) ?? {})), 'KEDA to go on');
    // What KEDA does then.
    await api.post('/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers', {
      metadata: { name: 'keda-hpa-orders', labels: { 'app.kubernetes.io/managed-by': 'keda-operator' } },
      spec: { scaleTargetRef: reference('orders'), maxReplicas: 5 },
    });
    expect((await giving).code).toBe(0);
    expect(await annotations()).toBeUndefined();
    expect((await ebb('take-over', 'nobody', ...here(), ...lease)).err).toContain(
      'there is no ScaledObject, HorizontalPodAutoscaler or ScaledJob',
    );
    expect((await ebb('take-over', 'pod/x', ...here())).code).toBe(2);
    if (process.env.EBB_SHOW) console.log(said.join('\n'));
  });
});
