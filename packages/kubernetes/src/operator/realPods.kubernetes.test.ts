import { once } from 'node:events';
import { connect } from 'node:net';
import {
  available,
  freePort,
  type KubernetesCluster,
  type RealNode,
  type RedisService,
  realPodImage,
  startKubernetes,
  startRealNode,
  startRedis,
  until,
  whyNoRealNode,
} from '@ebb/testing/services';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { openCluster } from '../client/kubeConfig.ts';
import {
  deploymentsPath,
  installKeda,
  readDeployment,
  realTriggers,
  redisObject,
  scaledObjectsPath,
} from '../fake/kedaCluster.fixture.ts';
import { runOperator } from '../fake/operator.fixture.ts';
import { expectWritten, noteScales } from '../fake/scaleWrites.fixture.ts';

const why = whyNoRealNode();
if (why !== null) console.warn(`services: SKIPPED real pods: ${why}`);
const present = available('kubernetes') && available('redis') && available('realNode') && why === null;
const rounds = 5;

describe.skipIf(!present)('real pods on a real node', () => {
  let cluster: KubernetesCluster;
  let redis: RedisService;
  let node: RealNode;
  let port = 0;

  beforeAll(async () => {
    [cluster, redis, port] = await Promise.all([
      startKubernetes(),
      startRedis({ notifyKeyspaceEvents: 'KEA' }),
      freePort(),
    ]);
    await installKeda(cluster.api);
    node = await startRealNode(cluster);
    const labels = { app: 'model' };
    await cluster.api.post(deploymentsPath, {
      metadata: { name: 'model' },
      spec: {
        replicas: 0,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            ...node.podSpec,
            terminationGracePeriodSeconds: 5,
            containers: [
              {
                name: 'server',
                image: realPodImage,
                imagePullPolicy: 'Never',
                env: [{ name: 'PORT', value: String(port) }],
                ports: [{ containerPort: port, hostPort: port }],
                readinessProbe: { httpGet: { path: '/ready', host: '127.0.0.1', port }, periodSeconds: 1 },
              },
            ],
          },
        },
      },
    });
  });
  afterAll(async () => {
    await node?.stop();
    await redis?.stop();
    await cluster?.close();
  });

  const answers = () =>
    fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } }).then(
      (answer) => answer.ok,
      () => false,
    );
  /** From a moment until the server answers, ms. */
  const serving = async (fromMs: number) => {
    await until(answers, { withinMs: 60_000, what: () => `an answer of the pod\n${node.kubelet.log().slice(-2000)}` });
    return performance.now() - fromMs;
  };
  const count = async (ready: number) => {
    const { status } = await readDeployment(cluster.api, 'model');
    return (status.readyReplicas ?? 0) === ready && (status.replicas ?? 0) === ready;
  };
  const ended = async () => {
    const list = await cluster.api.get<{ items: unknown[] }>('/api/v1/namespaces/default/pods');
    return list.items.length === 0 && !(await answers());
  };
  const settled = (what: number) =>
    until(() => (what === 0 ? ended() : count(what)), { withinMs: 60_000, what: () => `${what} replicas` });

  it('starts a pod for a message, and ends it when there is nothing to do', async () => {
    const own: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const fromMs = performance.now();
      await cluster.api.patch(`${deploymentsPath}/model/scale`, { spec: { replicas: 1 } });
      own.push(await serving(fromMs));
      await settled(1);
      await cluster.api.patch(`${deploymentsPath}/model/scale`, { spec: { replicas: 0 } });
      await settled(0);
    }

    await cluster.api.post(scaledObjectsPath, redisObject('model', redis.address));
    const opened = await openCluster({ path: cluster.kubeconfig });
    const { transport, writes } = noteScales(opened.transport);
    const { server } = opened;
    const one = await runOperator({ server, identity: 'a', triggers: realTriggers, transport, leaseMs: 60_000 });
    const counts = () => writes.map(({ count }) => count);
    const expected: number[] = [];
    const socket = connect(redis.port, redis.host);
    await once(socket, 'connect');
    const all: number[] = [];
    const share: number[] = [];
    try {
      await one.operator.ready;
      for (let round = 0; round < rounds; round++) {
        const fromMs = performance.now();
        socket.write('RPUSH model m\r\n');
        all.push(await serving(fromMs));
        expected.push(1);
        await expectWritten(counts, expected);
        share.push((writes.at(-1)?.atMs ?? Number.NaN) - fromMs);
        await settled(1);
        await expectWritten(counts, expected);
        socket.write('DEL model\r\n');
        await settled(0);
        expected.push(0);
        await expectWritten(counts, expected);
      }
    } finally {
      socket.destroy();
      await one.stop();
    }
    const shown = (values: number[]) =>
      values
        .map(Math.round)
        .sort((left, right) => left - right)
        .join(' ');
    console.log(
      `pod's own start, /scale → served: ${shown(own)} ms; message → served: ${shown(all)} ms; of it message → /scale written: ${shown(share)} ms`,
    );
  });
});
