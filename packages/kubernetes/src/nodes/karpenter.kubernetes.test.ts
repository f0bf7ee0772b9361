import {
  available,
  installKarpenterKinds,
  type KubernetesCluster,
  type Service,
  startKarpenter,
  startKubernetes,
  until,
} from '@ebb/testing/services';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openCluster } from '../client/kubeConfig.ts';
import { runOperator, type StartedOperator, ToldTriggers } from '../fake/operator.fixture.ts';
import {
  claimsPath,
  deployPods,
  endAllPods,
  endPods,
  installMachineKinds,
  karpenterNodes,
  makePools,
  nodesPath,
  offering,
  podsPath,
  scalePods,
} from './karpenterCluster.fixture.ts';

const terminating = 'karpenter.sh/termination';

interface Claim {
  metadata: { name: string; finalizers?: string[]; labels: Record<string, string> };
  status?: { nodeName?: string; conditions?: { type: string; status: string }[] };
}
interface Node {
  metadata: { name: string; labels: Record<string, string> };
  spec: { providerID?: string; taints?: { key: string }[] };
}
interface Pod {
  metadata: { name: string };
  spec: { nodeName?: string };
  status: { phase: string };
}

/** Karpenter itself, with its own definitions: what is written to it is what it takes, and it does what is counted on. */
describe.skipIf(!available('kubernetes') || !available('karpenter'))('machines by Karpenter’s own controller', () => {
  let cluster: KubernetesCluster;
  let karpenter: Service;
  let one: StartedOperator | null = null;

  beforeAll(async () => {
    cluster = await startKubernetes();
    const { api } = cluster;
    await installMachineKinds(api);
    await installKarpenterKinds(api);
    await api.post('/apis/karpenter.kwok.sh/v1alpha1/kwoknodeclasses', {
      apiVersion: 'karpenter.kwok.sh/v1alpha1',
      kind: 'KWOKNodeClass',
      metadata: { name: 'default' },
      spec: {},
    });
    karpenter = await startKarpenter(cluster);
    await makePools(api, {
      plain: {
        instanceTypes: ['m-4x-amd64-linux'],
        labels: { 'shop.example/tier': 'batch' },
        karpenter: { nodeClassRef: { group: 'karpenter.kwok.sh', kind: 'KWOKNodeClass', name: 'default' } },
      },
    });
    const opened = { server: cluster.url, triggers: new ToldTriggers(), leaseMs: 60_000 };
    const machines = [offering('m-4x-amd64-linux', 4, 16, 0, 134_359)];
    const { transport } = await openCluster({ path: cluster.kubeconfig });
    one = await runOperator({ ...opened, identity: 'a', transport, nodes: karpenterNodes(machines) });
    await one.operator.ready;
  });
  afterEach(() => endAllPods(cluster.api));
  afterAll(async () => {
    await one?.stop();
    await karpenter?.stop();
    await cluster?.close();
  });

  const within = (check: () => Promise<boolean> | boolean, what: string) =>
    until(check, {
      withinMs: 120_000,
      what: () => `${what}\n${one?.log.slice(-20).join('\n')}\n${said()}`,
    });
  const said = () => {
    const text = karpenter?.log() ?? '';
    return text.includes('panic') ? text.slice(text.indexOf('panic'), text.indexOf('panic') + 6000) : text.slice(-3000);
  };
  const items = async <Item>(path: string) => (await cluster.api.get<{ items: Item[] }>(path)).items;
  const claims = () => items<Claim>(claimsPath);
  const nodes = () => items<Node>(nodesPath);
  const pods = () => items<Pod>(podsPath);
  const isRunning = async (count: number) => {
    const all = await pods();
    return all.length === count && all.every(({ status }) => status.phase === 'Running');
  };
  const deploy = (name: string, replicas: number, cpu: string) =>
    deployPods(cluster.api, { name, replicas, resources: { requests: { cpu, memory: '1Gi' } } });
  const gone = () =>
    within(async () => (await claims()).length === 0 && (await nodes()).length === 0, 'no machine is left');

  it('buys one for pods that wait, as a node with the labels of its pool, and gives it back when they are gone', async () => {
    const askedMs = performance.now();
    await deploy('web', 2, '1');
    await within(() => isRunning(2), 'two pods that run');
    console.log(`two pods wait → they run on a machine of Karpenter's: ${Math.round(performance.now() - askedMs)} ms`);
    // What runs is there before the claim says so.
    const isTrue = ({ status }: Claim, type: string) =>
      status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') === true;
    await within(async () => {
      const [first] = await claims();
      return first?.status?.nodeName !== undefined && isTrue(first, 'Launched') && isTrue(first, 'Registered');
    }, 'a claim that is launched and registered, with its node');
    const [claim, ...more] = await claims();
    expect(more).toEqual([]);
    expect(claim?.metadata.finalizers).toContain(terminating);
    const [node, ...others] = await nodes();
    expect(others).toEqual([]);
    expect(node?.spec.providerID).toMatch(/^kwok:/);
    expect(node?.metadata.labels).toMatchObject({
      'shop.example/tier': 'batch',
      'node.kubernetes.io/instance-type': 'm-4x-amd64-linux',
      'karpenter.sh/capacity-type': 'on-demand',
    });
    await endPods(cluster.api, 'web');
    await gone();
  });

  it('buys no more than are needed, moves pods together when fewer are, and ends what is empty', async () => {
    await deploy('many', 6, '1500m');
    await within(() => isRunning(6), 'six pods that run');
    expect((await claims()).length).toBe(3);
    await scalePods(cluster.api, 'many', 2);
    await within(async () => (await claims()).length === 1 && (await isRunning(2)), 'two pods on one machine');
    await endPods(cluster.api, 'many');
    await gone();
  });

  it('goes on when Karpenter ends a machine by itself, as for a claim that somebody deletes', async () => {
    await deploy('kept', 2, '1');
    await within(() => isRunning(2), 'two pods that run');
    const [first] = await claims();
    await cluster.api.send('DELETE', `${claimsPath}/${first?.metadata.name}`);
    await within(async () => {
      const [now, ...more] = await claims();
      return now !== undefined && more.length === 0 && now.metadata.name !== first?.metadata.name && isRunning(2);
    }, 'another machine in its place');
    await endPods(cluster.api, 'kept');
    await gone();
  });
});
