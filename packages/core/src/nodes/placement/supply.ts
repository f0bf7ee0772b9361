import { allocatableOf } from './allocatable.ts';
import { type GpuShape, gpuShapeOf } from './gpuShape.ts';
import type { Point } from './points.ts';
import {
  capacityTypeLabel,
  clusterLabel,
  type PlacementInput,
  type PlacementNode,
  type PlacementPool,
  type PlacementSettings,
  type PoolOffering,
  poolLabel,
  regionLabel,
  zoneLabel,
} from './types.ts';

/** What new nodes are bought from: one offering of one pool. */
export interface Offer {
  kind: 'offer';
  point: Point;
  pool: PlacementPool;
  poolIndex: number;
  entry: PoolOffering;
  pods: number;
  priceMicro: number;
  /** What the plan minimises for one such node, its pods apart. */
  costMicro: number;
}

/** A node that is there. */
export interface Existing {
  kind: 'node';
  point: Point;
  node: PlacementNode;
  pods: number;
}

export interface Supply {
  offers: Offer[];
  nodes: Existing[];
}

export function supplyOf({ nowMs, nodes, pools, settings }: PlacementInput): Supply {
  const shapes = new Map<string, GpuShape>();
  const shapeOf = (gpu: PlacementNode['gpu'], sharing: PlacementNode['sharing']): GpuShape => {
    const key = JSON.stringify([gpu, sharing]);
    const shape = shapes.get(key) ?? gpuShapeOf(gpu, sharing);
    shapes.set(key, shape);
    return shape;
  };
  return {
    offers: pools.flatMap((pool, poolIndex) =>
      pool.offerings.map((entry): Offer => {
        const { instanceType, region, zone, capacityType, pricePerHourMicro: priceMicro } = entry.offering;
        const { reserve } = pool;
        const until = entry.backedOffUntilMs;
        const point: Point = {
          cluster: pool.cluster,
          region,
          zone,
          pool: pool.name,
          labels: offeringLabels(pool, entry),
          taints: pool.taints,
          capacityType,
          shape: shapeOf(instanceType.gpu, pool.sharing),
          ...allocatableOf(instanceType, reserve),
          backedOffUntilMs: until !== null && until > nowMs ? until : null,
        };
        const pods = Math.min(instanceType.maxPods - reserve.pods, settings.maxPodsPerNode ?? Number.POSITIVE_INFINITY);
        const costMicro = nodeCost(priceMicro, pool.startMs, settings);
        return { kind: 'offer', point, pool, poolIndex, entry, pods, priceMicro, costMicro };
      }),
    ),
    nodes: nodes.map((node): Existing => {
      const { cluster, region, zone, pool, labels, taints, capacityType, free } = node;
      const point: Point = {
        ...{ cluster, region, zone, pool, taints, capacityType, backedOffUntilMs: null },
        labels: { [zoneLabel]: zone, [regionLabel]: region, [clusterLabel]: cluster, [poolLabel]: pool, ...labels },
        shape: shapeOf(node.gpu, node.sharing),
        cpuMilli: free.cpuMilli,
        memoryBytes: free.memoryBytes,
      };
      const cap = settings.maxPodsPerNode;
      const pods = cap === null ? free.pods : Math.min(free.pods, Math.max(0, cap - node.pods.length));
      return { kind: 'node', point, node, pods };
    }),
  };
}

/** Price per hour, start-up paid for over the node's life, and the charge for being one more node; whole micro-units. */
export function nodeCost(priceMicro: number, startMs: number, settings: PlacementSettings): number {
  return Math.round(priceMicro * (1 + startMs / settings.nodeLifeMs)) + settings.nodeChargeMicro;
}

/** Labels of a node bought from an offering of a pool; those of the pool win. */
export function offeringLabels(pool: PlacementPool, { offering }: PoolOffering): Record<string, string> {
  const { instanceType, zone, region, capacityType } = offering;
  return {
    ...instanceType.labels,
    'kubernetes.io/arch': instanceType.architecture,
    'node.kubernetes.io/instance-type': instanceType.name,
    [zoneLabel]: zone,
    [regionLabel]: region,
    [capacityTypeLabel]: capacityType,
    [clusterLabel]: pool.cluster,
    [poolLabel]: pool.name,
    ...pool.labels,
  };
}
