import { fleetStep, type Offering } from '@ebb/core';
import { customResourceDefinition } from '@ebb/documents';
import { openProvider } from '@ebb/providers';
import { installKind, type KubernetesApi, type KubernetesCluster, until } from '@ebb/testing/services';
import { machineClock } from '../fake/fakeCluster.fixture.ts';
import type { OperatorNodes } from './leadNodes.ts';

export const claimsPath = '/apis/karpenter.sh/v1/nodeclaims';
export const podsPath = '/api/v1/namespaces/default/pods';
export const nodesPath = '/api/v1/nodes';
export const ebbPath = '/apis/ebb.dev/v1alpha1/namespaces/default';
const deploymentsPath = '/apis/apps/v1/namespaces/default/deployments';

const gib = 1024 ** 3;

/** A machine that tests may buy. */
export function offering(
  name: string,
  cpus: number,
  memoryGib: number,
  gpus: number,
  pricePerHourMicro: number,
): Offering {
  const gpu = { vendor: 'nvidia', model: 'A10G', count: gpus, memoryBytes: 24 * gib } as const;
  return {
    id: `aws/us-east-1/*/${name}/on-demand`,
    instanceType: {
      name,
      cloud: 'aws',
      architecture: 'amd64',
      cpuMilli: cpus * 1000,
      memoryBytes: memoryGib * gib,
      gpu: gpus > 0 ? gpu : null,
      maxPods: 110,
      labels: { 'kubernetes.io/arch': 'amd64', 'kubernetes.io/os': 'linux', 'node.kubernetes.io/instance-type': name },
    },
    region: 'us-east-1',
    zone: '*',
    capacityType: 'on-demand',
    pricePerHourMicro,
  };
}

export const machines = [
  offering('m7i.xlarge', 4, 16, 0, 201_600),
  offering('g5.xlarge', 4, 16, 1, 1_006_000),
  offering('g5.12xlarge', 48, 192, 4, 5_672_000),
];

/** Ebb's kinds, as far as machines are concerned. */
export async function installMachineKinds(api: KubernetesApi): Promise<void> {
  for (const kind of ['Cluster', 'NodePool', 'Workload'] as const) {
    await api.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', customResourceDefinition(kind));
  }
  for (const plural of ['clusters', 'nodepools', 'workloads']) {
    await until(async () => (await api.send('GET', `${ebbPath}/${plural}`)).status === 200, {
      withinMs: 60_000,
      what: () => `the kind of ${plural}`,
    });
  }
}

/** A cluster whose machines are Karpenter's, with pools that are put together as soon as they can be. */
export async function makePools(api: KubernetesApi, pools: Readonly<Record<string, object>>): Promise<void> {
  const apiVersion = 'ebb.dev/v1alpha1';
  await api.post(`${ebbPath}/clusters`, {
    apiVersion,
    kind: 'Cluster',
    metadata: { name: 'prod' },
    spec: { type: 'kubernetes', cloud: 'aws', region: 'us-east-1', provisioner: 'karpenter' },
  });
  for (const [name, spec] of Object.entries(pools)) {
    const soon = { consolidation: { delay: '1s' }, disruptionBudgets: [{ nodes: '100%' }] };
    const metadata = { name };
    await api.post(`${ebbPath}/nodepools`, {
      ...{ apiVersion, kind: 'NodePool', metadata },
      spec: { cluster: 'prod', ...soon, ...spec },
    });
  }
}

/** A Deployment whose pods have one container; `pod`: what else there is to them. */
export function deployPods(
  api: KubernetesApi,
  { name, replicas, resources, pod = {} }: { name: string; replicas: number; resources: object; pod?: object },
): Promise<unknown> {
  const labels = { app: name };
  const containers = [{ name: 'main', image: 'worker', resources }];
  return api.post(deploymentsPath, {
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers, ...pod } },
    },
  });
}

export async function scalePods(api: KubernetesApi, name: string, replicas: number): Promise<void> {
  await api.patch(`${deploymentsPath}/${name}`, { spec: { replicas } });
}

export async function endPods(api: KubernetesApi, name: string): Promise<void> {
  await api.send('DELETE', `${deploymentsPath}/${name}`);
}

export async function endAllPods(api: KubernetesApi): Promise<void> {
  const { items } = await api.get<{ items: { metadata: { name: string } }[] }>(deploymentsPath);
  for (const { metadata } of items) await endPods(api, metadata.name);
}

/** Karpenter as what makes machines, decided on in this process. */
export function karpenterNodes(offerings: readonly Offering[] = machines): OperatorNodes {
  return {
    currency: 'USD',
    workUnits: 20_000,
    offerings: async () => [...offerings],
    step: async (spec, memory, observation) => fleetStep(spec, memory, observation, null),
    window: () => ({ isOpen: true, changesAtMs: null }),
    open: (cluster, { pools, book }, { nodeClaims }) =>
      openProvider(
        'karpenter',
        { cluster: cluster.key.name, region: cluster.region, pools },
        { clock: machineClock(), book, nodeClaims, log: () => {}, secrets: async () => null },
      ),
  };
}

interface Claim {
  metadata: {
    name: string;
    labels: Record<string, string>;
    annotations: Record<string, string>;
    deletionTimestamp?: string;
    finalizers?: string[];
  };
  spec: { requirements: { key: string; values: string[] }[]; taints?: { key: string; effect: string }[] };
  status?: { providerID?: string };
}

/** Plays Karpenter's controller: makes a KWOK node of each claim, and removes it when the claim is deleted. */
export class PlayedKarpenter {
  readonly #cluster: KubernetesCluster;
  readonly made: string[] = [];
  readonly ended: string[] = [];
  /** Every claim that was ever seen. */
  readonly claims = new Set<string>();
  #isStopped = false;
  #running: Promise<void>;

  constructor(cluster: KubernetesCluster) {
    this.#cluster = cluster;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      const { items } = await this.#cluster.api.get<{ items: Claim[] }>(claimsPath);
      for (const claim of items) {
        this.claims.add(claim.metadata.name);
        if (claim.metadata.deletionTimestamp !== undefined) await this.#end(claim);
        else if (claim.status?.providerID === undefined) await this.#make(claim);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async #make({ metadata: { name, labels, annotations }, spec }: Claim): Promise<void> {
    const { api } = this.#cluster;
    const path = `${claimsPath}/${name}`;
    const finalizers = { metadata: { finalizers: ['karpenter.sh/termination'] } };
    const { status } = await api.send('PATCH', path, finalizers, { contentType: 'application/merge-patch+json' });
    // It was taken back before anything was made of it.
    if (status === 404) return;
    const type = spec.requirements.find(({ key }) => key === 'node.kubernetes.io/instance-type')?.values[0] ?? '';
    const machine = machines.find(({ instanceType }) => instanceType.name === type)?.instanceType;
    const [prefix, count] = [`karpenter-${name}`, machine?.gpu?.count ?? 0];
    const providerId = `fake:///us-east-1a/i-${name}`;
    const own = {
      'node.kubernetes.io/instance-type': type,
      'topology.kubernetes.io/zone': 'us-east-1a',
      'topology.kubernetes.io/region': 'us-east-1',
      'karpenter.sh/capacity-type': 'on-demand',
    };
    // Before the node is there: a pod may be on it sooner than it is known to be ready.
    this.made.push(name);
    await this.#cluster.addNodes(1, {
      prefix,
      labels: { ...labels, ...own },
      annotations,
      providerId,
      taints: spec.taints ?? [],
      resources: {
        cpu: String((machine?.cpuMilli ?? 0) / 1000),
        memory: `${(machine?.memoryBytes ?? 0) / gib}Gi`,
        ...(count > 0 ? { 'nvidia.com/gpu': String(count) } : {}),
      },
    });
    const conditions = ['Launched', 'Registered', 'Initialized'].map((type) => ({
      ...{ type, status: 'True', reason: type, message: '', lastTransitionTime: new Date().toISOString() },
    }));
    await api.patch(path, { metadata: { labels: own } });
    await api.patch(`${path}/status`, { status: { providerID: providerId, nodeName: `${prefix}-0`, conditions } });
  }

  async #end({ metadata: { name } }: Claim): Promise<void> {
    const { api } = this.#cluster;
    const { items } = await api.get<{ items: { metadata: { name: string } }[] }>(nodesPath);
    for (const node of items) {
      if (node.metadata.name.startsWith(`karpenter-${name}-`))
        await api.send('DELETE', `${nodesPath}/${node.metadata.name}`);
    }
    this.ended.push(name);
    await api.patch(`${claimsPath}/${name}`, { metadata: { finalizers: null } });
  }
}

/** NodeClaims as far as an API server needs to know them. */
export function installNodeClaims(api: KubernetesApi): Promise<void> {
  return installKind(api, { group: 'karpenter.sh', version: 'v1', kind: 'NodeClaim', scope: 'Cluster' });
}
