import { ApiServerError } from '../client/client.ts';
import { type KubernetesObject, readObject } from '../client/objects.ts';
import type { JsonObject } from '../client/values.ts';
import type { SeenKind, SeenNodes } from './nodesView.ts';
import { nodeNameOf } from './podNeeds.ts';

let serial = 0;

export function objectOf(kind: string, body: JsonObject): KubernetesObject {
  const given = body.metadata as JsonObject;
  const uid = `${String(++serial).padStart(8, '0')}-uid`;
  const metadata = { uid, resourceVersion: '1', creationTimestamp: '2026-11-23T00:00:00Z', ...given };
  const object = readObject({ ...body, metadata }, { apiVersion: 'v1', kind });
  if (!object) throw new Error('no object');
  return object;
}

/** A pod of a Deployment, unless told otherwise. */
export function podOf(
  name: string,
  more: { metadata?: JsonObject; spec?: JsonObject; status?: JsonObject } = {},
): KubernetesObject {
  return objectOf('Pod', {
    metadata: {
      name,
      namespace: 'shop',
      labels: { app: 'llm' },
      ownerReferences: [{ kind: 'ReplicaSet', name: 'llm-1', controller: true }],
      ...more.metadata,
    },
    spec: { containers: [{ name: 'main', resources: { requests: { cpu: '1', memory: '1Gi' } } }], ...more.spec },
    status: more.status ?? {
      phase: 'Pending',
      conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }],
    },
  });
}

/** The same pod, which a node has. */
export function on(node: string, pod: KubernetesObject): KubernetesObject {
  const { metadata, spec } = pod.body as { metadata: JsonObject; spec: JsonObject };
  return objectOf('Pod', { metadata, spec: { ...spec, nodeName: node }, status: { phase: 'Running' } });
}

export function nodeOf(
  name: string,
  more: { metadata?: JsonObject; spec?: JsonObject; allocatable?: JsonObject; ready?: boolean } = {},
) {
  return objectOf('Node', {
    metadata: { name, ...more.metadata },
    spec: more.spec ?? {},
    status: {
      allocatable: { cpu: '4', memory: '16Gi', pods: '110', ...more.allocatable },
      conditions: [{ type: 'Ready', status: more.ready === false ? 'False' : 'True' }],
    },
  });
}

/** Labels of a node that Ebb made. */
export const ours = (id: string) => ({ 'ebb.dev/cluster': 'prod', 'ebb.dev/node': id });

/** A cluster as tests say it is, and what was asked of its API server. */
export class ToldNodes implements SeenNodes {
  objects: KubernetesObject[] = [];
  daemons: KubernetesObject[] = [];
  pods: KubernetesObject[] = [];
  readonly asked: string[] = [];
  readonly patches: { name: string; body: JsonObject }[] = [];
  /** What evictions of a pod are refused with, by its name. */
  readonly refusals = new Map<string, ApiServerError>();
  readonly #listeners = new Set<(kind: SeenKind) => void>();
  readonly nodes = { list: () => [...this.objects] };
  readonly daemonSets = { list: () => [...this.daemons] };

  podsOn(node: string): KubernetesObject[] {
    return this.pods.filter((pod) => nodeNameOf(pod) === node);
  }

  unbound(): KubernetesObject[] {
    return this.pods.filter((pod) => nodeNameOf(pod) === null);
  }

  listen(listener: (kind: SeenKind) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(kind: SeenKind): void {
    for (const listener of [...this.#listeners]) listener(kind);
  }

  readonly client = {
    evict: async ({ name }: { name: string }) => {
      this.asked.push(`evict ${name}`);
      const refusal = this.refusals.get(name);
      if (refusal) throw refusal;
      this.#leave(name);
    },
    delete: async ({ kind }: { kind: string }, { name }: { name: string }) => {
      this.asked.push(`delete ${kind} ${name}`);
      if (kind === 'Pod') this.#leave(name);
      else this.objects = this.objects.filter((node) => node.name !== name);
      return true;
    },
    mergePatch: async (_resource: unknown, { name }: { name: string }, body: JsonObject) => {
      this.patches.push({ name, body });
      const found = this.objects.find((node) => node.name === name);
      if (!found) throw new ApiServerError(404, 'NotFound', 'no node');
      const changed = objectOf('Node', merged(found.body, body));
      this.objects = this.objects.map((node) => (node === found ? changed : node));
      queueMicrotask(() => this.tell('node'));
      return changed;
    },
  };

  #leave(name: string): void {
    this.pods = this.pods.filter((pod) => pod.name !== name);
    queueMicrotask(() => this.tell('pod'));
  }
}

function merged(object: JsonObject, changes: JsonObject): JsonObject {
  const result: Record<string, unknown> = { ...object };
  for (const [name, value] of Object.entries(changes)) {
    const before = result[name];
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (value === null) delete result[name];
    else result[name] = isObject ? merged((before ?? {}) as JsonObject, value as JsonObject) : value;
  }
  return result;
}
