import { gpuAmounts, gpuShapeOf } from '../placement/gpuShape.ts';
import { compileNeeds, missedWeight } from '../placement/points.ts';
import { supplyOf } from '../placement/supply.ts';
import {
  clusterLabel,
  type PlacementNode,
  type PlacementPod,
  type PlacementSettings,
  poolLabel,
  regionLabel,
  zoneLabel,
} from '../placement/types.ts';
import type { ConsolidationNode, ConsolidationPool, NewNode } from './types.ts';

const hourMs = 3_600_000;

/** What a node and its pods cost an hour: price, node charge, expected interruptions, missed preferences; micro-units. */
export function runningCost({ offering, pods, ...node }: ConsolidationNode, settings: PlacementSettings): number {
  let cost = offering.pricePerHourMicro + settings.nodeChargeMicro;
  for (const { pod } of pods) {
    cost += node.interruptionsPerHour * pod.interruptionPriceMicro;
    if (pod.preferred.length === 0) continue;
    cost += missedWeight(compileNeeds(pod), labelsOf(node.empty)) * settings.preferencePriceMicro;
  }
  return Math.round(cost);
}

/** Running costs of all nodes that stay, in whole micro-units an hour. */
export function totalCost(nodes: readonly ConsolidationNode[], settings: PlacementSettings): number {
  return nodes.reduce((sum, node) => sum + (node.isGoing ? 0 : runningCost(node, settings)), 0);
}

function labelsOf({ zone, region, cluster, pool, labels }: PlacementNode): Record<string, string> {
  return { [zoneLabel]: zone, [regionLabel]: region, [clusterLabel]: cluster, [poolLabel]: pool, ...labels };
}

/** The largest part of a node's CPU, memory and GPUs that a pod takes, 0 to 1. */
export function shareOf(pod: PlacementPod, { free, gpu, sharing }: PlacementNode): number {
  let share = Math.max(pod.cpuMilli / (free.cpuMilli || 1), pod.memoryBytes / (free.memoryBytes || 1));
  if (pod.gpu !== null) {
    const shape = gpuShapeOf(gpu, sharing);
    const amounts = gpuAmounts(shape, pod.gpu);
    if (typeof amounts !== 'string') {
      for (const [i, amount] of amounts.entries()) share = Math.max(share, amount / (shape.capacity[i] || 1));
    }
  }
  return Math.min(1, share);
}

/** Loading pods again, at the price of their share of the node that they come to: `loadMs × share × price`. */
export function loadingCost({ pods, empty, offering }: ConsolidationNode, isMoved: (id: string) => boolean): number {
  let cost = 0;
  for (const { pod, loadMs } of pods) {
    if (isMoved(pod.id)) cost += (loadMs / hourMs) * shareOf(pod, empty) * offering.pricePerHourMicro;
  }
  return cost;
}

export function startCost({ pool }: ConsolidationPool, pricePerHourMicro: number): number {
  return (pool.startMs / hourMs) * pricePerHourMicro;
}

/** A node as it will be when it is bought; null: the pool does not offer it. */
export function boughtNode(
  { name, offering: id }: NewNode,
  { pool }: ConsolidationPool,
  settings: PlacementSettings,
  nowMs: number,
): ConsolidationNode | null {
  const entry = pool.offerings.find(({ offering }) => offering.id === id);
  if (entry === undefined) return null;
  const { offers } = supplyOf({ nowMs, pods: [], nodes: [], pools: [{ ...pool, offerings: [entry] }], settings });
  const [offer] = offers;
  if (offer === undefined) return null;
  const { offering, interruptionsPerHour } = entry;
  const { point, pods } = offer;
  const { labels, taints, zone, region, cluster, capacityType, cpuMilli, memoryBytes } = point;
  const gpu = offering.instanceType.gpu;
  const empty: PlacementNode = {
    ...{ name, pool: pool.name, labels, taints, zone, region, cluster, capacityType },
    ...{ free: { cpuMilli, memoryBytes, pods }, gpu, sharing: pool.sharing, pods: [] },
    gpuUse: Array.from({ length: gpu?.count ?? 0 }, () => ({ places: 0, gpuMilli: 0, memoryBytes: 0, instances: [] })),
  };
  return {
    ...{ empty, offering, interruptionsPerHour: point.capacityType === 'spot' ? interruptionsPerHour : 0, pods: [] },
    ...{ readyAtMs: nowMs, quietSinceMs: nowMs, doNotDisrupt: false, isGoing: false, notice: null, outdated: null },
  };
}
