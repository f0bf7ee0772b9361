import { Failure } from './failure.ts';
import type { Session } from './session.ts';

/** The clusters that have a node pool of the name; names of node pools are unique within a cluster only. */
async function clustersOfPool({ client }: Session, name: string, namespace: string): Promise<string[]> {
  const pools = await client.list('nodepools', { namespace, cluster: '*' });
  return pools.filter(({ metadata }) => metadata.name === name).map(({ metadata }) => metadata.cluster);
}

/** The one cluster with a pool of the name; undefined where there is none. Throws where there are several. */
export async function clusterOfPool(session: Session, name: string, namespace: string): Promise<string | undefined> {
  const [first, ...others] = await clustersOfPool(session, name, namespace);
  if (others.length === 0) return first;
  throw new Failure('usage', `several clusters have a nodepool "${name}": ${[first, ...others].join(', ')}.`, [
    `ebb nodepool delete CLUSTER ${name} names one`,
  ]);
}
