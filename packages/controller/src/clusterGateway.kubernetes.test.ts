import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { available, startKubernetes } from '@ebb/testing/services';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { clusterGateways } from './clusterGateways.ts';
import { ask, GatewayCluster, type GatewayProcess } from './gatewayCluster.fixture.ts';
import { type OperatorBeside, runOperator } from './gatewayOperator.fixture.ts';

const toZero = { minReplicas: 0, maxReplicas: 1, keepAlive: '1s', triggers: [{ type: 'concurrency', target: 1 }] };

describe.skipIf(!available('kubernetes'))('gateways of a cluster, on a real API server', () => {
  let world: GatewayCluster;
  let gateways: [GatewayProcess, GatewayProcess];
  const undo: (() => unknown)[] = [];

  async function run(): Promise<OperatorBeside> {
    const one = await runOperator(world, { gateways: clusterGateways() });
    undo.push(() => one.stop());
    return one;
  }

  /** Both gateways have heard of a workload. */
  const knows = (name: string) =>
    world.within(async () => {
      const texts = await Promise.all(
        gateways.map(async ({ healthUrl }) => (await fetch(`${healthUrl}/metrics`)).text()),
      );
      return texts.every((text) => text.includes(`default/${name}`));
    }, `${name} at both gateways`);

  beforeAll(async () => {
    world = new GatewayCluster(await startKubernetes());
    await world.install();
    // It makes the Secret once there is a gateway's pod.
    const { operator } = await run();
    gateways = [await world.startGateway(), await world.startGateway()];
    expect(operator.leading()?.engine.statuses()).toEqual([]);
    for (const step of undo.splice(0).reverse()) await step();
  });
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step();
  });
  afterAll(async () => {
    for (const step of undo.splice(0).reverse()) await step();
    await world?.close();
    await world?.cluster.close();
  });

  it('hold a request at zero, and answer it when the pod is ready', async () => {
    const port = await world.serve((_request, response) => response.end('hello'));
    await world.deploy('hello', port, 1, toZero);
    const { writes, wrote } = await run();
    await knows('hello');
    const toWrite: number[] = [];
    const toAnswer: number[] = [];
    for (let round = 0; round < 7; round++) {
      const before = writes.length;
      const sentMs = performance.now();
      const gateway = gateways[round % 2] as GatewayProcess;
      const answer = await ask(gateway.url, 'hello');
      expect(answer).toMatchObject({ status: 200, text: 'hello' });
      const raised = () => writes.slice(before).filter(({ what }) => what !== '0');
      await world.within(() => raised().length > 0, 'the answer of the write');
      const [up, ...more] = raised();
      expect([up?.what, more]).toEqual(['1', []]);
      toWrite.push((up?.atMs ?? 0) - sentMs);
      toAnswer.push(answer.atMs - world.readyAtMs);
      await world.scaleBack('hello');
      await world.within(() => wrote('hello').at(-1) === '0', 'the answer of the write of zero');
    }
    const shown = (values: number[]) => values.map((value) => value.toFixed(1)).sort((a, b) => Number(a) - Number(b));
    console.log(`request at zero → /scale written: ${shown(toWrite).join(' ')} ms`);
    console.log(`pod said to be ready → answer: ${shown(toAnswer).join(' ')} ms`);
  });

  it('never send a replica more than it can do at once, however many they are', async () => {
    let now = 0;
    let most = 0;
    const port = await world.serve((_request, response) => {
      now++;
      most = Math.max(most, now);
      setTimeout(() => {
        now--;
        response.end('done');
      }, 5);
    });
    await world.deploy('busy', port, 3, toZero);
    await run();
    await knows('busy');
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => ask((gateways[index % 2] as GatewayProcess).url, 'busy')),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(most).toBe(3);
  });

  it("serve by documents of KEDA's http-add-on, and by the trigger http of a ScaledObject", async () => {
    const { api } = world.cluster;
    const port = await world.serve((request, response) => response.end(request.headers.host));
    for (const name of ['shop', 'plain']) await world.deployAlone(name, port);
    await api.post('/apis/http.keda.sh/v1alpha1/namespaces/default/httpscaledobjects', {
      apiVersion: 'http.keda.sh/v1alpha1',
      kind: 'HTTPScaledObject',
      metadata: { name: 'shop' },
      spec: {
        hosts: ['shop.example'],
        scaleTargetRef: { name: 'shop', service: 'shop', port },
        replicas: { min: 0, max: 2 },
        scaledownPeriod: 1,
      },
    });
    await api.post('/apis/keda.sh/v1alpha1/namespaces/default/scaledobjects', {
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'ScaledObject',
      metadata: { name: 'plain', annotations: { 'ebb.dev/improvements': 'true' } },
      spec: {
        scaleTargetRef: { name: 'plain' },
        cooldownPeriod: 1,
        maxReplicaCount: 2,
        triggers: [{ type: 'http', metadata: { targetValue: '10', window: '1' } }],
      },
    });
    await run();
    await Promise.all([knows('shop'), knows('plain')]);
    const hosts = ['shop.example', 'plain.default', 'shop.default.svc.cluster.local'];
    const answers = await Promise.all(
      hosts.map((host, index) => ask((gateways[index % 2] as GatewayProcess).url, host)),
    );
    expect(answers.map(({ status, text }) => `${status} ${text}`)).toEqual(hosts.map((host) => `200 ${host}`));
    await Promise.all([world.scaleBack('shop'), world.scaleBack('plain')]);
  });

  it('lose none of the requests that they hold when the operator is killed', async () => {
    const port = await world.serve((_request, response) => response.end('late'));
    await world.deploy('late', port, 2, toZero);
    const first = world.startOperator('first');
    await knows('late');
    first.kill('SIGKILL');
    await once(first, 'exit');
    const answers = Promise.all(
      Array.from({ length: 20 }, (_, index) => ask((gateways[index % 2] as GatewayProcess).url, 'late')),
    );
    const held = async () => {
      let all = 0;
      for (const { url } of gateways) all += ((await (await fetch(`${url}/-/queue`)).json()) as { held: number }).held;
      return all === 20;
    };
    await world.within(held, 'twenty held');
    expect(await world.replicas('late')).toBe(0);
    const second = world.startOperator('second');
    expect((await answers).map(({ status, text }) => `${status} ${text}`)).toEqual(Array(20).fill('200 late'));
    second.kill('SIGTERM');
    await once(second, 'exit');
  });

  it.skipIf(process.env.KUBECONFIG_DISPOSABLE)(
    'hold what waits and break no stream while the API server is away for a minute',
    async () => {
      const port = await world.serve((request, response) => {
        if (request.url !== '/stream') return response.end('after');
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        // Longer than the outage: its end is told by the test.
        open.add(response);
        const timer = setInterval(() => response.write('data: more\n\n'), 1000);
        response.once('close', () => clearInterval(timer));
        return response;
      });
      const open = new Set<ServerResponse>();
      await Promise.all(['away', 'asleep'].map((name) => world.deploy(name, port, 20, toZero)));
      const { writes, wrote } = await run();
      await Promise.all([knows('away'), knows('asleep')]);
      let chunks = 0;
      const stream = ask(gateways[0].url, 'away', '/stream', () => chunks++);
      await world.within(() => chunks > 0, 'the first chunk');
      const waiting: ReturnType<typeof ask>[] = [];
      await world.withoutApiServer(async () => {
        for (let round = 0; round < 20; round++) {
          waiting.push(ask((gateways[round % 2] as GatewayProcess).url, round < 10 ? 'away' : 'asleep'));
        }
        // The length of the outage is what is tested.
        await new Promise((resolve) => setTimeout(resolve, 60_000));
      });
      const backMs = performance.now();
      const answers = await Promise.all(waiting);
      const written = writes.find(({ name }) => name === 'asleep')?.atMs ?? Number.NaN;
      const answered = Math.max(...answers.map(({ atMs }) => atMs));
      console.log(
        `API server back → /scale written: ${Math.round(written - backMs)} ms, answered: ${Math.round(answered - backMs)} ms`,
      );
      expect(answers.map(({ status, text }) => `${status} ${text}`)).toEqual(Array(20).fill('200 after'));
      expect(chunks).toBeGreaterThan(50);
      for (const response of open) response.end('data: last\n\n');
      expect(await stream).toMatchObject({
        status: 200,
        text: expect.stringMatching(/^(data: more\n\n)+data: last\n\n$/),
      });
      await Promise.all([world.scaleBack('away'), world.scaleBack('asleep')]);
      // The answer of a write comes after what others see of it.
      const areNoted = () => ['away', 'asleep'].every((name) => wrote(name).length >= 2);
      await world.within(areNoted, 'the answers of the last writes');
      expect([wrote('away'), wrote('asleep')]).toEqual([
        ['1', '0'],
        ['1', '0'],
      ]);
    },
  );

  it('break no stream: not when replicas go, and not when one of them goes', async () => {
    let mayEnd = false;
    const port = await world.serve((request, response) => {
      if (request.url !== '/stream') return response.end('short');
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      let chunk = 0;
      const timer = setInterval(() => {
        // The last one is told by the test: on a slow machine the rest takes longer than the stream would.
        if (chunk === 39 && !mayEnd) return;
        response.write(`data: ${++chunk}\n\n`);
        if (chunk < 40) return;
        clearInterval(timer);
        response.end();
      }, 100);
      return response;
    });
    await world.deploy('stream', port, 4, { ...toZero, maxReplicas: 2 });
    const { operator } = await run();
    await knows('stream');
    let chunks = 0;
    const stream = ask(gateways[0].url, 'stream', '/stream', () => chunks++);
    await world.within(() => chunks > 0, 'the first chunk');
    // A gateway goes while it carries a stream: it is not ready any more, and the other one has all that is new.
    await gateways[0].terminate();
    await world.within(async () => (await fetch(`${gateways[0].healthUrl}/healthz`)).status === 503, 'not ready');
    expect((await ask(gateways[1].url, 'stream')).text).toBe('short');
    expect(chunks).toBeLessThan(40);
    mayEnd = true;
    const whole = await stream;
    expect(whole.text.match(/data: \d+/g)).toHaveLength(40);
    expect(await gateways[0].ended).toBe(0);
    // And a replica goes: its stream ends first.
    mayEnd = false;
    let more = 0;
    const last = ask(gateways[1].url, 'stream', '/stream', () => more++);
    await world.within(() => more > 0, 'a chunk');
    await world.cluster.api.patch('/apis/ebb.dev/v1alpha1/namespaces/default/workloads/stream', {
      spec: { scaling: { paused: { replicas: 0 } } },
    });
    await world.within(
      () =>
        operator.leading()?.engine.status({ cluster: 'local', namespace: 'default', name: 'stream' })?.replicas
          .draining === 1,
      'a replica that drains',
    );
    expect(await world.replicas('stream')).toBe(1);
    mayEnd = true;
    expect((await last).text.match(/data: \d+/g)).toHaveLength(40);
    await world.scaleBack('stream');
  });
});
