import { once } from 'node:events';
import { connect } from 'node:net';
import { type RedisService, startRedis, until } from '@ebb/testing/services';
import { available, type KubernetesCluster, startKubernetes } from '@ebb/testing/services';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openCluster } from '../client/kubeConfig.ts';
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

const present = available('kubernetes') && available('redis');

/** Of leases that are to run out: long enough for a machine that stands still for some seconds, as two that lead would be a fault. */
const handedOverMs = 6000;

interface ToldEvent {
  reason: string;
  note: string;
  series?: { count: number };
}

describe.skipIf(!present)('the operator on a real API server', () => {
  let cluster: KubernetesCluster;
  let redis: RedisService;
  const started: StartedOperator[] = [];

  beforeAll(async () => {
    [cluster, redis] = await Promise.all([startKubernetes(), startRedis()]);
    await cluster.addNodes(4);
    await installKeda(cluster.api);
  });
  afterEach(async () => {
    for (const one of started.splice(0)) await one.stop();
    // The next test's operators have nothing to bring to zero.
    await cluster.api.send('DELETE', scaledObjectsPath);
    await redis.cli(['flushall']);
  });
  afterAll(async () => {
    await redis?.stop();
    await cluster?.close();
  });

  /** `leaseMs`: long, where nobody is to take over, so that a machine that stands still for seconds ends no leadership. */
  async function run(identity: string, leaseMs = 60_000) {
    const opened = await openCluster({ path: cluster.kubeconfig });
    const { transport, writes } = noteScales(opened.transport);
    const { server } = opened;
    const one = await runOperator({ server, identity, triggers: realTriggers, transport, leaseMs });
    started.push(one);
    const of = (name: string) => writes.filter((write) => write.name === name);
    const counts = (name: string) => of(name).map(({ count }) => count);
    return { ...one, of, counts };
  }
  /** What the operators say of themselves, for a test that fails. */
  const logs = () => {
    const engines = started.flatMap(({ operator }) => operator.leading()?.engine ?? []);
    const said = engines.flatMap((engine) =>
      engine.statuses().flatMap(({ name, conditions }) => [name, ...conditions]),
    );
    return [...started.flatMap(({ log }) => log.slice(-20)), ...said.map((one) => JSON.stringify(one))].join('\n');
  };
  const within = (check: () => Promise<boolean> | boolean, what: string, withinMs = 60_000) =>
    until(check, { withinMs, what: () => `${what}\n${logs()}` });
  const hasReady = async (name: string, count: number) => {
    const { spec, status } = await readDeployment(cluster.api, name);
    return spec.replicas === count && (status.readyReplicas ?? 0) === count && (status.replicas ?? 0) === count;
  };
  const push = (list: string, count: number) =>
    redis.cli(['rpush', list, ...Array.from({ length: count }, (_, index) => `m${index}`)]);
  /** Over a connection that is open, so that no start of a program counts. Gives the moment before. */
  const pushNow = async (list: string, count: number) => {
    const socket = connect(redis.port, redis.host);
    await once(socket, 'connect');
    const atMs = performance.now();
    socket.write(`RPUSH ${list} ${Array.from({ length: count }, (_, index) => `m${index}`).join(' ')}\r\n`);
    await once(socket, 'data');
    socket.destroy();
    return atMs;
  };
  const conditions = async (name: string) => {
    const { status } = await cluster.api.get<{
      status?: { conditions?: { type: string; status: string; message: string }[] };
    }>(`${scaledObjectsPath}/${name}`);
    return Object.fromEntries((status?.conditions ?? []).map((one) => [one.type, `${one.status} ${one.message}`]));
  };

  it('brings a queue of 100 messages to ten ready replicas, and back to zero', async () => {
    await createDeployment(cluster.api, 'queue', 0);
    await cluster.api.post(scaledObjectsPath, redisObject('queue', redis.address));
    const one = await run('a');
    await one.operator.ready;
    await within(async () => (await conditions('queue')).Ready?.startsWith('True') ?? false, 'the status');
    const toScale: number[] = [];
    const toReady: number[] = [];
    for (let round = 0; round < 5; round++) {
      const before = one.of('queue').length;
      const pushedMs = await pushNow('queue', 100);
      await within(() => one.of('queue').length > before, 'a write');
      toScale.push((one.of('queue')[before]?.atMs ?? 0) - pushedMs);
      await within(() => hasReady('queue', 10), 'ten ready');
      toReady.push(performance.now() - pushedMs);
      await expectWritten(() => one.counts('queue').slice(before), [10]);
      const emptiedMs = performance.now();
      await redis.cli(['del', 'queue']);
      await within(() => hasReady('queue', 0), 'zero');
      // Where there is time for it, by the one that the HPA's part leaves.
      await within(() => one.counts('queue').at(-1) === 0, 'the answer of the write of zero');
      if (round === 0) console.log(`queue empty → 0: ${Math.round(performance.now() - emptiedMs)} ms (cool-down 2 s)`);
    }
    const shown = (values: number[]) =>
      values
        .map(Math.round)
        .sort((left, right) => left - right)
        .join(' ');
    // What `kubectl describe` shows of it: the same again is one more of an event that is there.
    const query = 'fieldSelector=regarding.name%3Dqueue,regarding.kind%3DScaledObject';
    const path = `/apis/events.k8s.io/v1/namespaces/default/events?${query}`;
    const events = async () => (await cluster.api.get<{ items: ToldEvent[] }>(path)).items;
    for (const reason of ['KEDAScaleTargetActivated', 'KEDAScaleTargetDeactivated']) {
      const times = async () =>
        (await events())
          .filter((event) => event.reason === reason)
          .reduce((sum, { series }) => sum + (series?.count ?? 1), 0);
      await within(async () => (await times()) === 5, `${reason} five times`);
    }
    const notes = (await events()).map(({ note }) => note);
    expect(notes.join('\n')).toContain('scaled Deployment queue from 0 to 10: ');
    console.log(`message → /scale written: ${shown(toScale)} ms; → 10 ready: ${shown(toReady)} ms (KEDA: 21–41 s)`);
  });

  it('is paused and resumed by the annotation', async () => {
    await createDeployment(cluster.api, 'paused', 1);
    const annotations = { 'autoscaling.keda.sh/paused': 'true' };
    await cluster.api.post(scaledObjectsPath, redisObject('paused', redis.address, { annotations }));
    const one = await run('a');
    await one.operator.ready;
    await push('paused', 50);
    await within(async () => (await conditions('paused')).Paused?.startsWith('True') ?? false, 'paused');
    expect((await readDeployment(cluster.api, 'paused')).spec.replicas).toBe(1);
    const path = `${scaledObjectsPath}/paused`;
    await cluster.api.patch(path, { metadata: { annotations: { 'autoscaling.keda.sh/paused': null } } });
    await within(() => hasReady('paused', 5), 'five');
  });

  it('hands over to another one when the leader is killed, and nothing is scaled twice', async () => {
    await createDeployment(cluster.api, 'handed', 0);
    await cluster.api.post(scaledObjectsPath, redisObject('handed', redis.address));
    const first = await run('a', handedOverMs);
    await first.operator.ready;
    const second = await run('b', handedOverMs);
    await push('handed', 70);
    await within(() => hasReady('handed', 7), 'seven');
    first.kill();
    await second.operator.ready;
    expect(second.counts('handed')).toEqual([]);
    await push('handed', 20);
    await within(() => hasReady('handed', 9), 'nine');
    await expectWritten(() => second.counts('handed'), [9]);
  });

  it('says by whose name a target is taken', async () => {
    await createDeployment(cluster.api, 'taken', 1);
    await cluster.api.post('/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers', {
      metadata: { name: 'taken-by-cpu' },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'taken' },
        maxReplicas: 2,
        metrics: [
          { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
        ],
      },
    });
    await cluster.api.post(scaledObjectsPath, redisObject('taken', redis.address));
    const one = await run('a');
    await one.operator.ready;
    await push('taken', 50);
    await within(async () => (await conditions('taken')).Ready?.startsWith('False') ?? false, 'the refusal');
    expect((await conditions('taken')).Ready).toBe(
      'False Deployment taken is scaled by the HorizontalPodAutoscaler taken-by-cpu already',
    );
    expect(one.counts('taken')).toEqual([]);
  });

  it('scales a StatefulSet, which loses its highest ordinals', async () => {
    await createDeployment(cluster.api, 'ordered', 0, 'statefulsets');
    const object = redisObject('ordered', redis.address) as { spec: Record<string, unknown> };
    object.spec.scaleTargetRef = { kind: 'StatefulSet', name: 'ordered' };
    await cluster.api.post(scaledObjectsPath, object);
    const one = await run('a');
    await one.operator.ready;
    await push('ordered', 30);
    const pods = async () => {
      const list = await cluster.api.get<{ items: { metadata: { name: string } }[] }>(
        '/api/v1/namespaces/default/pods?labelSelector=app%3Dordered',
      );
      return list.items.map(({ metadata }) => metadata.name).sort();
    };
    await within(async () => (await pods()).length === 3, 'three');
    const phases = () =>
      one.operator
        .leading()
        ?.engine.statuses()
        .find(({ name }) => name === 'ordered')?.replicas;
    await within(() => phases()?.ready === 3, 'three ready');
    await redis.cli(['ltrim', 'ordered', '0', '9']);
    await within(async () => (await pods()).length === 1, 'one', 60_000);
    expect(await pods()).toEqual(['ordered-0']);
    await within(() => phases()?.ready === 1 && phases()?.wanted === 1, 'the engine to see one');
    expect((await cluster.api.get<{ items: unknown[] }>(deploymentsPath)).items.length).toBeGreaterThan(0);
  });

  const own = process.env.KUBECONFIG_DISPOSABLE === undefined;
  // Last: the controllers and fake nodes of the cluster are out of step for minutes afterwards. Once with a lease that outlives it,
  // however long a slow machine takes to start the server again, and once with one that does not.
  it.runIf(own).each([
    ['leads on', 240_000],
    ['leads anew', 3000],
  ])('outlives an API server that is away for ten seconds, and %s', async (how, leaseMs) => {
    const name = how.replace(' ', '-');
    await createDeployment(cluster.api, name, 0);
    await cluster.api.post(scaledObjectsPath, redisObject(name, redis.address));
    const one = await run('a', leaseMs);
    await one.operator.ready;
    const epoch = () =>
      Number(/"epoch":(\d+)/.exec(one.log.filter((line) => line.includes('decides')).at(-1) ?? '')?.[1]);
    const before = epoch();
    await push(name, 40);
    await within(() => hasReady(name, 4), 'four', 120_000);
    const server = cluster.parts?.apiServer;
    await server?.kill();
    await push(name, 40);
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    await server?.restart();
    const backMs = performance.now();
    await within(async () => (await readDeployment(cluster.api, name)).spec.replicas === 8, 'the count', 120_000);
    console.log(`API server back → /scale written: ${Math.round(performance.now() - backMs)} ms (${how})`);
    // Controllers and fake nodes take minutes of their own to come back: that it goes on is seen by its next write.
    const comesTo = (count: number) =>
      within(async () => (await readDeployment(cluster.api, name)).spec.replicas === count, `${count}`, 120_000);
    await redis.cli(['ltrim', name, '0', '0']);
    await comesTo(1);
    await redis.cli(['del', name]);
    await comesTo(0);
    await expectWritten(() => one.counts(name), [4, 8, 1, 0]);
    if (how === 'leads anew') await within(() => epoch() > before, 'the word of another epoch');
    expect(epoch() > before).toBe(how === 'leads anew');
  });
});
