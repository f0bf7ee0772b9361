import { catalogueCurrency } from '@ebb/catalogue';
import type { Clock, Offering, Store } from '@ebb/core';
import { defaultCluster, resolveSecret } from '@ebb/documents';
import type { NodePorts } from '@ebb/engine';
import { openProvider, providerNameOf, type ProviderPorts } from '@ebb/providers';
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
  const planner = openPlanner();
  return {
    currency: catalogueCurrency,
    workUnits: workUnitsOf(stepMs),
    offerings,
    async open(cluster, { pools, book }) {
      const provider = providerNameOf(cluster);
      if (provider === null)
        throw new Error(`this version rents no machines of ${cluster.cloud} for a ${cluster.type} cluster`);
      const ports: ProviderPorts = {
        clock,
        book,
        log: (line) => log('info', line, { cluster: cluster.key.name }),
        secrets: async ({ namespace, name }) => {
          const stored = await store.documents.get('Secret', { cluster: defaultCluster, namespace, name });
          return stored && resolveSecret(stored.document).data;
        },
      };
      return openProvider(provider, { cluster: cluster.key.name, region: cluster.region, pools }, ports);
    },
    step: (spec, memory, observation) => planner.fleet({ spec, memory, observation, solver: 'highs' }),
    window: cronWindow,
    close: () => planner.close(),
  };
}
