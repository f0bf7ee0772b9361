import type { ExistingNode, Offering, PlacementInput } from '@ebb/core';
import type { ClusterSpec, NodePoolSpec } from '@ebb/documents';
import { ownMachines, ownOfferings } from '@ebb/providers';

interface Places {
  pools: readonly NodePoolSpec[];
  clusters: readonly ClusterSpec[];
}

const regionOf = ({ clusters }: Places, pool: NodePoolSpec): string | null =>
  clusters.find(({ key }) => key.name === pool.key.cluster)?.region ?? null;

/** What pools that list machines of one's own have to offer, beside what clouds sell. */
export function offeringsOfOwn(places: Places): Offering[] {
  return places.pools.flatMap((pool) => ownOfferings(pool, regionOf(places, pool)));
}

/** Pools of machines of one's own have those, each once; what is there already is not there a second time. */
export function withOwnMachines(input: PlacementInput, places: Places, nodes: readonly ExistingNode[]): PlacementInput {
  if (places.pools.every(({ machines }) => machines.length === 0)) return input;
  const pools = input.pools.map((pool, index) => {
    const spec = places.pools[index];
    if (spec === undefined || spec.machines.length === 0) return pool;
    const counts = ownMachines(spec, regionOf(places, spec));
    const offerings = pool.offerings.flatMap((entry) => {
      const { id, instanceType, zone, capacityType } = entry.offering;
      const count = counts[id];
      if (count === undefined) return [];
      const isSame = (node: ExistingNode) =>
        (node.pool === pool.name || pool.name.endsWith(`/${node.pool}`)) &&
        node.instanceType === instanceType.name &&
        node.zone === zone &&
        node.capacityType === capacityType;
      return [{ ...entry, stock: Math.max(0, count - nodes.filter(isSame).length) }];
    });
    return { ...pool, offerings };
  });
  return { ...input, pools };
}
