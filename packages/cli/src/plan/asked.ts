import { catalogueCurrency } from '@ebb/catalogue';
import {
  type ExistingAnswer,
  type ExistingNode,
  fleetPartsOf,
  type Offering,
  placementInputOf,
  type PlacementAnswer,
  withExistingNodes,
} from '@ebb/core';
import {
  type ClusterSpec,
  defaultCluster,
  keyText,
  type NodePoolSpec,
  resolveCluster,
  type WorkloadSpec,
} from '@ebb/documents';
import { Failure } from '../failure.ts';
import { withOwnMachines } from './ownMachines.ts';

/** What is to be planned, out of documents and flags. */
export interface Asked {
  workloads: readonly WorkloadSpec[];
  pools: readonly NodePoolSpec[];
  clusters: readonly ClusterSpec[];
  offerings: readonly Offering[];
  replicas: ReadonlyMap<string, number>;
  cloud: string | null;
  region: string | null;
}

export interface Prepared extends ExistingAnswer {
  groups: PlacementAnswer['groups'];
  notes: readonly string[];
}

/** What is not known is taken to be this: from a replica's start to its first answer. */
const loadMs = 60_000;

/** The input of a plan over nodes that are there and new ones. Throws a `Failure` (usage) with everything that is wrong. */
export function prepare(asked: Asked, nodes: readonly ExistingNode[]): Prepared {
  const replicas = withRunning(asked, nodes);
  const bare = placementInputOf({ ...asked, replicas, currency: catalogueCurrency, namesAreKeys: true });
  refuse(bare.problems);
  const answer = { ...bare, input: withOwnMachines(bare.input, asked, nodes) };
  const pools = clustersOf(asked).flatMap((cluster) => {
    const parts = fleetPartsOf({
      cluster,
      pools: asked.pools.filter(({ key }) => key.cluster === cluster.key.name),
      workloads: asked.workloads,
      offerings: asked.offerings,
      currency: catalogueCurrency,
      // A plan by hand keeps to budgets in time as if it were their time.
      isBudgetOpen: () => true,
    });
    return parts.pools.map(({ consolidation }) => {
      const pool = answer.input.pools.find(({ name }) => name === consolidation.pool.name);
      // What is looked at by hand waits for no node to become quiet.
      const atOnce = { ...consolidation, delayMs: 0, delayAfterScaleUpMs: 0 };
      return pool ? { ...atOnce, pool } : atOnce;
    });
  });
  const existing = withExistingNodes({ question: asked, answer, pools, nodes, loadMs });
  refuse(existing.problems);
  return { ...existing, groups: answer.groups, notes: answer.notes };
}

function refuse([first, ...rest]: readonly string[]): void {
  if (first !== undefined) throw new Failure('usage', first, rest);
}

/** As many replicas as are asked for, and at least those that run. */
function withRunning({ workloads, replicas }: Asked, nodes: readonly ExistingNode[]): Map<string, number> {
  const wanted = new Map(replicas);
  const running = new Map<string, number>();
  for (const { runs } of nodes) for (const [name, count] of runs) running.set(name, (running.get(name) ?? 0) + count);
  for (const [name, count] of running) {
    const spec = workloads.find(({ key }) => key.name === name);
    const least = wanted.get(name) ?? Math.max(1, spec?.scaling.minReplicas ?? 1);
    wanted.set(name, Math.max(least, count));
  }
  return wanted;
}

/** Clusters where flags say they are; one without a document where there is none. */
function clustersOf({ clusters, cloud, region }: Asked): ClusterSpec[] {
  const bare = { apiVersion: 'ebb.dev/v1alpha1', kind: 'Cluster', metadata: { name: defaultCluster } };
  const all = clusters.length > 0 ? clusters : [resolveCluster(bare)];
  const known = (name: string | null): name is ClusterSpec['cloud'] => name !== null;
  return all.map((one) => ({ ...one, cloud: known(cloud) ? cloud : one.cloud, region: region ?? one.region }));
}

/** Short names of pools for people: a pool's own name where no other has it. */
export function shortPoolName(pools: readonly NodePoolSpec[], name: string): string {
  const own = name.split('/').at(-1) ?? name;
  const alike = pools.filter(({ key }) => key.name === own).length;
  return alike <= 1 ? own : name;
}

/** The document of a pool by its key. */
export function poolOfKey(pools: readonly NodePoolSpec[], name: string): NodePoolSpec | undefined {
  return pools.find(({ key }) => keyText(key) === name);
}
