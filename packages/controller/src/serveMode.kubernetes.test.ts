import type { ToGateway } from '@ebb/core';
import { type GatewayPorts, installManifests } from '@ebb/kubernetes';
import { available, startKubernetes } from '@ebb/testing/services';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { clusterGateways } from './clusterGateways.ts';
import { ask, GatewayCluster, type GatewayProcess, system } from './gatewayCluster.fixture.ts';
import { runOperator } from './gatewayOperator.fixture.ts';

const graceMs = 1000;
/** How much later the played proxy of the cluster hears of new endpoints: within the grace. */
const lagMs = 400;
const group = 'discovery.k8s.io/v1';

interface Slice {
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly endpoints: readonly {
    readonly addresses: readonly string[];
    readonly nodeName?: string;
    readonly targetRef?: { readonly kind: string; readonly name: string };
  }[];
  readonly ports: readonly { readonly port: number }[];
}

interface Pod {
  readonly metadata: { readonly deletionTimestamp?: string };
  readonly status: { readonly podIP?: string };
}

/** Pods have addresses at which nobody listens: gateways are reached on this machine, and reach pods there. */
function onThisMachine(ports: GatewayPorts): GatewayPorts {
  const here = (message: ToGateway): ToGateway => {
    const moved = (workload: Extract<ToGateway, { type: 'workload' }>['workload']) => ({
      ...workload,
      endpoints: workload.endpoints.map((endpoint) => ({ ...endpoint, host: '127.0.0.1' })),
    });
    if (message.type === 'sync') return { ...message, workloads: message.workloads.map(moved) };
    return message.type === 'workload' ? { ...message, workload: moved(message.workload) } : message;
  };
  return {
    ...ports,
    async connect(call) {
      const connection = await ports.connect({ ...call, host: '127.0.0.1' });
      const { send } = connection;
      connection.send = (message) => send(here(message));
      return connection;
    },
  };
}

describe.skipIf(!available('kubernetes'))('gateways out of the path of a Service, on a real API server', () => {
  let world: GatewayCluster;
  const gateways = new Map<string, GatewayProcess>();
  const undo: (() => unknown)[] = [];
  const addresses = new Map<string, string>();
  let load = 0;
  let loadPort = 0;
  let podPort = 0;
  let kubeconfig = '';

  const addressOf = (pod: string) => {
    const known = addresses.get(pod) ?? `192.0.2.${addresses.size + 1}`;
    addresses.set(pod, known);
    return known;
  };

  /** The operator has the rights that are installed for this, and no others. */
  async function installRights(): Promise<string> {
    const { api } = world.cluster;
    for (const manifest of installManifests({ withoutKinds: true, serveServices: 'true' })) {
      const { apiVersion, kind, metadata } = manifest;
      if (!apiVersion.startsWith('rbac.') && kind !== 'ServiceAccount') continue;
      const base = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
      const within = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
      await api.apply(`${base}${within}/${kind.toLowerCase()}s/${metadata.name}`, manifest, { force: true });
    }
    const { status } = await api.post<{ status: { token: string } }>(
      `/api/v1/namespaces/${system}/serviceaccounts/ebb/token`,
      { spec: { expirationSeconds: 3600 } },
    );
    return world.cluster.kubeconfigFor({ name: 'ebb', token: status.token });
  }

  async function run() {
    const gateways = { ...onThisMachine(clusterGateways()), serveServices: true };
    const one = await runOperator(world, { gateways, kubeconfig, statusGapMs: 500 });
    undo.push(() => one.stop());
    return { ...one, status: (name: string) => one.operator.leading()?.engine.status(keyOf(name)) ?? null };
  }
  const keyOf = (name: string) => ({ cluster: 'local', namespace: 'default', name });

  async function slice(name: string): Promise<Slice | null> {
    const answer = await world.cluster.api.send('GET', `/apis/${group}/namespaces/default/endpointslices/${name}-ebb`);
    return answer.status === 200 ? (JSON.parse(answer.text) as Slice) : null;
  }
  const ipsOf = (found: Slice | null) => (found?.endpoints ?? []).flatMap((one) => one.addresses).sort();
  const gatewayIps = () => [...gateways.keys()].sort();
  /** Addresses of pods that are there and are not told to end. */
  const podsOf = async (app: string) =>
    (
      await world.cluster.api.get<{ items: Pod[] }>(`/api/v1/namespaces/default/pods?labelSelector=app%3D${app}`)
    ).items.flatMap(({ metadata, status }) =>
      metadata.deletionTimestamp === undefined && status.podIP ? [status.podIP] : [],
    );

  /** A client behind the proxy of the cluster: each request goes to what a slice said a moment ago. */
  function client(service: string, app: string) {
    const seen: { atMs: number; ips: string[] }[] = [];
    const failed: string[] = [];
    const refused: string[] = [];
    const paths = { gateway: 0, direct: 0 };
    const ending = new AbortController();
    const watch = async () => {
      while (!ending.signal.aborted) {
        seen.push({ atMs: performance.now(), ips: ipsOf(await slice(service)) });
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    const once = async () => {
      const { ips = [], atMs: seenMs = 0 } = seen.findLast(({ atMs }) => atMs <= performance.now() - lagMs) ?? {};
      const ip = ips[(paths.gateway + paths.direct) % Math.max(1, ips.length)];
      if (ip === undefined) return;
      const gateway = gateways.get(ip);
      // A proxy that hears of nothing for longer than the grace, as on a machine that stands still, was promised nothing.
      const isGone = !gateway && !(await podsOf(app)).includes(ip);
      if (isGone && performance.now() - seenMs < graceMs) failed.push(`${ip} has gone`);
      const url = gateway?.url ?? `http://127.0.0.1:${podPort}`;
      const answer = await ask(url, `${service}.default.svc`).catch((error: unknown) => ({
        status: 0,
        text: String(error),
      }));
      paths[gateway ? 'gateway' : 'direct']++;
      if (answer.status !== 200) (gateway ? refused : failed).push(`${ip}: ${answer.status} ${answer.text}`);
    };
    const run = async () => {
      while (!ending.signal.aborted) {
        await once();
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    const running = Promise.all([watch(), run()]);
    const stop = async () => {
      ending.abort();
      await running;
    };
    undo.push(stop);
    return { paths, failed, refused, stop };
  }

  async function deploy(name: string, triggers: readonly object[]): Promise<void> {
    const { api } = world.cluster;
    await world.deployAlone(name, podPort);
    await api.post('/apis/keda.sh/v1alpha1/namespaces/default/scaledobjects', {
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'ScaledObject',
      metadata: { name, annotations: { 'ebb.dev/improvements': 'true' } },
      spec: {
        scaleTargetRef: { name },
        ...{ cooldownPeriod: 1, pollingInterval: 1, maxReplicaCount: 3 },
        advanced: {
          horizontalPodAutoscalerConfig: {
            behavior: {
              scaleDown: { stabilizationWindowSeconds: 0, policies: [{ type: 'Pods', value: 10, periodSeconds: 1 }] },
            },
          },
        },
        triggers,
      },
    });
  }
  const expose = (name: string, workload: string) =>
    world.cluster.api.post('/api/v1/namespaces/default/services', {
      metadata: {
        name,
        labels: { 'ebb.dev/gateway': 'serve' },
        annotations: {
          'ebb.dev/workload': workload,
          'ebb.dev/target-burst-capacity': '10',
          'ebb.dev/serve-after': '1s',
          'ebb.dev/endpoint-grace': `${graceMs}ms`,
        },
      },
      spec: { ports: [{ name: 'http', port: 80 }] },
    });
  const measured = () => ({
    type: 'metrics-api',
    metadata: { url: `http://127.0.0.1:${loadPort}/`, valueLocation: 'load', targetValue: '10' },
  });
  const becomes = async (service: string, ips: () => Promise<string[]> | string[], what: string) => {
    let last = '';
    await world.within(async () => {
      const [wanted, found] = [await ips(), ipsOf(await slice(service))];
      if (last !== `${found}`) world.note(`${service}: ${found}; ${what} are ${wanted}`);
      last = `${found}`;
      return wanted.length > 0 && `${found}` === `${wanted.toSorted()}`;
    }, what);
  };

  beforeAll(async () => {
    world = new GatewayCluster(await startKubernetes(), { addressOf });
    await world.install();
    kubeconfig = await installRights();
    loadPort = await world.serve((_request, response) => response.end(JSON.stringify({ load })));
    podPort = await world.serve((_request, response) => response.end('pod'));
    await run();
    for (let index = 0; index < 2; index++) {
      const gateway = await world.startGateway();
      gateways.set(addressOf(gateway.name), gateway);
    }
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

  it('from zero to the pods and back to zero, and no request meets a pod that has gone', async () => {
    const { api } = world.cluster;
    load = 0;
    await deploy('llm', [
      { type: 'http', metadata: { scalingMetric: 'requestRate', targetValue: '1000', window: '2' } },
      measured(),
    ]);
    await expose('front', 'llm');
    const foreign = `/apis/${group}/namespaces/default/endpointslices`;
    await api.post(foreign, {
      metadata: { name: 'front-by-hand', labels: { 'kubernetes.io/service-name': 'front' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['198.51.100.7'] }],
      ports: [{ name: 'http', port: 80 }],
    });
    const foreignText = async () => JSON.stringify(await api.get(`${foreign}/front-by-hand`));
    const before = await foreignText();
    const first = await run();
    await becomes('front', gatewayIps, 'the gateways at zero');
    // Held by a gateway until there is a pod. Nothing else asks for one, so that the gateways stay.
    const { paths, failed, refused, stop } = client('front', 'llm');
    await world.within(() => paths.gateway > 5, 'requests through the gateways');
    expect(first.status('llm')).toMatchObject({ replicas: { wanted: 1, ready: 1 } });
    expect(paths.direct).toBe(0);
    // The load is measured elsewhere by now, and there is room.
    load = 25;
    await world.within(() => first.status('llm')?.replicas.ready === 3, 'three replicas');
    await becomes('front', () => podsOf('llm'), 'the pods');
    const served = await slice('front');
    expect(served?.ports).toMatchObject([{ port: podPort }]);
    expect(served?.endpoints[0]).toMatchObject({ nodeName: 'by-hand', targetRef: { kind: 'Pod' } });
    await world.within(() => paths.direct > 20, 'requests to the pods');
    // Another operator goes on from there, without a write.
    await first.operator.stop();
    const second = await run();
    await world.within(() => second.status('llm')?.replicas.ready === 3, 'the replicas of the next operator');
    await world.within(() => second.operator.leading()?.servedServices()[0]?.isDirect === true, 'the path');
    expect((await slice('front'))?.metadata.resourceVersion).toBe(served?.metadata.resourceVersion);
    expect(second.writes).toEqual([]);
    // One of them goes: out of the slice first.
    load = 15;
    await world.within(async () => (await world.replicas('llm')) === 2, 'two replicas');
    // Nothing else asks for a replica: the gateways are back, and see that somebody still comes.
    load = 0;
    await becomes('front', gatewayIps, 'the gateways before zero');
    const since = paths.gateway;
    await world.within(() => paths.gateway > since + 200, 'requests through the gateways');
    expect(second.status('llm')).toMatchObject({ replicas: { wanted: 1, ready: 1 } });
    await stop();
    await world.scaleBack('llm');
    expect([failed, refused]).toEqual([[], []]);
    expect(ipsOf(await slice('front'))).toEqual(gatewayIps());
    const { writes } = second;
    await world.within(() => writes.at(-1)?.what === '0', 'the answer of the last write');
    const told = ['front-ebb serve', 'llm 2', 'front-ebb proxy', 'llm 1', 'llm 0'];
    expect(writes.map(({ name, what }) => `${name} ${what}`)).toEqual(told);
    for (const at of [1, 3]) {
      expect((writes[at]?.atMs ?? 0) - (writes[at - 1]?.atMs ?? 0)).toBeGreaterThanOrEqual(graceMs);
    }
    const conditions = async () =>
      (
        await api.get<{ status: { conditions?: readonly { type: string; status: string; reason: string }[] } }>(
          '/api/v1/namespaces/default/services/front',
        )
      ).status.conditions;
    await world.within(async () => (await conditions())?.[0]?.reason === 'NoReplica', 'the condition');
    expect(await conditions()).toMatchObject([{ type: 'ebb.dev/OutOfPath', status: 'False' }]);
    // Without the label nothing of Ebb's is left.
    await api.patch('/api/v1/namespaces/default/services/front', { metadata: { labels: { 'ebb.dev/gateway': null } } });
    await world.within(async () => (await slice('front')) === null, 'its slice to go');
    await world.within(async () => ((await conditions()) ?? []).length === 0, 'its condition to go');
    expect(await foreignText()).toBe(before);
  });

  it('all pods go at once: the gateways are there before the count is written', async () => {
    load = 15;
    await deploy('model', [measured()]);
    await expose('model', 'model');
    const { writes, wrote, status } = await run();
    await world.within(() => status('model')?.replicas.ready === 2, 'two replicas');
    await becomes('model', () => podsOf('model'), 'the pods');
    const { paths, failed, refused } = client('model', 'model');
    await world.within(() => paths.direct > 5, 'requests to the pods');
    await world.cluster.api.patch('/apis/keda.sh/v1alpha1/namespaces/default/scaledobjects/model', {
      metadata: { annotations: { 'autoscaling.keda.sh/paused-replicas': '0' } },
    });
    await becomes('model', gatewayIps, 'the gateways');
    await world.scaleBack('model');
    await world.within(async () => (await podsOf('model')).length === 0 && refused.length > 20, 'answers of gateways');
    expect(failed).toEqual([]);
    await world.within(() => wrote('model').at(-1) === '0', 'the answer of the last write');
    const [proxied, zero] = writes.slice(-2);
    expect([proxied?.what, zero?.what]).toEqual(['proxy', '0']);
    expect((zero?.atMs ?? 0) - (proxied?.atMs ?? 0)).toBeGreaterThanOrEqual(graceMs);
  });
});
