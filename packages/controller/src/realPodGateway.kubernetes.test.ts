import {
  available,
  freePort,
  type RealNode,
  realPodImage,
  startKubernetes,
  startRealNode,
  until,
  whyNoRealNode,
} from '@ebb/testing/services';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, GatewayCluster, type GatewayProcess } from './gatewayCluster.fixture.ts';

const why = whyNoRealNode();
if (why !== null) console.warn(`services: SKIPPED requests to real pods: ${why}`);
const present = available('kubernetes') && available('realNode') && why === null;
const rounds = 5;
/** The fixture plays the kubelet of the namespace default: these pods have a real one. */
const namespace = 'real';
const deployments = `/apis/apps/v1/namespaces/${namespace}/deployments`;
const pods = `/api/v1/namespaces/${namespace}/pods`;

interface Pod {
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

describe.skipIf(!present)('a request at zero, and a pod that really starts', () => {
  let world: GatewayCluster;
  let node: RealNode;
  let gateway: GatewayProcess;

  beforeAll(async () => {
    world = new GatewayCluster(await startKubernetes());
    await world.install();
    const { api } = world.cluster;
    await api.post('/api/v1/namespaces', { metadata: { name: namespace } });
    node = await startRealNode(world.cluster);
    world.startOperator('real');
    gateway = await world.startGateway();
    const port = await freePort();
    const labels = { app: 'model' };
    const readinessProbe = { httpGet: { path: '/', port }, periodSeconds: 1 };
    const server = {
      ...{ name: 'server', image: realPodImage, imagePullPolicy: 'Never', readinessProbe },
      env: [
        { name: 'HOST', value: node.address },
        { name: 'PORT', value: String(port) },
      ],
      ports: [{ containerPort: port, hostPort: port }],
    };
    const spec = { ...node.podSpec, terminationGracePeriodSeconds: 5, containers: [server] };
    await api.post(deployments, {
      metadata: { name: 'model' },
      spec: { replicas: 0, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    });
  });
  afterAll(async () => {
    await node?.stop();
    await world?.close();
    await world?.cluster.close();
  });

  const found = async () => (await world.cluster.api.get<{ items: Pod[] }>(pods)).items;
  const isReady = async () =>
    (await found()).some(({ status }) =>
      status.conditions?.some((one) => one.type === 'Ready' && one.status === 'True'),
    );
  const atZero = () => world.within(async () => (await found()).length === 0, 'no pod', 60_000);

  it('is held until it is ready, and answered by it', async () => {
    const { api } = world.cluster;
    const own: number[] = [];
    // The first start reads programs from the disk.
    for (let round = -1; round < rounds; round++) {
      const fromMs = performance.now();
      await api.patch(`${deployments}/model/scale`, { spec: { replicas: 1 } });
      await until(isReady, { withinMs: 60_000, what: () => 'a ready pod' });
      if (round >= 0) own.push(performance.now() - fromMs);
      await api.patch(`${deployments}/model/scale`, { spec: { replicas: 0 } });
      await atZero();
    }
    await api.post(`/apis/ebb.dev/v1alpha1/namespaces/${namespace}/workloads`, {
      apiVersion: 'ebb.dev/v1alpha1',
      kind: 'Workload',
      metadata: { name: 'model' },
      spec: {
        classes: [{ name: 'default', command: ['pod'], concurrency: 1 }],
        scaling: {
          ...{ minReplicas: 0, maxReplicas: 1, keepAlive: '1s', policy: { type: 'windows' } },
          triggers: [{ type: 'concurrency', target: 1 }],
        },
      },
    });
    await world.within(
      async () => (await (await fetch(`${gateway.healthUrl}/metrics`)).text()).includes(`${namespace}/model`),
      'the workload at the gateway',
    );
    const whole: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const fromMs = performance.now();
      const answer = await ask(gateway.url, `model.${namespace}.svc`, '/hello');
      whole.push(performance.now() - fromMs);
      expect(answer).toMatchObject({ status: 200 });
      expect(answer.text).toContain('/hello');
      await atZero();
    }
    const shown = (values: number[]) => values.map(Math.round).sort((left, right) => left - right);
    const median = (values: number[]) => shown(values)[rounds >> 1] ?? Number.NaN;
    console.log(
      `pod's own start, /scale → ready: ${shown(own).join(' ')} ms; request at zero → answer: ${shown(whole).join(' ')} ms; ` +
        `between the medians: ${median(whole) - median(own)} ms`,
    );
  });
});
