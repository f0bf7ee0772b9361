import { catalogueCurrency } from '@ebb/catalogue';
import type { Clock, Offering } from '@ebb/core';
import { defaultCluster, resolveSecret } from '@ebb/documents';
import type { OperatorNodes } from '@ebb/kubernetes';
import { openProvider, ownOfferings, providerNameOf } from '@ebb/providers';
import { cronWindow } from '@ebb/scalers';
import { openPlanner, workUnitsOf } from '@ebb/solver';
import type { Log } from './log.ts';

/** About how long a step may take at most. */
const stepMs = 2000;

/** Machines for the pods of a Kubernetes cluster: bought at its cloud, or made by Karpenter. */
export function clusterNodes({
  clock,
  offerings,
  log,
}: {
  clock: Clock;
  offerings: () => Promise<readonly Offering[]>;
  log: Log;
}): OperatorNodes & { close(): Promise<void> } {
  const planner = openPlanner();
  return {
    currency: catalogueCurrency,
    workUnits: workUnitsOf(stepMs),
    async offerings(pools) {
      return [...(await offerings()), ...pools.flatMap(({ pool, region }) => ownOfferings(pool, region))];
    },
    async open(cluster, { pools, book }, { nodeClaims, store }) {
      const provider = providerNameOf(cluster);
      if (provider === null) throw new Error(`this version makes no machines of ${cluster.cloud} for a cluster`);
      return openProvider(
        provider,
        { cluster: cluster.key.name, region: cluster.region, pools },
        {
          clock,
          book,
          nodeClaims,
          log: (line) => log('info', line, { cluster: cluster.key.name }),
          secrets: async ({ namespace, name }) => {
            const stored = await store.documents.get('Secret', { cluster: defaultCluster, namespace, name });
            return stored && resolveSecret(stored.document).data;
          },
        },
      );
    },
    step: (spec, memory, observation) => planner.fleet({ spec, memory, observation, solver: 'highs' }),
    window: cronWindow,
    close: () => planner.close(),
  };
}
