import type { KubernetesClient } from '../client/client.ts';
import type { KubernetesObject } from '../client/objects.ts';
import { resources } from '../client/resources.ts';
import { Informer, type InformerEvent } from '../informer/informer.ts';
import { OptionalInformer } from '../operator/optionalInformer.ts';
import { nodeNameOf } from './podNeeds.ts';

export interface NodesViewOptions {
  readonly client: KubernetesClient;
  /** Followed by the operator already; of all namespaces. */
  readonly pods: Pick<Informer, 'list' | 'watch'>;
  onTrouble(message: string): void;
}

export type SeenKind = 'pod' | 'node' | 'daemonSet' | 'document' | 'nodeClaim';

/** What is known of nodes and of pods on them. */
export interface SeenNodes {
  readonly nodes: Pick<Informer, 'list'>;
  readonly daemonSets: Pick<Informer, 'list'>;
  podsOn(node: string): KubernetesObject[];
  unbound(): KubernetesObject[];
  listen(listener: (kind: SeenKind) => void): () => void;
}

/** What machines are decided by: nodes, DaemonSets, pods by their node, and the documents of pools. Followed from the start. */
export class NodesView implements SeenNodes {
  readonly nodes: Informer;
  readonly daemonSets: Informer;
  readonly clusters: OptionalInformer;
  readonly pools: OptionalInformer;
  readonly nodeClaims: OptionalInformer;
  readonly #pods: NodesViewOptions['pods'];
  readonly #byNode = new Map<string, Map<string, KubernetesObject>>();
  readonly #unbound = new Map<string, KubernetesObject>();
  readonly #listeners = new Set<(kind: SeenKind, event: InformerEvent | null) => void>();
  #unwatch: (() => void)[] = [];

  constructor({ client, pods, onTrouble }: NodesViewOptions) {
    this.#pods = pods;
    this.nodes = new Informer({ client, resource: resources.nodes, namespace: null, onTrouble });
    this.daemonSets = new Informer({ client, resource: resources.daemonSets, namespace: null, onTrouble });
    const optional = (resource: (typeof resources)['clusters' | 'nodePools' | 'nodeClaims'], kind: SeenKind) =>
      new OptionalInformer({
        client,
        resource,
        namespace: null,
        onTrouble,
        onEvent: (event) => this.#tell(kind, event),
        onKnown: () => this.#tell(kind, null),
      });
    this.clusters = optional(resources.clusters, 'document');
    this.pools = optional(resources.nodePools, 'document');
    this.nodeClaims = optional(resources.nodeClaims, 'nodeClaim');
  }

  /** Resolves once everything is listed; pods are to be so already. */
  async start(): Promise<void> {
    for (const pod of this.#pods.list()) this.#put(pod);
    this.#unwatch = [
      this.#pods.watch((event) => {
        if (event.type === 'put') this.#put(event.object);
        else this.#drop(event.object);
        this.#tell('pod', event);
      }),
      this.nodes.watch((event) => this.#tell('node', event)),
      this.daemonSets.watch((event) => this.#tell('daemonSet', event)),
    ];
    await Promise.all([
      this.nodes.start().synced,
      this.daemonSets.start().synced,
      this.clusters.start(),
      this.pools.start(),
      this.nodeClaims.start(),
    ]);
  }

  podsOn(node: string): KubernetesObject[] {
    return [...(this.#byNode.get(node)?.values() ?? [])];
  }

  /** Pods that no node has. */
  unbound(): KubernetesObject[] {
    return [...this.#unbound.values()];
  }

  /** Changes from now on; null: a kind has become known, with all that there is of it. */
  listen(listener: (kind: SeenKind, event: InformerEvent | null) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    for (const unwatch of this.#unwatch) unwatch();
    this.#listeners.clear();
    const { nodes, daemonSets, clusters, pools, nodeClaims } = this;
    await Promise.all([nodes, daemonSets, clusters, pools, nodeClaims].map((one) => one.close()));
  }

  #put(pod: KubernetesObject): void {
    const node = nodeNameOf(pod);
    if (node === null) {
      this.#unbound.set(pod.uid, pod);
      return;
    }
    this.#unbound.delete(pod.uid);
    const there = this.#byNode.get(node) ?? new Map<string, KubernetesObject>();
    this.#byNode.set(node, there.set(pod.uid, pod));
  }

  #drop(pod: KubernetesObject): void {
    this.#unbound.delete(pod.uid);
    const node = nodeNameOf(pod);
    if (node === null) return;
    const there = this.#byNode.get(node);
    there?.delete(pod.uid);
    if (there?.size === 0) this.#byNode.delete(node);
  }

  #tell(kind: SeenKind, event: InformerEvent | null): void {
    for (const listener of [...this.#listeners]) listener(kind, event);
  }
}
