import type { Solver } from '../../ports/solver.ts';
import { plan } from '../placement/plan.ts';
import type { NodeLimits, PlacementPod, PlacementPool } from '../placement/types.ts';
import type { Requirement } from '../types.ts';
import type { ConsolidationInput } from './types.ts';

const none: NodeLimits = { nodes: null, cpuMilli: null, memoryBytes: null, gpus: null, pricePerHourMicro: null };

/**
 * No assignment of these pods costs less an hour: all are placed anew, without limits, on what is for sale and on the nodes
 * that are there at their own price, each once. Micro-units.
 */
export function boundOf(
  input: ConsolidationInput,
  options: { solver: Solver | null; workUnits: number },
): { boundMicro: number; workUnits: number } {
  const staying = input.nodes.filter(({ isGoing }) => !isGoing);
  const { pods, pools } = poolsOfNodes(staying);
  const made = plan(
    {
      nowMs: input.nowMs,
      pods,
      nodes: [],
      pools: [...input.pools.map(({ pool }) => ({ ...pool, limits: none, startMs: 0 })), ...pools],
      settings: { ...input.settings, maxWorkloadShare: 1, limits: none },
    },
    { ...options, seed: 0 },
  );
  return { boundMicro: made.lowerBoundMicro, workUnits: made.workUnits };
}

/** Nodes that are alike as something of which there are so many. */
function poolsOfNodes(nodes: readonly ConsolidationInput['nodes'][number][]) {
  const alike = Map.groupBy(nodes, ({ empty, offering, interruptionsPerHour }) => {
    const { labels, taints, sharing, pool, free } = empty;
    const { 'kubernetes.io/hostname': _, ...shared } = labels;
    return JSON.stringify([pool, offering, interruptionsPerHour, shared, taints, sharing, free]);
  });
  const pools: PlacementPool[] = [...alike.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { empty, offering, interruptionsPerHour } = first;
    const { instanceType } = offering;
    return {
      name: empty.pool,
      cluster: empty.cluster,
      offerings: [{ offering, backedOffUntilMs: null, stock: group.length, interruptionsPerHour }],
      labels: empty.labels,
      taints: empty.taints,
      sharing: empty.sharing,
      reserve: {
        cpuMilli: instanceType.cpuMilli - empty.free.cpuMilli,
        memoryBytes: instanceType.memoryBytes - empty.free.memoryBytes,
        memoryShare: 0,
        pods: instanceType.maxPods - empty.free.pods,
      },
      limits: none,
      used: { nodes: 0, cpuMilli: 0, memoryBytes: 0, gpus: 0, pricePerHourMicro: 0 },
      startMs: 0,
    };
  });
  return { pods: nodes.flatMap(({ pods }) => pods.map(({ pod }) => relaxed(pod))), pools };
}

/** Without rules between pods and on single nodes, which only make plans dearer: pods are alike again. */
function relaxed(pod: PlacementPod): PlacementPod {
  const isShared = ({ key }: Requirement) => key !== 'kubernetes.io/hostname';
  return {
    ...pod,
    ...{ labels: {}, spread: [], antiAffinity: [] },
    requirements: pod.requirements.filter(isShared),
    affinityTerms: pod.affinityTerms.map((term) => term.filter(isShared)),
    preferred: pod.preferred.filter(({ requirements }) => requirements.every(isShared)),
  };
}
