import { localClusterTypes } from '../cluster/cluster.ts';
import { type ClusterSpec, resolveCluster } from '../cluster/resolve.ts';
import { nearest } from '../nearest.ts';
import { resolveNodePool } from '../nodePool/resolve.ts';
import { defaultCluster, defaultNamespace } from '../objectKey.ts';
import type { WorkloadSpec } from './resolved.ts';

type Place = Pick<ClusterSpec, 'type' | 'cloud' | 'region'>;

interface Pool {
  namespace: string;
  name: string;
  cluster: string;
}

/** What is known of places: the clusters by name, and the node pools. */
export interface Places {
  clusters: ReadonlyMap<string, Place>;
  pools: readonly Pool[];
  /** Whether there are no others; else a name that is not among them may be there all the same. */
  isComplete: boolean;
}

/** The places that documents describe, later ones in place of earlier ones; the local cluster is always there. */
export function placesOf(documents: Iterable<{ kind: string; document: unknown }>, isComplete: boolean): Places {
  const clusters = new Map<string, Place>([[defaultCluster, { type: 'local', cloud: 'local', region: null }]]);
  const pools: Pool[] = [];
  for (const { kind, document } of documents) {
    if (kind === 'Cluster') {
      const { key, type, cloud, region } = resolveCluster(document);
      clusters.set(key.name, { type, cloud, region });
    } else if (kind === 'NodePool') pools.push(resolveNodePool(document).key);
  }
  return { clusters, pools, isComplete };
}

interface PlacementRefusal {
  path: string;
  message: string;
}

/**
 * Why none of the places a workload may run in is this machine, where replicas run in clusters of type local or rehearsal
 * only; null: one is, or it cannot be told.
 */
export function placementRefusal(
  { key, placement }: Pick<WorkloadSpec, 'key' | 'placement'>,
  places: Places,
): PlacementRefusal | null {
  const own = places.clusters.get(key.cluster);
  if (own && !isLocal(own)) return onlyHere('spec.cluster', `it runs in ${placeText(key.cluster, own)}`);
  if (!placement) return null;
  const here = new Set([...places.clusters].filter(([, place]) => isLocal(place)).map(([name]) => name));
  return (
    refusedClusters(placement.clusters, here, places) ??
    refusedPools(placement.pools, key.namespace, here, places) ??
    refusedRegions(placement.regions, here, places)
  );
}

/**
 * The clusters of this machine that a workload may run in, those that are tried first in front: in the order in which it names them,
 * or by the priority of its pools; one that names neither runs in its own. Where none of them is here: what it names.
 */
export function clustersOfWorkload(
  { key, placement }: Pick<WorkloadSpec, 'key' | 'placement'>,
  places: Places,
): string[] {
  const own = places.clusters.has(key.cluster) ? [key.cluster] : [defaultCluster];
  if (!placement) return own;
  const here = new Set([...places.clusters].filter(([, place]) => isLocal(place)).map(([name]) => name));
  const refused =
    refusedClusters(placement.clusters, here, places) ??
    refusedPools(placement.pools, key.namespace, here, places) ??
    refusedRegions(placement.regions, here, places);
  // It runs nowhere rather than somewhere else.
  if (refused) return placement.clusters.length > 0 ? [...placement.clusters] : [];
  const byPriority = placement.pools.toSorted((left, right) => right.priority - left.priority);
  const wished = [
    ...placement.clusters,
    ...byPriority.flatMap(({ name, cluster }) =>
      cluster === null ? places.pools.filter((pool) => pool.name === name).map((pool) => pool.cluster) : [cluster],
    ),
  ];
  const isAnywhere = wished.length === 0 && placement.regions.length === 0;
  if (isAnywhere && here.has(own[0] ?? '')) return own;
  return [...new Set([...wished, ...here])].filter((name) => here.has(name));
}

/** Each step leaves the clusters in `here` that the placement allows. */
function refusedClusters(
  names: readonly string[],
  here: Set<string>,
  { clusters, isComplete }: Places,
): PlacementRefusal | null {
  if (names.length === 0) return null;
  const unknown = names.findIndex((name) => !clusters.has(name));
  if (unknown >= 0) {
    if (!isComplete) return null;
    return absent(`spec.placement.clusters[${unknown}]`, 'cluster', names[unknown] ?? '', [...clusters.keys()]);
  }
  keepOnly(here, names);
  const texts = names.map((name) => placeText(name, clusters.get(name)));
  return here.size > 0 ? null : onlyHere('spec.placement.clusters', `it is placed in ${texts.join(', ')}`);
}

function refusedPools(
  named: readonly { name: string; cluster: string | null }[],
  namespace: string,
  here: Set<string>,
  { clusters, pools, isComplete }: Places,
): PlacementRefusal | null {
  if (named.length === 0) return null;
  const visible = pools.filter((pool) => [namespace, defaultNamespace].includes(pool.namespace));
  const allowed: Pool[] = [];
  for (const [index, { name, cluster }] of named.entries()) {
    const found = visible.filter((pool) => pool.name === name && (cluster === null || pool.cluster === cluster));
    if (found.length === 0) {
      if (!isComplete) return null;
      const names = visible.map((pool) => pool.name);
      const where = cluster === null ? '' : ` in cluster "${cluster}"`;
      return absent(`spec.placement.pools[${index}]`, 'node pool', name, names, where);
    }
    if (!isComplete && found.some((pool) => !clusters.has(pool.cluster))) return null;
    allowed.push(...found);
  }
  keepOnly(
    here,
    allowed.map(({ cluster }) => cluster),
  );
  if (here.size > 0) return null;
  const texts = allowed.map(({ name, cluster }) => `pool "${name}" of ${placeText(cluster, clusters.get(cluster))}`);
  return onlyHere('spec.placement.pools', `it is placed in ${[...new Set(texts)].join(', ')}`);
}

function refusedRegions(regions: readonly string[], here: Set<string>, { clusters }: Places): PlacementRefusal | null {
  if (regions.length === 0) return null;
  const found = [...here].map((name) => {
    const region = clusters.get(name)?.region ?? null;
    return { name, region, text: region === null ? `cluster "${name}" has none` : `cluster "${name}" is in ${region}` };
  });
  if (found.some(({ region }) => region !== null && regions.includes(region))) return null;
  const texts = found.map(({ text }) => text).join(', ');
  return onlyHere('spec.placement.regions', `it is placed in ${regions.join(', ')}, and of regions ${texts}`);
}

function keepOnly(names: Set<string>, allowed: readonly string[]): void {
  for (const name of names) if (!allowed.includes(name)) names.delete(name);
}

function isLocal({ type }: Place): boolean {
  return localClusterTypes.includes(type);
}

function placeText(name: string, place: Place | undefined): string {
  if (!place) return `cluster "${name}", which is not there`;
  return `cluster "${name}" (${place.type}${place.cloud === 'local' ? '' : `, ${place.cloud}`})`;
}

function onlyHere(path: string, why: string): PlacementRefusal {
  return { path, message: `${why}; this Ebb runs replicas on its own machine, in clusters of type local or rehearsal` };
}

function absent(path: string, kind: string, name: string, known: readonly string[], where = ''): PlacementRefusal {
  const meant = nearest(name, known);
  const rest = meant !== undefined ? `; did you mean "${meant}"?` : `; there ${listText(known)}`;
  return { path, message: `there is no ${kind} "${name}"${where}${rest}` };
}

function listText(names: readonly string[]): string {
  const unique = [...new Set(names)];
  if (unique.length === 0) return 'is none';
  return `${unique.length === 1 ? 'is' : 'are'} ${unique.join(', ')}`;
}
