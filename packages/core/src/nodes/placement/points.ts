import { brokenLabel, type Labels, type Requirements, requirementsOf } from '../requirements/requirements.ts';
import { untolerated } from '../requirements/taints.ts';
import type { CapacityType, Requirement, Taint } from '../types.ts';
import { type GpuShape, gpuAmounts } from './gpuShape.ts';
import type { PlacementPod } from './types.ts';

/** A place where pods may run: a node that is there, or an offering of a pool. */
export interface Point {
  cluster: string;
  region: string;
  zone: string;
  pool: string;
  labels: Labels;
  taints: readonly Taint[];
  capacityType: CapacityType;
  shape: GpuShape;
  /** Of an empty new node, or what is left of one that is there. */
  cpuMilli: number;
  memoryBytes: number;
  /** Not to be bought before then; null: now. */
  backedOffUntilMs: number | null;
}

/** Requirements of a pod, read once. */
export interface CompiledNeeds {
  pod: PlacementPod;
  requirements: Requirements;
  terms: readonly Requirements[];
  preferred: readonly { weight: number; requirements: Requirements }[];
}

export function compileNeeds(pod: PlacementPod): CompiledNeeds {
  const compile = (list: readonly Requirement[]) => requirementsOf(list);
  return {
    pod,
    requirements: compile(pod.requirements),
    terms: pod.affinityTerms.map(compile),
    preferred: pod.preferred.map(({ weight, requirements }) => ({ weight, requirements: compile(requirements) })),
  };
}

/**
 * In the order in which they are looked at: what fails later was nearer to fitting. A machine without the GPUs that a pod
 * needs is never near, whatever else it allows.
 */
export const obstacles = [
  'gpu-kind',
  'cluster',
  'region',
  'pool',
  'label',
  'taint',
  'interruption',
  'gpu-sharing',
  'gpu-memory',
  'gpu-count',
  'cpu',
  'memory',
  'stock-out',
] as const;
export type Obstacle = (typeof obstacles)[number];

/** What keeps a pod from a place even when nothing else ran there, or null. */
export function obstacleOf(needs: CompiledNeeds, point: Point): Obstacle | null {
  const { pod } = needs;
  const amounts = gpuAmounts(point.shape, pod.gpu);
  if (amounts === 'gpu-kind') return amounts;
  const place = placeMissed(needs, point);
  if (place !== null) return place;
  if (untolerated(point.taints, pod.tolerations) !== null) return 'taint';
  if (point.capacityType === 'spot' && !pod.interruptible) return 'interruption';
  if (typeof amounts === 'string') return amounts;
  if (pod.cpuMilli > point.cpuMilli) return 'cpu';
  if (pod.memoryBytes > point.memoryBytes) return 'memory';
  return point.backedOffUntilMs === null ? null : 'stock-out';
}

function placeMissed(needs: CompiledNeeds, { cluster, region, pool, labels }: Point): Obstacle | null {
  const { clusters, regions, pools } = needs.pod;
  if (clusters !== null && !clusters.includes(cluster)) return 'cluster';
  if (regions !== null && !regions.includes(region)) return 'region';
  if (pools !== null && !pools.includes(pool)) return 'pool';
  return labelMissed(needs, labels) === null ? null : 'label';
}

/** The label that keeps a pod away: of its own requirements, else of its first affinity term when none holds. */
export function labelMissed({ requirements, terms }: CompiledNeeds, labels: Labels): string | null {
  const own = brokenLabel(requirements, labels);
  if (own !== null) return own;
  const [first] = terms;
  if (first === undefined || terms.some((term) => brokenLabel(term, labels) === null)) return null;
  return brokenLabel(first, labels);
}

/** Weight of all preferences that a place misses. */
export function missedWeight({ preferred }: CompiledNeeds, labels: Labels): number {
  let missed = 0;
  for (const { weight, requirements } of preferred) if (brokenLabel(requirements, labels) !== null) missed += weight;
  return missed;
}

/**
 * Whether a machine counts for the spread of a pod: place and labels allow the pod, whatever its taints and its size, as
 * Kubernetes has it.
 */
export function countsForSpread(needs: CompiledNeeds, point: Point): boolean {
  return placeMissed(needs, point) === null;
}
