import { countsOf } from '../placement/limits.ts';
import type { NodeGpuUse, PlacementNode } from '../placement/types.ts';
import { boughtNode } from './runningCost.ts';
import type {
  ConsolidationInput,
  ConsolidationMove,
  ConsolidationNode,
  ConsolidationPool,
  RunningPod,
} from './types.ts';

type Used = ConsolidationPool['pool']['used'];

/** A node with its pods as placement sees it: what is left, and who runs there. */
export function withPods({ empty, pods }: ConsolidationNode): PlacementNode {
  const free = { ...empty.free };
  const gpuUse = empty.gpuUse.map((use) => ({ ...use, instances: [...use.instances] }));
  for (const { pod, place } of pods) {
    free.cpuMilli -= pod.cpuMilli;
    free.memoryBytes -= pod.memoryBytes;
    free.pods -= 1;
    takeGpus(gpuUse, { pod, place }, empty);
  }
  const bound = pods.map(({ pod: { workload, labels, antiAffinity } }) => ({ workload, labels, antiAffinity }));
  return { ...empty, free, gpuUse, pods: [...empty.pods, ...bound] };
}

function takeGpus(
  use: (NodeGpuUse & { instances: MigInstances })[],
  { pod, place }: Pick<RunningPod, 'pod' | 'place'>,
  { gpu }: PlacementNode,
): void {
  const need = pod.gpu;
  if (need === null) return;
  for (const [k, index] of place.gpus.entries()) {
    const one = use[index];
    if (one === undefined) continue;
    const instance = place.instances[k];
    if (need.kind === 'mig') {
      if (instance) one.instances.push(instance);
      continue;
    }
    const isShare = need.kind === 'share';
    use[index] = {
      places: one.places + 1,
      gpuMilli: one.gpuMilli + (isShare ? need.gpuMilli : 1000),
      memoryBytes: one.memoryBytes + (isShare ? need.memoryBytes : (gpu?.memoryBytes ?? 0)),
      instances: one.instances,
    };
  }
}
type MigInstances = NodeGpuUse['instances'][number][];

/** Pools without the nodes that go: what they were is free again for limits and stock. */
export function withoutUse(
  pools: readonly ConsolidationPool[],
  gone: readonly ConsolidationNode[],
): ConsolidationPool[] {
  return pools.map((one) =>
    changed(
      one,
      gone.filter(({ empty }) => empty.pool === one.pool.name),
      -1,
    ),
  );
}

function changed(one: ConsolidationPool, nodes: readonly ConsolidationNode[], sign: 1 | -1): ConsolidationPool {
  if (nodes.length === 0) return one;
  const used: Used = { ...one.pool.used };
  for (const { offering } of nodes) {
    const counts = countsOf({ entry: { offering, backedOffUntilMs: null, stock: null, interruptionsPerHour: 0 } });
    for (const key of ['nodes', 'cpuMilli', 'memoryBytes', 'gpus', 'pricePerHourMicro'] as const) {
      used[key] = Math.max(0, used[key] + sign * counts[key]);
    }
  }
  const offerings = one.pool.offerings.map((entry) => {
    if (entry.stock === null) return entry;
    const count = nodes.filter(({ offering }) => offering.id === entry.offering.id).length;
    return count === 0 ? entry : { ...entry, stock: Math.max(0, entry.stock - sign * count) };
  });
  return { ...one, pool: { ...one.pool, used, offerings } };
}

/**
 * What is there when a move has been carried out. Its nodes are `isGoing` and empty, so that budgets still count them;
 * limits and stock count them no more. Throws where the move is of another input.
 */
export function applyMove(input: ConsolidationInput, move: ConsolidationMove): ConsolidationInput {
  const { nowMs, settings } = input;
  const running = new Map<string, RunningPod>();
  const removed = new Set(move.remove);
  const gone = input.nodes.filter(({ empty }) => removed.has(empty.name));
  if (gone.length !== removed.size) throw new Error(`not all of ${move.remove.join(', ')} are there`);
  for (const { pods } of gone) for (const one of pods) running.set(one.pod.id, one);
  const arrivals = new Map<string, RunningPod[]>();
  for (const { to, place } of move.relocate) {
    const one = running.get(place.id);
    if (one === undefined) throw new Error(`pod ${place.id} is on none of ${move.remove.join(', ')}`);
    arrivals.set(to, [...(arrivals.get(to) ?? []), { ...one, place }]);
  }
  const bought = move.buy.map((one) => {
    const pool = input.pools.find(({ pool }) => pool.name === one.pool);
    const node = pool && boughtNode(one, pool, settings, nowMs);
    if (!node) throw new Error(`${one.pool} does not offer ${one.offering}`);
    return node;
  });
  const nodes = [...input.nodes, ...bought].map((node): ConsolidationNode => {
    const { name } = node.empty;
    if (removed.has(name)) return { ...node, pods: [], isGoing: true };
    const added = arrivals.get(name);
    return added === undefined ? node : { ...node, pods: [...node.pods, ...added], quietSinceMs: nowMs };
  });
  const pools = withoutUse(input.pools, gone).map((one) =>
    changed(
      one,
      bought.filter(({ empty }) => empty.pool === one.pool.name),
      1,
    ),
  );
  return { ...input, nodes, pools };
}
