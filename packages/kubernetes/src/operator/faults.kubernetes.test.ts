import { setTimeout as pause } from 'node:timers/promises';
import {
  available,
  type KubernetesCluster,
  type RedisService,
  startKubernetes,
  startRedis,
  until,
} from '@ebb/testing/services';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openCluster } from '../client/kubeConfig.ts';
import { type Transport, UnreachableError } from '../client/transport.ts';
import {
  createDeployment,
  deploymentsPath,
  installKeda,
  readDeployment,
  realTriggers,
  redisObject,
  scaledObjectsPath,
} from '../fake/kedaCluster.fixture.ts';
import { runOperator, type StartedOperator } from '../fake/operator.fixture.ts';
import { expectWritten, noteScales } from '../fake/scaleWrites.fixture.ts';

const own = process.env.KUBECONFIG_DISPOSABLE === undefined;
const present = own && available('kubernetes') && available('redis');

const contentType = 'application/merge-patch+json';

describe.skipIf(!present)('faults of a real API server', () => {
  let cluster: KubernetesCluster;
  let redis: RedisService;
  const started: StartedOperator[] = [];

  beforeAll(async () => {
    [cluster, redis] = await Promise.all([startKubernetes(), startRedis({ notifyKeyspaceEvents: 'KEA' })]);
    await cluster.addNodes(3);
  });
  afterEach(async () => {
    for (const one of started.splice(0)) await one.stop();
    // What a test leaves behind takes no room of the next one, and nobody has to bring it to zero.
    await cluster.api.send('DELETE', scaledObjectsPath);
    const { items } = await cluster.api.get<{ items: { metadata: { name: string } }[] }>(deploymentsPath);
    for (const { metadata } of items) {
      await cluster.api.patch(`${deploymentsPath}/${metadata.name}/scale`, { spec: { replicas: 0 } });
    }
    await redis.cli(['flushall']);
  });
  afterAll(async () => {
    await redis?.stop();
    await cluster?.close();
  });

  /** Its way to the API server can be cut, and every count that is written is noted. The lease outlives every fault on a slow machine. */
  async function run(leaseMs = 240_000) {
    const cut = { isCut: false };
    const opened = await openCluster({ path: cluster.kubeconfig });
    const { transport, writes } = noteScales(opened.transport);
    const streams = new Set<() => void>();
    const away = () => Promise.reject(new UnreachableError('cut by the test'));
    const through: Transport = {
      ...transport,
      async send(request) {
        return cut.isCut ? away() : transport.send(request);
      },
      async lines(request, take) {
        if (cut.isCut) return away();
        const ended = new AbortController();
        const end = () => ended.abort();
        streams.add(end);
        const signal = request.signal ? AbortSignal.any([request.signal, ended.signal]) : ended.signal;
        return transport.lines({ ...request, signal }, take).finally(() => streams.delete(end));
      },
    };
    const { server } = opened;
    const one = await runOperator({ server, identity: 'a', triggers: realTriggers, transport: through, leaseMs });
    started.push(one);
    const setCut = (isCut: boolean) => {
      cut.isCut = isCut;
      if (isCut) for (const end of streams) end();
    };
    const of = (name: string) => writes.filter((write) => write.name === name).map(({ count }) => count);
    return { ...one, of, setCut };
  }
  const logs = () => started.flatMap(({ log }) => log.slice(-25)).join('\n');
  const within = (check: () => Promise<boolean> | boolean, what: string, withinMs = 120_000) =>
    until(check, { withinMs, what: () => `${what}\n${logs()}` });
  const replicas = async (name: string) => (await readDeployment(cluster.api, name)).spec.replicas;
  const ready = async (name: string) => (await readDeployment(cluster.api, name)).status.readyReplicas ?? 0;
  const push = (list: string, count: number) =>
    redis.cli(['rpush', list, ...Array.from({ length: count }, (_, index) => `m${index}`)]);

  it('begins without KEDA’s kind, follows it once it is there, and stops nothing when it is taken away', async () => {
    await createDeployment(cluster.api, 'late', 0);
    const one = await run();
    await one.operator.ready;
    await installKeda(cluster.api);
    await cluster.api.post(scaledObjectsPath, redisObject('late', redis.address));
    await push('late', 30);
    await within(async () => (await ready('late')) === 3, 'three, by a kind that came later');
    const kind = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/scaledobjects.keda.sh';
    await cluster.api.delete(kind);
    await within(async () => (await cluster.api.send('GET', kind)).status === 404, 'the end of the kind');
    await within(
      () => one.operator.leading()?.driver.scaleOf({ cluster: 'local', namespace: 'default', name: 'late' }) === null,
      'letting go',
    );
    expect(await replicas('late')).toBe(3);
    await expectWritten(() => one.of('late'), [3]);
    // And back.
    await installKeda(cluster.api);
    await cluster.api.post(scaledObjectsPath, redisObject('late', redis.address));
    await push('late', 20);
    await within(async () => (await replicas('late')) === 5, 'five, by the kind that came back');
    await expectWritten(() => one.of('late'), [3, 5]);
  });

  it('is not moved by others who write its target fifty times a second', async () => {
    await createDeployment(cluster.api, 'stormy', 0);
    await cluster.api.post(scaledObjectsPath, redisObject('stormy', redis.address));
    const one = await run();
    await one.operator.ready;
    const over = new AbortController();
    const storm = (async () => {
      for (let times = 0; !over.signal.aborted; times++) {
        const metadata = { annotations: { 'example.com/times': `${times}` } };
        // One that is refused, as others have written in between, is one of many.
        await cluster.api.send('PATCH', `${deploymentsPath}/stormy`, { metadata }, { contentType });
        await pause(15);
      }
    })();
    try {
      await push('stormy', 40);
      await within(async () => (await ready('stormy')) === 4, 'four in the storm');
      await push('stormy', 20);
      await within(async () => (await ready('stormy')) === 6, 'six in the storm');
      await redis.cli(['del', 'stormy']);
      await within(async () => (await replicas('stormy')) === 0, 'zero in the storm');
    } finally {
      over.abort();
      await storm;
    }
    const counts = one.of('stormy');
    expect(counts.slice(0, 2)).toEqual([4, 6]);
    expect(counts.every((count, index) => count !== counts[index - 1])).toBe(true);
  });

  it('waits where a quota refuses pods, and asks for no more', async () => {
    const quotas = '/api/v1/namespaces/default/resourcequotas';
    const pods = async () => (await cluster.api.get<{ items: unknown[] }>('/api/v1/namespaces/default/pods')).items;
    // Those of other tests that are on their way out would leave room.
    await within(async () => (await pods()).length === 0, 'the end of the pods before');
    await cluster.api.post(quotas, { metadata: { name: 'few' }, spec: { hard: { pods: '2' } } });
    await createDeployment(cluster.api, 'refused', 0);
    await cluster.api.post(scaledObjectsPath, redisObject('refused', redis.address));
    const one = await run();
    await one.operator.ready;
    await push('refused', 60);
    await within(async () => (await ready('refused')) >= 2, 'the pods that there may be');
    const status = () =>
      one.operator
        .leading()
        ?.engine.statuses()
        .find(({ name }) => name === 'refused')?.replicas;
    await within(
      () => status()?.wanted === 6 && (status()?.ready ?? 0) === 2,
      `those that wait ${JSON.stringify(status())}`,
    );
    interface Conditioned {
      status?: { conditions?: { type: string; status: string; message?: string }[] };
    }
    const refusal = async () => {
      const { status: written } = await cluster.api.get<Conditioned>(`${scaledObjectsPath}/refused`);
      return written?.conditions?.find(({ type }) => type === 'ReplicaFailure');
    };
    await within(async () => (await refusal())?.message?.includes('exceeded quota: few') === true, 'the quota’s words');
    await pause(3000);
    await expectWritten(() => one.of('refused'), [6]);
    await cluster.api.delete(`${quotas}/few`);
    // The controller of ReplicaSets asks again by its own clock.
    await within(async () => (await ready('refused')) === 6, 'all six', 240_000);
    await within(async () => (await refusal()) === undefined, 'no word of a quota any more');
    await expectWritten(() => one.of('refused'), [6]);
  });

  it('has the replicas of a lost node replaced, and asks for none twice', async () => {
    await createDeployment(cluster.api, 'moved', 0);
    await cluster.api.post(scaledObjectsPath, redisObject('moved', redis.address));
    const one = await run();
    await one.operator.ready;
    await push('moved', 60);
    await within(async () => (await ready('moved')) === 6, 'six');
    const pods = async () => {
      const list = await cluster.api.get<{ items: { metadata: { name: string }; spec: { nodeName?: string } }[] }>(
        '/api/v1/namespaces/default/pods?labelSelector=app%3Dmoved',
      );
      return list.items;
    };
    const lost = (await pods())[0]?.spec.nodeName ?? '';
    await cluster.api.delete(`/api/v1/nodes/${lost}`);
    // What the collector of pods does once the node has been away for long enough; the scheduler may put one there until it knows.
    await within(async () => {
      const left = (await pods()).filter(({ spec }) => spec.nodeName === lost);
      for (const { metadata } of left) {
        await cluster.api.send('DELETE', `/api/v1/namespaces/default/pods/${metadata.name}?gracePeriodSeconds=0`);
      }
      return left.length === 0;
    }, 'none on the lost node');
    await within(async () => (await ready('moved')) === 6, 'six again');
    const seen = () =>
      one.operator
        .leading()
        ?.engine.statuses()
        .find(({ name }) => name === 'moved')?.replicas;
    await within(() => seen()?.ready === 6 && seen()?.wanted === 6, 'the engine to see six');
    await expectWritten(() => one.of('moved'), [6]);
  });

  it('lists anew when the history it follows was compacted', async () => {
    await createDeployment(cluster.api, 'history', 0);
    await cluster.api.post(scaledObjectsPath, redisObject('history', redis.address));
    const one = await run();
    await one.operator.ready;
    await push('history', 20);
    await within(async () => (await ready('history')) === 2, 'two');
    one.setCut(true);
    const path = `${deploymentsPath}/history`;
    for (let times = 0; times < 30; times++) {
      await cluster.api.patch(path, { metadata: { annotations: { 'example.com/times': `${times}` } } });
    }
    await push('history', 30);
    const etcd = `http://${cluster.parts?.etcd.address}/v3/kv`;
    const key = Buffer.from('x').toString('base64');
    const range = await fetch(`${etcd}/range`, { method: 'POST', body: JSON.stringify({ key }) });
    const { header } = (await range.json()) as { header: { revision: string } };
    const compacted = await fetch(`${etcd}/compaction`, {
      method: 'POST',
      body: JSON.stringify({ revision: header.revision, physical: true }),
    });
    expect(compacted.status).toBe(200);
    // A server that has just started has nothing of the past in its own memory.
    await cluster.parts?.apiServer.restart();
    one.setCut(false);
    await within(async () => (await replicas('history')) === 5, 'five');
    await expectWritten(() => one.of('history'), [2, 5]);
    // Streams come back by their own pauses, and are told then that what they go on from is gone.
    await within(() => one.log.some((line) => /too old|expired|compacted/i.test(line)), 'the word of the lost history');
    await push('history', 10);
    await within(async () => (await replicas('history')) === 6, 'six');
    await expectWritten(() => one.of('history'), [2, 5, 6]);
  });

  // Last: controllers and fake nodes take minutes of their own to come back.
  it('outlives a restart of etcd', async () => {
    await createDeployment(cluster.api, 'etcd', 0);
    await cluster.api.post(scaledObjectsPath, redisObject('etcd', redis.address));
    const one = await run();
    await one.operator.ready;
    await push('etcd', 40);
    await within(async () => (await replicas('etcd')) === 4, 'four');
    await cluster.parts?.etcd.kill();
    await push('etcd', 30);
    await pause(5000);
    await cluster.parts?.etcd.restart();
    await within(async () => (await replicas('etcd').catch(() => 0)) === 7, 'seven');
    await expectWritten(() => one.of('etcd'), [4, 7]);
  });
});
