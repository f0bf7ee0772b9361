import { clusterResourceStatus, type FleetStatus, keyText, nodePoolResourceStatus } from '@ebb/documents';
import type { KubernetesObject } from '../client/objects.ts';
import { resources } from '../client/resources.ts';
import type { JsonObject } from '../client/values.ts';
import type { Since } from '../operator/since.ts';
import type { StatusWriter } from '../store/statusWriter.ts';
import type { DocumentFeed } from './documentFeed.ts';
import type { NodesView } from './nodesView.ts';
import { nodeDocument } from './nodeDocuments.ts';

export interface NodeStatusesOptions {
  readonly view: Pick<NodesView, 'clusters' | 'pools'>;
  readonly documents: Pick<DocumentFeed, 'problemOf'>;
  readonly statuses: StatusWriter;
  readonly since: Since;
  fleets(): FleetStatus[];
  /** Pods that have no place, nor a node that is being made for them. */
  waiting(): number;
}

/** Says in the status of Clusters and NodePools how many machines there are, what they cost, and what is wrong. */
export class NodeStatuses {
  readonly #options: NodeStatusesOptions;

  constructor(options: NodeStatusesOptions) {
    this.#options = options;
  }

  /** What there is to be said may be something else by now. */
  changed(): void {
    const { view, statuses } = this.#options;
    for (const object of view.clusters.list()) {
      statuses.changed(resources.clusters, object, () => this.#statusOf(object));
    }
    for (const object of view.pools.list()) {
      statuses.changed(resources.nodePools, object, () => this.#statusOf(object));
    }
  }

  /** Nothing is said of it any more. */
  gone(object: KubernetesObject): void {
    const { statuses, since } = this.#options;
    const resource = [resources.clusters, resources.nodePools].find(({ kind }) => kind === object.kind);
    if (!resource) return;
    statuses.forget(resource, object);
    const { kind, namespace, name } = object;
    for (const type of ['Ready', 'PodsPlaced']) since.forget({ kind: `${kind} ${type}`, namespace, name });
  }

  #statusOf(object: KubernetesObject): JsonObject {
    const { documents, waiting } = this.#options;
    const { generation: observedGeneration } = object;
    const problem = documents.problemOf(object);
    const key = problem === null ? nodeDocument(object).key : null;
    const fleet = this.#options.fleets().find(({ cluster }) => cluster === key?.cluster) ?? null;
    const wrong = problem ?? fleet?.problem ?? (fleet ? null : 'it is of no cluster of type kubernetes');
    const sentences = (fleet?.reasons ?? []).filter(({ code }) => code === 'unplaceable' || code === 'short');
    const isPlaced = sentences.length === 0;
    const placed = isPlaced ? 'every pod has a place' : sentences.map(({ sentence }) => sentence).join('; ');
    const conditions = [
      this.#condition(object, 'Ready', wrong === null, wrong === null ? 'Heeded' : 'NotHeeded', wrong ?? ''),
      ...(object.kind === 'Cluster' && fleet
        ? [this.#condition(object, 'PodsPlaced', isPlaced, isPlaced ? 'Placed' : 'Waiting', placed)]
        : []),
    ];
    if (!fleet || !key) return { observedGeneration, conditions };
    return object.kind === 'Cluster'
      ? clusterResourceStatus({ ...fleet, waiting: waiting() }, observedGeneration, conditions)
      : nodePoolResourceStatus(keyText(key), fleet, observedGeneration, conditions);
  }

  #condition(
    { kind, namespace, name, generation }: KubernetesObject,
    type: string,
    holds: boolean,
    reason: string,
    message: string,
  ) {
    const status = holds ? 'True' : 'False';
    const atMs = this.#options.since.of({ kind: `${kind} ${type}`, namespace, name }, status);
    const lastTransitionTime = new Date(atMs).toISOString();
    return { type, status, reason, message, lastTransitionTime, observedGeneration: generation } as const;
  }
}
