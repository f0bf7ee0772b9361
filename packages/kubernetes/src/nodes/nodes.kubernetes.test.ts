import { MemoryStore } from '@ebb/testing';
import { available, type KubernetesCluster, startKubernetes, until } from '@ebb/testing/services';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openCluster } from '../client/kubeConfig.ts';
import type { Transport } from '../client/transport.ts';
import { runOperator, type StartedOperator, ToldTriggers } from '../fake/operator.fixture.ts';
import { installManifests } from '../manifests/install.ts';
import {
  claimsPath,
  deployPods,
  ebbPath,
  endAllPods,
  installMachineKinds,
  installNodeClaims,
  karpenterNodes,
  makePools,
  nodesPath,
  PlayedKarpenter,
  podsPath,
  scalePods,
} from './karpenterCluster.fixture.ts';

/** Of leases that are to run out. */
const handedOverMs = 3000;
const budgetsPath = '/apis/policy/v1/namespaces/default/poddisruptionbudgets';

interface Named {
  metadata: { name: string; labels?: Record<string, string> };
}
interface Node extends Named {
  spec: { unschedulable?: boolean };
}
interface Pod extends Named {
  spec: { nodeName?: string };
}

describe.skipIf(!available('kubernetes'))('nodes for pods that wait, on a real API server', () => {
  let cluster: KubernetesCluster;
  let karpenter: PlayedKarpenter;
  /** Of the service account that is installed: everything here is done with its rights. */
  let kubeconfig: string;
  const started: StartedOperator[] = [];

  beforeAll(async () => {
    cluster = await startKubernetes();
    await cluster.addNodes(1, { prefix: 'foreign', resources: { cpu: '2', memory: '4Gi' } });
    await installMachineKinds(cluster.api);
    await installNodeClaims(cluster.api);
    kubeconfig = await accountOfOperator(cluster);
    const karpenter = { nodeClassRef: { name: 'default' } };
    const taints = [{ key: 'nvidia.com/gpu', effect: 'NoSchedule' }];
    await makePools(cluster.api, {
      gpu: { instanceTypes: ['g5.xlarge', 'g5.12xlarge'], taints, karpenter },
      plain: { instanceTypes: ['m7i.xlarge'], taints: [], karpenter },
    });
  });
  beforeEach(() => {
    karpenter = new PlayedKarpenter(cluster);
  });
  afterEach(async () => {
    await endAllPods(cluster.api);
    try {
      await within(async () => (await claims()).length === 0, 'the end of all claims');
    } finally {
      for (const one of started.splice(0)) await one.stop();
      await karpenter.stop();
    }
  });
  afterAll(() => cluster?.close());

  const logs = () => started.flatMap(({ log }) => log.slice(-25)).join('\n');
  const within = (check: () => Promise<boolean> | boolean, what: string, withinMs = 90_000) =>
    until(check, { withinMs, what: () => `${what}\n${logs()}` });
  const claims = async () =>
    (await cluster.api.get<{ items: Named[] }>(claimsPath)).items.map(({ metadata }) => metadata.name);
  const nodes = async () => (await cluster.api.get<{ items: Node[] }>(nodesPath)).items;
  const pods = async () => (await cluster.api.get<{ items: Pod[] }>(podsPath)).items;
  type Change = (transport: Transport) => Transport;
  interface More {
    embedded?: MemoryStore;
    change?: Change;
    leaseMs?: number;
  }
  async function run(
    identity: string,
    { embedded = new MemoryStore(), change = (same) => same, leaseMs = 60_000 }: More = {},
  ): Promise<StartedOperator> {
    const opened = await openCluster({ path: kubeconfig });
    const { server } = opened;
    const transport = change(opened.transport);
    const triggers = new ToldTriggers();
    const one = await runOperator({
      server,
      identity,
      triggers,
      transport,
      embedded,
      nodes: karpenterNodes(),
      leaseMs,
    });
    started.push(one);
    return one;
  }
  const deploy = (name: string, replicas: number, requests: Record<string, string>) =>
    deployPods(cluster.api, {
      ...{ name, replicas, resources: { requests, limits: requests } },
      pod: { tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists' }] },
    });
  const isPlaced = async (count: number) => {
    const all = await pods();
    return all.length === count && all.every(({ spec }) => spec.nodeName !== undefined);
  };

  it('makes a GPU node of nothing for one pod, and is at zero again when the pod has gone', async () => {
    await (await run('a')).operator.ready;
    const askedMs = performance.now();
    await deploy('llm', 1, { cpu: '2', 'nvidia.com/gpu': '1' });
    await within(async () => (await claims()).length === 1, 'a claim');
    console.log(`pod waits → NodeClaim written: ${Math.round(performance.now() - askedMs)} ms`);
    await within(() => isPlaced(1), 'the pod on a node');
    console.log(
      `pod waits → placed by the scheduler: ${Math.round(performance.now() - askedMs)} ms (played Karpenter)`,
    );
    const [claim = ''] = await claims();
    const node = (await nodes()).find(({ metadata }) => metadata.labels?.['ebb.dev/node'] === claim);
    expect((await pods())[0]?.spec.nodeName).toBe(node?.metadata.name);
    expect(node?.metadata.labels).toMatchObject({
      'node.kubernetes.io/instance-type': 'g5.xlarge',
      'ebb.dev/pool': 'prod_default_gpu',
      'ebb.dev/cluster': 'prod',
    });
    const status = async (path: string) => (await cluster.api.get<{ status?: unknown }>(`${ebbPath}/${path}`)).status;
    await within(async () => JSON.stringify(await status('nodepools/gpu')).includes('"readyNodes":1'), 'the status');
    expect(await status('nodepools/gpu')).toMatchObject({ nodes: 1, conditions: [{ type: 'Ready', status: 'True' }] });
    // Of another object, whose status is written by itself.
    await within(async () => JSON.stringify(await status('clusters/prod')).includes('"readyNodes":1'), 'the cluster');
    expect(await status('clusters/prod')).toMatchObject({ provider: 'karpenter', nodes: 1, readyNodes: 1, waiting: 0 });
    const gone = performance.now();
    await scalePods(cluster.api, 'llm', 0);
    await within(async () => (await claims()).length === 0, 'no claim');
    console.log(`pod gone → NodeClaim deleted: ${Math.round(performance.now() - gone)} ms (delay 1 s)`);
    expect((await nodes()).map(({ metadata }) => metadata.name)).toEqual(['foreign-1']);
    expect(karpenter.claims.size).toBe(1);
  });

  it('buys what several pods need together, in the cheapest way', async () => {
    await (await run('a')).operator.ready;
    await deploy('four', 4, { cpu: '3', 'nvidia.com/gpu': '1' });
    await within(() => isPlaced(4), 'four pods on nodes');
    expect(karpenter.claims.size).toBe(4);
    const types = (await nodes()).flatMap(
      ({ metadata }) => metadata.labels?.['node.kubernetes.io/instance-type'] ?? [],
    );
    expect(types).toEqual(['g5.xlarge', 'g5.xlarge', 'g5.xlarge', 'g5.xlarge']);
  });

  it('waits for a disruption budget, and never touches a node of others', async () => {
    await (await run('a')).operator.ready;
    await deploy('guarded', 1, { cpu: '3', 'nvidia.com/gpu': '1' });
    await deploy('small', 1, { cpu: '1' });
    await within(() => isPlaced(2), 'both pods');
    expect((await pods()).map(({ spec }) => spec.nodeName)).toContain('foreign-1');
    await cluster.api.post(budgetsPath, {
      metadata: { name: 'guarded' },
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'guarded' } } },
    });
    await within(async () => {
      const { status } = await cluster.api.get<{ status?: { currentHealthy?: number } }>(`${budgetsPath}/guarded`);
      return status?.currentHealthy === 1;
    }, 'the budget');
    const before = (await pods()).find(({ metadata }) => metadata.name.startsWith('guarded'))?.metadata.name;
    // Its labels change: the node is of an older kind than its pool makes now.
    await cluster.api.patch(`${ebbPath}/nodepools/gpu`, { spec: { labels: { tier: 'new' } } });
    const isRefused = () => started.some(({ log }) => log.some((line) => line.includes('may not leave yet')));
    await within(isRefused, 'the refusal');
    const cordoned = (await nodes()).filter(({ spec }) => spec.unschedulable);
    expect(cordoned.length).toBe(1);
    expect(cordoned[0]?.metadata.labels?.['ebb.dev/cluster']).toBe('prod');
    expect((await pods()).map(({ metadata }) => metadata.name)).toContain(before);
    await cluster.api.send('DELETE', `${budgetsPath}/guarded`);
    await within(async () => !(await pods()).some(({ metadata }) => metadata.name === before), 'the pod to leave');
    await within(async () => (await claims()).length === 1 && (await isPlaced(2)), 'one node of the new kind');
    const left = (await nodes()).filter(({ metadata }) => metadata.labels?.['ebb.dev/cluster'] === 'prod');
    expect(left.map(({ metadata }) => metadata.labels?.tier)).toEqual(['new']);
    expect((await nodes()).find(({ metadata }) => metadata.name === 'foreign-1')?.spec.unschedulable).toBeUndefined();
    await cluster.api.patch(`${ebbPath}/nodepools/gpu`, { spec: { labels: null } });
  });

  it('makes one node though the operator is killed at any moment', async () => {
    const more = { embedded: new MemoryStore(), leaseMs: handedOverMs };
    const first = await run('a', more);
    await first.operator.ready;
    await deploy('once', 1, { cpu: '2', 'nvidia.com/gpu': '1' });
    await within(async () => (await claims()).length === 1, 'a claim');
    first.kill();
    const second = await run('b', more);
    await second.operator.ready;
    await within(() => isPlaced(1), 'the pod on a node');
    second.kill();
    const third = await run('c', more);
    await third.operator.ready;
    await within(() => third.log.some((line) => line.includes('decides')), 'the third to decide');
    expect(karpenter.claims.size).toBe(1);
    expect(await claims()).toEqual([...karpenter.claims]);
  });

  it.each(['before', 'after'])(
    'makes one node though the operator is killed right %s it writes the claim',
    async (when) => {
      const more = { embedded: new MemoryStore(), leaseMs: handedOverMs };
      const killed = Promise.withResolvers<void>();
      let first: StartedOperator | null = null;
      const change: Change = (inner) => ({
        ...inner,
        async send(request) {
          const isClaim = request.method === 'PATCH' && request.path.includes('/nodeclaims/');
          if (!isClaim) return inner.send(request);
          if (when === 'after') await inner.send(request);
          first?.kill();
          killed.resolve();
          return new Promise<never>(() => {});
        },
      });
      first = await run('a', { ...more, change });
      await first.operator.ready;
      await deploy('once', 1, { cpu: '2', 'nvidia.com/gpu': '1' });
      await killed.promise;
      expect((await claims()).length).toBe(when === 'after' ? 1 : 0);
      await (await run('b', more)).operator.ready;
      await within(() => isPlaced(1), 'the pod on a node');
      expect([karpenter.claims.size, karpenter.made.length]).toEqual([1, 1]);
    },
  );

  it('leaves pods alone that say so', async () => {
    await (await run('a')).operator.ready;
    const metadata = { name: 'apart', annotations: { 'ebb.dev/node-pools': 'ignore' } };
    const limits = { cpu: '1', 'nvidia.com/gpu': '1' };
    const tolerations = [{ key: 'nvidia.com/gpu', operator: 'Exists' }];
    const containers = [{ name: 'main', image: 'worker', resources: { limits } }];
    await cluster.api.post(podsPath, { metadata, spec: { tolerations, containers } });
    await deploy('plain', 1, { cpu: '3' });
    await within(
      async () => (await pods()).some(({ metadata, spec }) => metadata.name !== 'apart' && spec.nodeName),
      'the other',
    );
    expect(karpenter.claims.size).toBe(1);
    expect((await pods()).find(({ metadata: { name } }) => name === 'apart')?.spec.nodeName).toBeUndefined();
    await cluster.api.send('DELETE', `${podsPath}/apart`);
  });
});

/** Installs the service account with its rights and gives a kubeconfig of it. */
async function accountOfOperator(cluster: KubernetesCluster): Promise<string> {
  const { api } = cluster;
  const manifests = installManifests({ namespace: 'default', nodePools: 'true', withoutKinds: true });
  for (const manifest of manifests) {
    const { apiVersion, kind, metadata } = manifest;
    const isRight = apiVersion.startsWith('rbac.') || kind === 'ServiceAccount';
    if (!isRight) continue;
    const base = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
    const within = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
    await api.apply(`${base}${within}/${kind.toLowerCase()}s/${metadata.name}`, manifest, { force: true });
  }
  const { status } = await api.post<{ status: { token: string } }>(
    '/api/v1/namespaces/default/serviceaccounts/ebb/token',
    {
      spec: { expirationSeconds: 3600 },
    },
  );
  return cluster.kubeconfigFor({ name: 'operator', token: status.token });
}
