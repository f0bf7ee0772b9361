import { contradiction } from '../requirements/requirements.ts';
import { untolerated } from '../requirements/taints.ts';
import { LimitBook, type LimitRow } from './limits.ts';
import { labelMissed, type Obstacle, obstacleOf, obstacles, type Point } from './points.ts';
import type { PodClass } from './podClasses.ts';
import type { Problem } from './problem.ts';
import type { UnplaceableReason } from './types.ts';

/**
 * Why pods of a class have no place: the nearest miss, which is what stopped it where it came furthest. `spent` is what
 * the plan's nodes left of the limits.
 */
export function reasonFor(problem: Problem, own: PodClass, spent: LimitBook): UnplaceableReason {
  const { needs } = own;
  const impossible = [needs.requirements, ...needs.terms].map(contradiction);
  const [first] = impossible;
  if (first) return { kind: 'contradiction', label: first };
  const { offers, nodes } = problem.supply;
  if (offers.some(({ point }) => obstacleOf(needs, point) === null)) return limitReason(problem, own, spent);
  const fitting = nodes.filter(({ point }) => obstacleOf(needs, point) === null).length;
  if (offers.length === 0 && fitting > 0) return { kind: 'full', nodes: fitting };
  // Nodes that would do are full: what could be bought instead is what matters then.
  const points = (fitting > 0 ? offers : [...offers, ...nodes]).map(({ point }) => point);
  const stopped = points.flatMap((point) => {
    const obstacle = obstacleOf(needs, point);
    return obstacle === null ? [] : [{ point, obstacle }];
  });
  const furthest = Math.max(...stopped.map(({ obstacle }) => obstacles.indexOf(obstacle)));
  const nearest = obstacles[furthest];
  if (nearest === undefined) return { kind: 'no-supply' };
  const at = stopped.flatMap(({ point, obstacle }) => (obstacle === nearest ? [point] : []));
  return obstacleReason(own, nearest, at, problem);
}

function limitReason({ bins, classes }: Problem, own: PodClass, spent: LimitBook): UnplaceableReason {
  const parts = classes.flatMap((part, c) => (part.parent === own.parent ? [c] : []));
  const usable = bins.filter(({ most }) => parts.some((c) => (most[c] ?? 0) > 0));
  const [cheapest] = usable.toSorted((a, b) => a.costMicro - b.costMicro);
  const row: LimitRow | null = cheapest ? spent.forbids(cheapest.index) : null;
  if (row === null) return { kind: 'topology', topology: 'zone' };
  if (row.limit === 'stock') {
    const offerings = usable.flatMap(({ supply }) => (supply.kind === 'offer' ? [supply.entry.offering.id] : []));
    return { kind: 'stock-out', offerings, untilMs: null };
  }
  return { kind: 'limit', pool: row.pool, limit: row.limit, max: row.max };
}

function obstacleReason(
  own: PodClass,
  obstacle: Obstacle,
  points: readonly Point[],
  { supply }: Problem,
): UnplaceableReason {
  const { needs } = own;
  const { pod } = needs;
  const gpus = points.flatMap(({ shape }) => (shape.gpu === null ? [] : [shape.gpu]));
  switch (obstacle) {
    case 'cluster':
      return {
        kind: 'nowhere',
        what: 'cluster',
        allowed: pod.clusters ?? [],
        offered: names(points, (at) => at.cluster),
      };
    case 'region':
      return { kind: 'nowhere', what: 'region', allowed: pod.regions ?? [], offered: names(points, (at) => at.region) };
    case 'pool':
      return { kind: 'nowhere', what: 'pool', allowed: pod.pools ?? [], offered: names(points, (at) => at.pool) };
    case 'label': {
      const label = points.map((point) => labelMissed(needs, point.labels)).find((missed) => missed !== null) ?? '';
      return { kind: 'label', label, offered: names(points, ({ labels }) => labels[label] ?? '') };
    }
    case 'taint': {
      const [point] = points;
      const taint = point && untolerated(point.taints, pod.tolerations);
      if (!point || !taint) return { kind: 'no-supply' };
      return { kind: 'taint', pool: point.pool, taint };
    }
    case 'interruption':
      return { kind: 'interruption', offered: names(points, ({ pool }) => pool) };
    case 'gpu-kind':
    case 'gpu-sharing':
    case 'gpu-memory':
    case 'gpu-count':
      return gpuReason(own, obstacle, points, gpus);
    case 'cpu':
      return { kind: 'cpu', needMilli: pod.cpuMilli, largestMilli: most(points, ({ cpuMilli }) => cpuMilli) };
    case 'memory':
      return {
        kind: 'memory',
        needBytes: pod.memoryBytes,
        largestBytes: most(points, ({ memoryBytes }) => memoryBytes),
      };
    case 'stock-out': {
      const here = supply.offers.filter(({ point }) => points.includes(point));
      return {
        kind: 'stock-out',
        offerings: here.map(({ entry }) => entry.offering.id),
        untilMs: Math.min(...points.map(({ backedOffUntilMs }) => backedOffUntilMs ?? Number.POSITIVE_INFINITY)),
      };
    }
  }
}

function gpuReason(
  { needs }: PodClass,
  obstacle: 'gpu-kind' | 'gpu-sharing' | 'gpu-memory' | 'gpu-count',
  points: readonly Point[],
  gpus: readonly { model: string; count: number; memoryBytes: number }[],
): UnplaceableReason {
  const need = needs.pod.gpu;
  if (need === null) return { kind: 'no-supply' };
  if (obstacle === 'gpu-kind') return { kind: 'gpu-kind', need, offered: names(gpus, ({ model }) => model) };
  if (obstacle === 'gpu-sharing')
    return { kind: 'gpu-sharing', need, offered: names(points, ({ shape }) => shape.sharing.kind) };
  if (obstacle === 'gpu-count') {
    const count = need.kind === 'share' ? 1 : need.count;
    return { kind: 'gpu-count', need: count, largest: most(gpus, (gpu) => gpu.count) };
  }
  // Where GPUs are shared by replicas, each has its part of the memory.
  const part = ({ shape }: Point) =>
    (shape.gpu?.memoryBytes ?? 0) / ('replicas' in shape.sharing ? shape.sharing.replicas : 1);
  const needBytes = need.kind === 'whole' ? need.minMemoryBytes : need.kind === 'share' ? need.memoryBytes : 0;
  return { kind: 'gpu-memory', needBytes, largestBytes: Math.floor(most(points, part)) };
}

function names<Item, Name extends string>(items: readonly Item[], name: (item: Item) => Name): Name[] {
  return [...new Set(items.map(name))].sort();
}

function most<Item>(items: readonly Item[], value: (item: Item) => number): number {
  return items.reduce((largest, item) => Math.max(largest, value(item)), 0);
}
