import { customResourceDefinition } from '@ebb/documents';
import { MemoryStore } from '@ebb/testing';
import {
  available,
  type KubernetesCluster,
  type RealNode,
  realPodImage,
  startKubernetes,
  startRealNode,
  until,
  whyNoRealNode,
} from '@ebb/testing/services';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCluster } from '../client/kubeConfig.ts';
import { applyRights, kubeconfigOfAccount, refusedRights } from '../fake/installedRights.fixture.ts';
import { deploymentsPath, readDeployment } from '../fake/kedaCluster.fixture.ts';
import { runOperator, type StartedOperator, ToldTriggers } from '../fake/operator.fixture.ts';
import { type PodMetrics, startPodMetrics } from '../fake/podMetrics.fixture.ts';
import { installManifests } from '../manifests/install.ts';
import { learntUse } from './podSizing.fixture.ts';

const namespace = 'ebb-sizing';
const workloadsPath = '/apis/ebb.dev/v1alpha1/namespaces/default/workloads';
const podsPath = '/api/v1/namespaces/default/pods';
const noNode = whyNoRealNode() ?? (available('realNode') ? null : 'its programs are not built');
if (noNode !== null) console.warn(`services: SKIPPED resizing real pods: ${noNode}`);

interface Resources {
  requests?: Record<string, string>;
  limits?: Record<string, string>;
}
interface Pod {
  metadata: { name: string; uid: string };
  spec: { containers: { resources: Resources }[] };
  status: {
    conditions?: { type: string; reason?: string }[];
    containerStatuses?: { restartCount: number; containerID: string; resources?: Resources }[];
  };
}

/** With the rights that are installed, and no others; what was learnt is there from the beginning. */
describe.skipIf(!available('kubernetes'))('sizing on a real API server', () => {
  let cluster: KubernetesCluster;
  let metrics: PodMetrics;
  let node: RealNode | null = null;
  let one: StartedOperator | null = null;

  beforeAll(async () => {
    cluster = await startKubernetes();
    const { api } = cluster;
    await cluster.addNodes(2);
    await api.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', customResourceDefinition('Workload'));
    await api.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', verticalPodAutoscalers);
    const manifests = installManifests({ namespace, withoutKinds: true, sizing: 'true' });
    await applyRights(api, manifests);
    const own = manifests.filter(({ kind, metadata }) => kind.startsWith('Role') && metadata.name === 'ebb');
    await applyRights(api, own, 'default');
    [metrics, node] = await Promise.all([
      startPodMetrics(api),
      noNode === null ? startRealNode(cluster) : Promise.resolve(null),
    ]);
    metrics.cpuMilli = 100;
    const embedded = new MemoryStore();
    for (const [name, cpuMilli] of Object.entries({ web: 300, sleeping: 300, rival: 300, real: 300, huge: 900_000 })) {
      const learnt = learntUse(Date.now(), { cpuMilli, memoryMebibytes: 200 });
      await embedded.state.save(`kubernetes/sizing/local/default/${name}`, learnt, 1);
    }
    const { transport, server } = await openCluster({ path: await kubeconfigOfAccount(cluster, namespace, 'ebb') });
    const triggers = new ToldTriggers();
    one = await runOperator({ server, identity: 'a', triggers, transport, embedded, leaseMs: 60_000, sizing: true });
    await one.operator.ready;
  });
  afterAll(async () => {
    await one?.stop();
    await node?.stop();
    await metrics?.close();
    await cluster?.close();
  });

  // A plan is made once a minute: what is seen too late for one is in the next.
  const within = (check: () => Promise<boolean>, what: string, withinMs = 150_000) =>
    until(check, { withinMs, what: () => `${what}\n${one?.log.slice(-20).join('\n')}` });
  const deploy = (name: string, replicas: number, podSpec: object = {}, container: object = {}) => {
    const labels = { app: name };
    const resources = { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } };
    const containers = [{ name: 'main', image: 'worker', resources, ...container }];
    return cluster.api.post(deploymentsPath, {
      metadata: { name },
      spec: {
        replicas,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, ...podSpec, containers } },
      },
    });
  };
  const size = (name: string, apply: string, minReplicas: number) =>
    cluster.api.post(workloadsPath, {
      apiVersion: 'ebb.dev/v1alpha1',
      kind: 'Workload',
      metadata: { name },
      spec: {
        classes: [{ command: ['pod'] }],
        scaling: { minReplicas, maxReplicas: 4 },
        sizing: { apply, bounds: { maxAllowed: name === 'huge' ? {} : { cpu: 1, memory: '1Gi' } } },
      },
    });
  const pods = async (name: string) =>
    (await cluster.api.get<{ items: Pod[] }>(`${podsPath}?labelSelector=app%3D${name}`)).items;
  const condition = async (name: string) => {
    const { status } = await cluster.api.get<{
      status?: { conditions?: { type: string; status: string; reason: string; message: string }[] };
    }>(`${workloadsPath}/${name}`);
    return status?.conditions?.find(({ type }) => type === 'Sizing');
  };
  const requested = ({ spec }: Pod) => spec.containers[0]?.resources.requests?.cpu ?? '';
  const isSized = (pod: Pod) => /^3[45]\dm$/.test(requested(pod));

  it('may resize pods and patch templates, and nothing near it', async () => {
    const may = ['patch /pods/resize', 'patch apps/deployments', 'watch autoscaling.k8s.io/verticalpodautoscalers'];
    const mayNot = [
      ...[
        'update /pods/resize',
        'update /pods',
        'create /pods',
        'create /pods/exec',
        'patch /pods/ephemeralcontainers',
      ],
      ...['update apps/deployments', 'create apps/deployments', 'delete apps/deployments', 'patch apps/daemonsets'],
      'patch autoscaling.k8s.io/verticalpodautoscalers',
    ];
    expect(await refusedRights(cluster.api, { namespace, name: 'ebb' }, [...may, ...mayNot])).toEqual(mayNot);
  });

  it('resizes pods in place, one after another, and they stay the pods they were', async () => {
    await deploy('web', 2);
    await within(async () => (await readDeployment(cluster.api, 'web')).status.readyReplicas === 2, 'two pods');
    // The API server lets pods be resized whose node has said once what their containers have, which a fake one never does.
    for (const { metadata, spec, status } of await pods('web')) {
      const [container] = spec.containers;
      const containerStatuses = status.containerStatuses?.map((of) => ({ ...of, resources: container?.resources }));
      await cluster.api.patch(`${podsPath}/${metadata.name}/status`, { status: { containerStatuses } });
    }
    const before = (await pods('web')).map(({ metadata }) => metadata.uid).sort();
    await size('web', 'inPlace', 2);
    await within(async () => (await pods('web')).some(isSized), 'a pod with another request');
    const all = await pods('web');
    expect(all.map(({ metadata }) => metadata.uid).sort()).toEqual(before);
    const resized = all.filter(isSized);
    // A quarter of two is one.
    expect(resized).toHaveLength(1);
    expect(resized[0]?.spec.containers[0]?.resources).toEqual({
      requests: { cpu: expect.stringMatching(/^3[45]\dm$/), memory: expect.stringMatching(/^2[34]\dMi$/) },
      limits: { memory: expect.stringMatching(/^4[67]\dMi$/) },
    });
    await within(
      async () => (await condition('web'))?.message.includes('recommended: main 3') === true,
      'what is recommended',
    );
    expect(one?.log.join('\n')).not.toContain('forbidden');
  });

  it('changes the template of a target at zero, over the version that was seen, and starts nothing', async () => {
    await deploy('sleeping', 0);
    await size('sleeping', 'nextRollout', 0);
    const read = () =>
      cluster.api.get<{
        metadata: { resourceVersion: string };
        spec: { replicas: number; template: { spec: { containers: { image: string; resources: Resources }[] } } };
      }>(`${deploymentsPath}/sleeping`);
    const own = async () => (await read()).spec.template.spec.containers[0];
    await within(async () => /^3[45]\dm$/.test((await own())?.resources.requests?.cpu ?? ''), 'the template');
    expect(await own()).toMatchObject({
      image: 'worker',
      resources: { limits: { memory: expect.stringContaining('4') } },
    });
    expect((await read()).spec.replicas).toBe(0);
    expect(await pods('sleeping')).toEqual([]);
    // What it rests on: an apply over an older version is refused.
    const path = `${deploymentsPath}/sleeping?fieldManager=ebb&force=true`;
    const stale = {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'sleeping', resourceVersion: '1' } },
      spec: { template: { spec: { containers: [{ name: 'main', resources: { requests: { cpu: '1m' } } }] } } },
    };
    const refused = await cluster.api.send('PATCH', path, stale, { contentType: 'application/apply-patch+yaml' });
    expect(refused.status).toBe(409);
    await cluster.api.patch(`${deploymentsPath}/sleeping/scale`, { spec: { replicas: 1 } });
    await within(async () => (await pods('sleeping')).some(isSized), 'a pod that is made by it');
  });

  it('leaves a target to the VerticalPodAutoscaler that it has', async () => {
    await cluster.api.post('/apis/autoscaling.k8s.io/v1/namespaces/default/verticalpodautoscalers', {
      apiVersion: 'autoscaling.k8s.io/v1',
      kind: 'VerticalPodAutoscaler',
      metadata: { name: 'their-own' },
      spec: { targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'rival' } },
    });
    await deploy('rival', 1);
    await size('rival', 'inPlace', 1);
    await within(async () => (await condition('rival'))?.reason === 'ScaleConflict', 'the conflict');
    expect((await condition('rival'))?.message).toContain('VerticalPodAutoscaler their-own already');
    await within(async () => (await pods('rival')).length > 0, 'its pod');
    expect((await pods('rival')).map(requested)).toEqual(['100m']);
  });

  it.skipIf(noNode !== null)('changes what a real container has without restarting it', async () => {
    const podSpec = node?.podSpec ?? {};
    const container = { image: realPodImage, imagePullPolicy: 'Never' };
    await deploy('real', 1, podSpec, container);
    await deploy('huge', 1, podSpec, { ...container, resources: { requests: { cpu: '50m', memory: '32Mi' } } });
    const started = async (name: string) => (await readDeployment(cluster.api, name)).status.readyReplicas === 1;
    await within(async () => (await started('real')) && (await started('huge')), 'real pods');
    const [before] = await pods('real');
    await size('real', 'inPlace', 1);
    await size('huge', 'inPlace', 1);
    const actual = async () => (await pods('real'))[0]?.status.containerStatuses?.[0];
    await within(async () => /^3[45]\dm$/.test((await actual())?.resources?.requests?.cpu ?? ''), 'the node');
    expect(await actual()).toMatchObject({
      restartCount: 0,
      containerID: before?.status.containerStatuses?.[0]?.containerID,
      resources: { limits: { memory: expect.stringMatching(/^4[67]\dMi$/) } },
    });
    await within(async () => (await condition('huge'))?.reason === 'WaitsForNode', 'what no node has');
    // A server before 1.36 takes it, and the node says so, which may be a moment later.
    const words = /enough allocatable resources|than the node can ever give/;
    await within(async () => words.test((await condition('huge'))?.message ?? ''), 'the words of the node');
    expect((await pods('huge'))[0]?.status.containerStatuses?.[0]?.restartCount).toBe(0);
  });
});

/** As much of VPA's definition as is read of it. */
const verticalPodAutoscalers = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: 'verticalpodautoscalers.autoscaling.k8s.io',
    annotations: { 'api-approved.kubernetes.io': 'https://github.com/kubernetes/kubernetes/pull/63797' },
  },
  spec: {
    group: 'autoscaling.k8s.io',
    scope: 'Namespaced',
    names: { plural: 'verticalpodautoscalers', singular: 'verticalpodautoscaler', kind: 'VerticalPodAutoscaler' },
    versions: [
      {
        ...{ name: 'v1', served: true, storage: true },
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};
