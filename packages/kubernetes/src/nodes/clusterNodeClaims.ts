import { type KubernetesClient, notLeading } from '../client/client.ts';
import { resources } from '../client/resources.ts';
import type { JsonObject } from '../client/values.ts';
import type { NodesView } from './nodesView.ts';

export type NodeClaimChange =
  | { type: 'snapshot'; claims: readonly JsonObject[] }
  | { type: 'put' | 'delete'; claim: JsonObject };

/** Karpenter's NodeClaims as the API server has them. Calls throw `ApiServerError`, `UnreachableError`, or that another one leads. */
export class ClusterNodeClaims {
  readonly #client: KubernetesClient;
  readonly #view: NodesView;
  readonly #mayWrite: () => boolean;

  constructor(client: KubernetesClient, view: NodesView, mayWrite: () => boolean) {
    this.#client = client;
    this.#view = view;
    this.#mayWrite = mayWrite;
  }

  /** Server-side apply: twice is once. */
  async apply(name: string, body: JsonObject): Promise<void> {
    if (!this.#mayWrite()) throw notLeading();
    await this.#client.apply(resources.nodeClaims, { namespace: '', name }, body);
  }

  async delete(name: string): Promise<void> {
    if (!this.#mayWrite()) throw notLeading();
    await this.#client.delete(resources.nodeClaims, { namespace: '', name });
  }

  async list(): Promise<readonly JsonObject[]> {
    const { objects } = await this.#client.list(resources.nodeClaims, { namespace: null });
    return objects.map(({ body }) => body);
  }

  /** Begins with a snapshot as soon as the cluster has the kind and all of it is listed. */
  follow(listener: (change: NodeClaimChange) => void): () => void {
    let hasBegun = false;
    let isStopped = false;
    const begin = () => {
      if (hasBegun || isStopped || !this.#view.nodeClaims.isKnown) return;
      hasBegun = true;
      listener({ type: 'snapshot', claims: this.#view.nodeClaims.list().map(({ body }) => body) });
    };
    const unlisten = this.#view.listen((kind, event) => {
      if (kind !== 'nodeClaim') return;
      if (hasBegun && event) listener({ type: event.type, claim: event.object.body });
      else begin();
    });
    queueMicrotask(begin);
    return () => {
      isStopped = true;
      unlisten();
    };
  }
}
