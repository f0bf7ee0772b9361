import { catalogueCurrency } from '@ebb/catalogue';
import type { ApiObject, WorkloadRecommendation } from '@ebb/client';
import { resolveCluster, resolveNodePool, resolveWorkload, type WorkloadStatus } from '@ebb/documents';
import { openPlanner, workUnitsOf } from '@ebb/solver';
import type { RecommendFlags } from '../commands/recommend.ts';
import type { EbbContext } from '../context.ts';
import { Failure } from '../failure.ts';
import { loadOfferings } from '../instances/load.ts';
import { asDocument } from '../objectColumns.ts';
import type { Session } from '../session.ts';
import { type ClassMachines, machinesOf } from './machines.ts';

/** For each plan. */
const searchMs = 1000;

/** A recommendation with the machines for it; null: nothing says in which cloud and region. */
export type PricedRecommendation = WorkloadRecommendation & { machines: ClassMachines[] | null; currency: string };

/** Adds machines, where flags or the workload's Cluster say in which cloud and region. */
export async function withMachines(
  context: EbbContext,
  { client }: Session,
  flags: RecommendFlags,
  found: readonly WorkloadRecommendation[],
): Promise<PricedRecommendation[]> {
  const { cloud, region } = flags;
  if ((cloud === undefined) !== (region === undefined)) {
    throw new Failure('usage', '--cloud and --region go together: machines are priced by region.');
  }
  const clusters = (await client.list('clusters')).map((one) => resolveCluster(asDocument(one)));
  const pools =
    cloud === undefined ? (await client.list('nodepools')).map((one) => resolveNodePool(asDocument(one))) : [];
  const isPlaced = cloud !== undefined || clusters.some((one) => one.cloud !== 'local' && one.region !== null);
  const currency = catalogueCurrency;
  if (!isPlaced) return found.map((one) => ({ ...one, machines: null, currency }));
  const offerings = await loadOfferings(context, flags.catalogue, flags.factor ?? []);
  const planner = openPlanner();
  const priced: PricedRecommendation[] = [];
  try {
    for (const one of found) {
      const [, namespace = 'default', name = ''] = one.workload.split('/');
      const object = await client.get('workloads', name, { namespace });
      if (!object) continue;
      const machines = await machinesOf({
        spec: resolveWorkload(asDocument(object), { baseDirectory: '/' }),
        classes: one.classes,
        replicas: replicasOf(object, flags.replicas),
        ...{ clusters, pools, offerings, currency, cloud: cloud ?? null, region: region ?? null },
        plan: (input) => planner.plan({ input, seed: 1, workUnits: workUnitsOf(searchMs), solver: 'highs' }),
      });
      priced.push({ ...one, machines, currency });
    }
  } finally {
    await planner.close();
  }
  return priced;
}

/** As many as are wanted now, at least the document's least, unless told. */
function replicasOf(object: ApiObject, told: number | undefined): Map<string, number> {
  const status = object.status as WorkloadStatus | undefined;
  const names = Object.keys(status?.classes ?? {});
  const least = names.length === 1 ? (status?.minReplicas ?? 1) : 1;
  return new Map(names.map((name) => [name, told ?? Math.max(1, least, status?.classes[name]?.wanted ?? 0)]));
}
