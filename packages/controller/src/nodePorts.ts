import { catalogueCurrency } from '@ebb/catalogue';
import type { Clock, Offering, Provider, Store } from '@ebb/core';
import { type ClusterSpec, defaultCluster, resolveSecret } from '@ebb/documents';
import type { NodePorts, ProviderSurroundings } from '@ebb/engine';
import { openProvider, type ProviderPorts, providerNameOf } from '@ebb/providers';
import { cronWindow } from '@ebb/scalers';
import { openPlanner, workUnitsOf } from '@ebb/solver';
import type { Log } from './log.ts';

interface LiveNodesOptions {
  clock: Clock;
  store: Pick<Store, 'documents'>;
  offerings: () => Promise<readonly Offering[]>;
  log: Log;
}

/** About how long a step may take at most; few replicas take a few milliseconds. */
const stepMs = 2000;

/** Rents machines for the clusters whose documents say so. What is loaded for it is loaded when the first of them is opened. */
export function liveNodes({ clock, store, offerings, log }: LiveNodesOptions): NodePorts & { close(): Promise<void> } {
  return {
    ...plannedNodes(),
    offerings,
    open: (cluster, { pools, book }) =>
      openFor(cluster, pools, {
        ...{ clock, book, log, store },
        refusal: `this version rents no machines of ${cluster.cloud} for a ${cluster.type} cluster`,
      }),
  };
}

/** Decisions on machines, wherever those come from. */
export function plannedNodes(): Pick<NodePorts, 'currency' | 'workUnits' | 'step' | 'window'> & {
  close(): Promise<void>;
} {
  const planner = openPlanner();
  return {
    currency: catalogueCurrency,
    workUnits: workUnitsOf(stepMs),
    step: (spec, memory, observation) => planner.fleet({ spec, memory, observation, solver: 'highs' }),
    window: cronWindow,
    close: () => planner.close(),
  };
}

interface OpenOptions extends Pick<LiveNodesOptions, 'clock' | 'store' | 'log'>, Pick<ProviderPorts, 'book'> {
  nodeClaims?: ProviderPorts['nodeClaims'];
  /** Said where this version has no provider for the cluster. */
  refusal: string;
}

/** Opens what makes the machines of a cluster; it signs in with the Secrets that are stored. */
export async function openFor(
  cluster: ClusterSpec,
  pools: ProviderSurroundings['pools'],
  { clock, book, log, store, nodeClaims, refusal }: OpenOptions,
): Promise<Provider> {
  const provider = providerNameOf(cluster);
  if (provider === null) throw new Error(refusal);
  return openProvider(
    provider,
    { cluster: cluster.key.name, region: cluster.region, pools },
    {
      clock,
      book,
      ...(nodeClaims ? { nodeClaims } : {}),
      log: (line) => log('info', line, { cluster: cluster.key.name }),
      secrets: async ({ namespace, name }) => {
        const stored = await store.documents.get('Secret', { cluster: defaultCluster, namespace, name });
        return stored && resolveSecret(stored.document).data;
      },
    },
  );
}
