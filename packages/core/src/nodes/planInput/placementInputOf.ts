import { type ClusterSpec, defaultCluster, defaultNamespace, keyText, nearest } from '@ebb/documents';
import type { NodeLimits, PlacementPod, PlacementPool, PlacementSettings } from '../placement/types.ts';
import { type NamedPool, podsOf } from './podsOf.ts';
import { catalogueMarketPool, type Market, noLimits, type Place, poolOf } from './poolsOf.ts';
import { knownNames, type PlacementAnswer, type PlacementQuestion, type Remarks } from './question.ts';
import { replicaCounts } from './replicaCounts.ts';
import { zoneNames } from './zoneNames.ts';

/** A new node's start is paid for over a day. */
const nodeLifeMs = 24 * 3_600_000;
/** What a point of a wish is worth: a cent an hour for each replica that misses it. */
const preferencePriceMicro = 10_000;

/**
 * Documents and prices as the input of `plan`: the replicas of the workloads as pods, NodePools with what they may buy. Without
 * a NodePool each cluster with a place has one pool of everything that its region sells. No node is there yet. Wrong names and
 * missing places come as `problems`.
 */
export function placementInputOf(question: PlacementQuestion): PlacementAnswer {
  const remarks: Remarks = { notes: new Set(), problems: new Set() };
  const named = nameOfPools(question);
  const wanted = replicaCounts(question.workloads, question.replicas, remarks);
  const groups = wanted.map((one) => ({ name: one.name, pods: podsOf(one, named, remarks) }));
  const pods = groups.flatMap((group) => group.pods);
  const pools = poolsOf(question, named, pods, remarks);
  return {
    input: { nowMs: 0, pods, nodes: [], pools, settings: settingsOf(question.clusters, remarks) },
    groups: groups.map(({ name, pods: own }) => ({ name, ids: own.map(({ id }) => id) })),
    notes: [...remarks.notes],
    problems: [...remarks.problems],
  };
}

/** A pool's own name where no other has it, else with cluster and namespace. */
function nameOfPools({ pools, namesAreKeys }: PlacementQuestion): NamedPool[] {
  if (namesAreKeys) return pools.map((spec) => ({ spec, name: keyText(spec.key) }));
  return pools.map((spec) => {
    const { cluster, namespace, name } = spec.key;
    const alike = pools.filter(({ key }) => key.name === name);
    if (alike.length === 1) return { spec, name };
    const isClusterEnough = alike.filter(({ key }) => key.cluster === cluster).length === 1;
    return { spec, name: isClusterEnough ? `${cluster}/${name}` : `${cluster}/${namespace}/${name}` };
  });
}

function poolsOf(
  question: PlacementQuestion,
  named: readonly NamedPool[],
  pods: readonly PlacementPod[],
  remarks: Remarks,
): PlacementPool[] {
  const markets = new Map<string, Market | null>();
  const marketOf = (cluster: string): Market | null => {
    const market = markets.get(cluster) ?? openMarket(question, cluster, pods, remarks);
    markets.set(cluster, market);
    return market;
  };
  if (named.length > 0) {
    return named.flatMap((pool) => {
      const market = marketOf(pool.spec.key.cluster);
      return market ? [poolOf(pool, market, remarks)] : [];
    });
  }
  const clusters = question.clusters.length > 0 ? question.clusters.map(({ key }) => key.name) : [defaultCluster];
  // A machine of one's own sells nothing; beside a cluster in a cloud that is no mistake.
  const placed = clusters.filter((name) => placeOf(question, name).cloud !== 'local');
  return (placed.length > 0 ? placed : clusters).flatMap((cluster) => {
    const market = marketOf(cluster);
    if (!market) return [];
    const short = clusters.length === 1 ? 'catalogue' : `catalogue-${cluster}`;
    const base = question.namesAreKeys ? `${cluster}/${defaultNamespace}/catalogue` : short;
    const isShared = pods.some(({ gpu }) => gpu?.kind === 'share');
    const isCut = pods.some(({ gpu }) => gpu?.kind === 'mig');
    return [
      catalogueMarketPool(base, cluster, { kind: isShared ? 'fraction' : 'none' }, market, remarks),
      ...(isCut ? [catalogueMarketPool(`${base}-mig`, cluster, { kind: 'mig' }, market, remarks)] : []),
    ];
  });
}

function placeOf({ clusters, cloud, region }: PlacementQuestion, name: string): Place & { region: string } {
  const cluster = clusters.find(({ key }) => key.name === name);
  return { cloud: cloud ?? cluster?.cloud ?? 'local', region: region ?? cluster?.region ?? '' };
}

/** What is for sale where a cluster is; null, with a problem told, where that is nowhere. */
function openMarket(
  question: PlacementQuestion,
  cluster: string,
  pods: readonly PlacementPod[],
  remarks: Remarks,
): Market | null {
  const place = placeOf(question, cluster);
  const { cloud, region } = place;
  const refuse = (problem: string): null => {
    remarks.problems.add(problem);
    return null;
  };
  const clouds = namesOf(question.offerings, ({ instanceType }) => instanceType.cloud);
  const flags = '--cloud and --region name a place, or cloud and region of its Cluster document';
  if (cloud === 'local') return refuse(`cluster ${cluster} is in no cloud: ${flags}`);
  const cloudOfferings = question.offerings.filter(({ instanceType }) => instanceType.cloud === cloud);
  if (cloudOfferings.length === 0) {
    return refuse(`the list of prices has no cloud "${cloud}"${knownNames(nearest(cloud, clouds), clouds)}`);
  }
  const regions = namesOf(cloudOfferings, (offering) => offering.region);
  if (region === '') return refuse(`cluster ${cluster} has no region: ${flags}; ${cloud} has ${regions.join(', ')}`);
  const offerings = cloudOfferings.filter((offering) => offering.region === region);
  if (offerings.length === 0) {
    return refuse(
      `the list of prices has no region "${region}" of ${cloud}${knownNames(nearest(region, regions), regions)}`,
    );
  }
  const own = question.pools.filter(({ key }) => key.cluster === cluster);
  const zones = zoneNames(place, offerings, own, pods, remarks);
  const requirements = pods.flatMap((pod) => pod.requirements);
  const isForFleet = question.isForFleet ?? false;
  return { place, cloudOfferings, offerings, zones, requirements, currency: question.currency, isForFleet };
}

function namesOf<Item>(items: readonly Item[], name: (item: Item) => string): string[] {
  return [...new Set(items.map(name))].sort();
}

function settingsOf(clusters: readonly ClusterSpec[], { notes }: Remarks): PlacementSettings {
  const [only, ...others] = clusters;
  const limits = only && others.length === 0 ? limitsOfCluster(only) : noLimits;
  for (const { key, nodeLimits } of others.length > 0 ? clusters : []) {
    if (Object.values(nodeLimits).some((limit) => limit !== null)) {
      notes.add(`cluster ${key.name}: nodeLimits are not heeded where there are several clusters`);
    }
  }
  return { nodeChargeMicro: 0, nodeLifeMs, preferencePriceMicro, maxPodsPerNode: null, maxWorkloadShare: 1, limits };
}

function limitsOfCluster({ nodeLimits: { nodes, cpuMilli, memoryBytes, gpuMilli } }: ClusterSpec): NodeLimits {
  const gpus = gpuMilli === null ? null : Math.floor(gpuMilli / 1000);
  return { nodes, cpuMilli, memoryBytes, gpus, pricePerHourMicro: null };
}
