import type { Offering, Provider, Store } from '@ebb/core';
import type { ClusterSpec, FleetStatus, NodePoolSpec } from '@ebb/documents';
import type { EnginePorts, NodePorts, ProviderSurroundings } from '@ebb/engine';
import type { KubernetesClient } from '../client/client.ts';
import type { DocumentSink } from '../operator/reconciler.ts';
import type { Since } from '../operator/since.ts';
import type { StatusWriter } from '../store/statusWriter.ts';
import { ClusterGuests } from './clusterGuests.ts';
import { ClusterNodeClaims } from './clusterNodeClaims.ts';
import { DocumentFeed } from './documentFeed.ts';
import { Drainer } from './drainer.ts';
import { withNodeLabels } from './gpuLabels.ts';
import { joinedProvider } from './joinedProvider.ts';
import { NodeStatuses } from './nodeStatuses.ts';
import type { NodesView } from './nodesView.ts';

/** What buys machines and decides on them, given by whoever starts the operator. */
export interface OperatorNodes extends Omit<NodePorts, 'open' | 'guests' | 'offerings'> {
  /** All that can be rented, machines of one's own in the pools included. */
  offerings(pools: readonly { pool: NodePoolSpec; region: string | null }[]): Promise<readonly Offering[]>;
  /** Opens what makes the machines of a cluster: a cloud, machines of one's own, or Karpenter. */
  open(
    cluster: ClusterSpec,
    surroundings: ProviderSurroundings,
    inCluster: { nodeClaims: ClusterNodeClaims; store: Store },
  ): Promise<Provider>;
}

export interface LeadNodesOptions {
  readonly client: KubernetesClient;
  readonly view: NodesView;
  readonly nodes: OperatorNodes;
  readonly clock: EnginePorts['clock'];
  readonly store: Store;
  readonly statuses: StatusWriter;
  readonly since: Since;
  /** Of the engine. */
  fleets(): FleetStatus[];
  mayWrite(): boolean;
  log: EnginePorts['log'];
}

/** The machines of a cluster for one time of leading. */
export interface LedNodes {
  readonly ports: NodePorts;
  readonly documents: DocumentFeed;
  stop(): Promise<void>;
}

/** Null, with a word in the log, where the kinds of the documents are not installed. */
export function leadNodes(options: LeadNodesOptions, sink: DocumentSink): LedNodes | null {
  const { client, view, nodes, clock, store, log } = options;
  const mayWrite = () => options.mayWrite();
  // A cluster whose documents cannot be seen has not given them up.
  if (!view.clusters.isKnown || !view.pools.isKnown) {
    log(
      'warn',
      'the kinds Cluster and NodePool are not installed: machines stay as they are until the operator starts anew',
    );
    return null;
  }
  const drainer = new Drainer({ client, view, clock, mayWrite, log });
  const guests: ClusterGuests = new ClusterGuests({ view, clock, drainer, log, onDecided: () => told.changed() });
  const nodeClaims = new ClusterNodeClaims(client, view, mayWrite);
  const documents = new DocumentFeed({ view, log, onBrought: () => told.changed() }, sink);
  const told = new NodeStatuses({
    ...{ view, documents, statuses: options.statuses, since: options.since },
    fleets: () => options.fleets(),
    waiting: () => guests.waiting,
  });
  const unlisten = view.listen((_kind, event) => {
    if (event?.type === 'delete') told.gone(event.object);
  });
  const withGpus = new Set<string>();
  const ports: NodePorts = {
    currency: nodes.currency,
    workUnits: nodes.workUnits,
    guests,
    async offerings() {
      const offerings = await nodes.offerings(documents.pools());
      for (const { instanceType } of offerings) {
        const vendor = instanceType.gpu?.vendor;
        if (vendor === 'nvidia' || vendor === 'amd') withGpus.add(instanceType.name);
      }
      return offerings.map(withNodeLabels);
    },
    step: (...given) => nodes.step(...given),
    window: (...given) => nodes.window(...given),
    async open(cluster, surroundings) {
      const inner = await nodes.open(cluster, surroundings, { nodeClaims, store });
      return joinedProvider({
        inner,
        cluster: cluster.key.name,
        pools: () => surroundings.pools(),
        view,
        drainer,
        client,
        hasGpus: (instanceType) => withGpus.has(instanceType),
        mayWrite,
        log,
      });
    },
  };
  return {
    ports,
    documents,
    async stop() {
      unlisten();
      guests.close();
      drainer.stop();
      await documents.close();
    },
  };
}
