import type { Clock, Offering } from '@ebb/core';
import type { OperatorNodes } from '@ebb/kubernetes';
import { ownOfferings } from '@ebb/providers';
import type { Log } from './log.ts';
import { openFor, plannedNodes } from './nodePorts.ts';

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
  return {
    ...plannedNodes(),
    async offerings(pools) {
      return [...(await offerings()), ...pools.flatMap(({ pool, region }) => ownOfferings(pool, region))];
    },
    open: (cluster, { pools, book }, { nodeClaims, store }) =>
      openFor(cluster, pools, {
        ...{ clock, book, log, store, nodeClaims },
        refusal: `this version makes no machines of ${cluster.cloud} for a cluster`,
      }),
  };
}
