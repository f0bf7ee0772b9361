import type { KubernetesApi } from './kubernetesApi.ts';
import { until } from './until.ts';

/** What a fake node offers; everything has a default. */
export interface FakeNode {
  /**
   * Names are `<prefix>-<number>`. Left out: `fake`, and in a cluster that was brought along one that no other run has. A prefix
   * that was used before goes on counting.
   */
  readonly prefix?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly taints?: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
  /** Quantities by resource (default 32 CPUs, 256 GiB, 110 pods, no GPU). */
  readonly resources?: Readonly<Record<string, string>>;
  readonly providerId?: string;
}

/** Nodes with this annotation are KWOK's; a real node in the same cluster is left alone. */
export const fakeNodeAnnotation = 'kwok.x-k8s.io/node';

const defaultResources = { cpu: '32', memory: '256Gi', pods: '110' };
const readyWithinMs = 60_000;
/** Requests at once: the API server has 2 000, and more than these only wait here. */
const atOnce = 16;

interface NodeList {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
  }[];
}

/** Creates the nodes and waits until all of them are Ready. */
export async function createNodes(api: KubernetesApi, names: readonly string[], template: FakeNode): Promise<void> {
  const left = [...names];
  const worker = async () => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      await api.post('/api/v1/nodes', nodeDocument(name, template));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const missing = async () => {
    const { items } = await api.get<NodeList>('/api/v1/nodes');
    const ready = new Set(items.filter(isReady).map(({ metadata }) => metadata.name));
    return names.filter((name) => !ready.has(name)).length;
  };
  await until(async () => (await missing()) === 0, {
    withinMs: readyWithinMs,
    what: () => `${names.length} fake nodes becoming Ready`,
  });
}

function isReady({ status }: NodeList['items'][number]): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;
}

/** Removes the nodes, where they are still there. */
export async function deleteNodes(api: KubernetesApi, names: readonly string[]): Promise<void> {
  for (const name of names) await api.send('DELETE', `/api/v1/nodes/${name}`);
}

function nodeDocument(name: string, template: FakeNode): unknown {
  const { labels = {}, annotations = {}, taints = [], resources = {}, providerId } = template;
  const amounts = { ...defaultResources, ...resources };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      annotations: { [fakeNodeAnnotation]: 'fake', ...annotations },
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        ...labels,
      },
    },
    spec: { taints, ...(providerId === undefined ? {} : { providerID: providerId }) },
    status: { allocatable: amounts, capacity: amounts },
  };
}
