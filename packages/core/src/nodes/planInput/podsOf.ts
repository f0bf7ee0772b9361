import type { NodePoolSpec, PlacementSpec } from '@ebb/documents';
import { defaultCluster, defaultNamespace } from '@ebb/documents';
import { gpuNeedOf } from '../gpu/need.ts';
import { type PlacementPod, poolLabel, type TopologySpread } from '../placement/types.ts';
import { capacityTypeLabel } from '../placement/types.ts';
import type { Requirement } from '../types.ts';
import type { Remarks } from './question.ts';
import type { Wanted } from './replicaCounts.ts';

/** Spreads select replicas by it. */
const workloadLabel = 'ebb.dev/workload';
/** Every machine of the catalogue with a GPU has it. */
const gpuLabel = 'ebb.dev/gpu-model';
/** What a wish for spot or on-demand weighs: of a wish's worth, so many points. */
const orderWeight = 100;

type Preferred = PlacementPod['preferred'][number];
/** A pool with the name that the plan has for it. */
export interface NamedPool {
  spec: NodePoolSpec;
  name: string;
}

/** The replicas of one class as pods. What the plan cannot heed is told as a note. */
export function podsOf(wanted: Wanted, pools: readonly NamedPool[], { notes }: Remarks): PlacementPod[] {
  const { spec, workload, name, replicaClass, count } = wanted;
  const { requests } = replicaClass.resources;
  const { placement } = spec;
  if (placement?.requirements.some(({ minValues }) => minValues !== null)) {
    notes.add(`${workload}: minValues of a requirement is not heeded`);
  }
  const template: Omit<PlacementPod, 'id'> = {
    workload,
    labels: { ...spec.labels, [workloadLabel]: workload },
    cpuMilli: requests.cpuMilli,
    memoryBytes: requests.memoryBytes,
    gpu: gpuNeedOf(requests),
    requirements: requirementsOfPlacement(placement),
    affinityTerms: [],
    preferred: placement ? [...orderWishes(placement), ...poolWishes(wanted, placement, pools)] : [],
    tolerations: placement?.tolerations ?? [],
    spread: placement ? spreadsOf(workload, placement, notes) : [],
    antiAffinity: [],
    clusters: clustersOf(wanted),
    regions: listOrNull(placement?.regions),
    pools: poolNames(wanted, pools),
    interruptible: spec.interruption === 'allowed',
    interruptionPriceMicro: 0,
    priority: spec.priority,
  };
  return Array.from({ length: count }, (_, index) => ({ id: `${name}/${index}`, ...template }));
}

function listOrNull(list: readonly string[] | undefined): readonly string[] | null {
  return list === undefined || list.length === 0 ? null : list;
}

/** A placement that names no cluster leaves all of them, unless the workload itself names its own. */
function clustersOf({ spec: { key, placement } }: Wanted): readonly string[] | null {
  const named = listOrNull(placement?.clusters);
  if (named !== null) return named;
  return placement && key.cluster === defaultCluster ? null : [key.cluster];
}

function requirementsOfPlacement(placement: PlacementSpec | undefined): Requirement[] {
  if (!placement) return [];
  const { nodeSelector, requirements, instances } = placement;
  return [
    ...Object.entries(nodeSelector).map(([key, value]): Requirement => ({ key, operator: 'In', values: [value] })),
    ...requirements.map(({ key, operator, values }) => ({ key, operator, values })),
    ...(instances.cpuAllowed ? [] : [{ key: gpuLabel, operator: 'Exists' as const, values: [] }]),
  ];
}

function orderWishes({ instances: { order } }: PlacementSpec): Preferred[] {
  if (order === 'cheapest') return [];
  const values = [order === 'spotFirst' ? 'spot' : 'on-demand'];
  return [{ weight: orderWeight, requirements: [{ key: capacityTypeLabel, operator: 'In', values }] }];
}

/** The pools that an entry of the placement means: of its own namespace or the default one. */
function poolsMeant(
  { spec: { key } }: Wanted,
  { name, cluster }: PlacementSpec['pools'][number],
  pools: readonly NamedPool[],
): string[] {
  return pools
    .filter(({ spec }) => spec.key.name === name && (cluster === null || spec.key.cluster === cluster))
    .filter(({ spec }) => spec.key.namespace === key.namespace || spec.key.namespace === defaultNamespace)
    .map((pool) => pool.name);
}

function poolNames(wanted: Wanted, pools: readonly NamedPool[]): readonly string[] | null {
  const named = wanted.spec.placement?.pools ?? [];
  if (named.length === 0) return null;
  return named.flatMap((entry) => {
    const meant = poolsMeant(wanted, entry, pools);
    return meant.length > 0 ? meant : [entry.name];
  });
}

/** Missing the first k ranks of pools costs what rank k+1 is below the first. */
function poolWishes(wanted: Wanted, placement: PlacementSpec, pools: readonly NamedPool[]): Preferred[] {
  const ranks = [...new Set(placement.pools.map(({ priority }) => priority))].sort((a, b) => b - a);
  return ranks.slice(0, -1).map((rank, index): Preferred => {
    const values = placement.pools
      .filter(({ priority }) => priority >= rank)
      .flatMap((entry) => poolsMeant(wanted, entry, pools));
    const requirements: Requirement[] = [{ key: poolLabel, operator: 'In', values }];
    return { weight: rank - (ranks[index + 1] ?? 0), requirements };
  });
}

function spreadsOf(workload: string, { spread }: PlacementSpec, notes: Set<string>): TopologySpread[] {
  const selector = { [workloadLabel]: workload };
  return spread.flatMap(({ by, maxSkew, max, required }): TopologySpread[] => {
    if (!required) {
      notes.add(`${workload}: the spread by ${by} is a wish (required: false); the plan heeds those that are required`);
      return [];
    }
    // A new, empty node can always be had: what one has more than another is what it has.
    if (by === 'node') {
      const most = Math.min(maxSkew ?? Number.POSITIVE_INFINITY, max ?? Number.POSITIVE_INFINITY);
      return [{ topology: 'hostname', maxSkew: most, selector }];
    }
    if (by !== 'zone' || max !== null)
      notes.add(`${workload}: ${max === null ? '' : 'max of '}the spread by ${by} is not heeded`);
    return by === 'zone' && maxSkew !== null ? [{ topology: 'zone', maxSkew, selector }] : [];
  });
}
