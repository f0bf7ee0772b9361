import { noReserve } from '../placement/allocatable.ts';
import { withPods } from '../consolidation/assignment.ts';
import type { ConsolidationNode, RunningPod } from '../consolidation/types.ts';
import { type Offer, supplyOf } from '../placement/supply.ts';
import type { PlacementNode, PlacementPool, PoolOffering } from '../placement/types.ts';
import type { NodeResources } from '../types.ts';
import type { Draft } from './draft.ts';
import type { FleetNode, FleetPod, FleetPool } from './types.ts';

/** The book's nodes as placement and consolidation see them. What nodes of one kind share is read once. */
export class Views {
  readonly #draft: Draft;
  readonly #kinds = new Map<string, { template: PlacementNode; interruptionsPerHour: number }>();

  constructor(draft: Draft) {
    this.#draft = draft;
  }

  /** The node as if it were empty, with what pods on their way out still take. */
  forConsolidation(node: FleetNode): ConsolidationNode {
    const { template, interruptionsPerHour } = this.#kindOf(node);
    const pods = this.#draft.podsOn(node.id);
    const leaving = pods.filter(({ isLeaving }) => isLeaving);
    const { nowMs } = this.#draft;
    const isReady = node.phase === 'ready';
    const hasStarted = node.phase === 'asked' || node.phase === 'starting';
    const bare: ConsolidationNode = {
      empty: { ...template, name: node.id, labels: { ...template.labels, 'kubernetes.io/hostname': node.id } },
      offering: node.offering,
      interruptionsPerHour,
      pods: runningPods(leaving),
      readyAtMs: node.readyAtMs ?? node.askedAtMs,
      quietSinceMs: node.quietSinceMs,
      // What is not ready is not touched for money, nor a node from which pods are just leaving.
      doNotDisrupt: node.doNotDisrupt || hasStarted || leaving.length > 0 || isHeld(this.#draft, node),
      isGoing: !isReady && !hasStarted,
      notice: node.notice?.kind ?? null,
      outdated: isReady ? outdatedBy(node, this.#draft.pools.get(node.pool), nowMs) : null,
    };
    const empty = leaving.length === 0 ? bare.empty : withPods(bare);
    return { ...bare, empty, pods: runningPods(pods.filter(({ isLeaving }) => !isLeaving)) };
  }

  forPlacement(node: FleetNode): PlacementNode {
    const view = this.forConsolidation(node);
    return view.pods.length === 0 ? view.empty : withPods(view);
  }

  /** What pods may still take of a node, GPUs apart. */
  freeOf(node: FleetNode): NodeResources {
    const { free } = this.#kindOf(node).template;
    const there = this.#draft.podsOn(node.id);
    let { cpuMilli, memoryBytes } = free;
    for (const { pod } of there) {
      cpuMilli -= pod.cpuMilli;
      memoryBytes -= pod.memoryBytes;
    }
    return { cpuMilli, memoryBytes, pods: free.pods - there.length };
  }

  #kindOf(node: FleetNode): { template: PlacementNode; interruptionsPerHour: number } {
    const { offering } = node;
    const key = `${node.pool}|${offering.id}|${offering.zone}`;
    const known = this.#kinds.get(key);
    if (known) return known;
    const { spec, pools, nowMs } = this.#draft;
    const pool = pools.get(node.pool)?.consolidation.pool ?? removedPool(node.pool, spec.cluster);
    const listed = pool.offerings.find((one) => one.offering.id === offering.id);
    const entry = listed && this.#draft.hedges.entryOf(node.pool, listed, 'none');
    const sold: PoolOffering = {
      ...{ offering, backedOffUntilMs: null, stock: null },
      interruptionsPerHour: entry?.interruptionsPerHour ?? 0,
    };
    const [offer] = supplyOf({
      ...{ nowMs, pods: [], nodes: [], settings: spec.settings },
      pools: [{ ...pool, offerings: [sold] }],
    }).offers;
    if (offer === undefined) throw new Error(`${node.pool} does not offer ${offering.id}`);
    const kind = {
      template: templateOf(offer),
      interruptionsPerHour: offering.capacityType === 'spot' ? sold.interruptionsPerHour : 0,
    };
    this.#kinds.set(key, kind);
    return kind;
  }
}

function templateOf({ point, pods, pool, entry }: Offer): PlacementNode {
  const { labels, taints, zone, region, cluster, capacityType, cpuMilli, memoryBytes } = point;
  const { gpu } = entry.offering.instanceType;
  return {
    ...{ name: '', pool: pool.name, labels, taints, zone, region, cluster, capacityType },
    ...{ free: { cpuMilli, memoryBytes, pods }, gpu, sharing: pool.sharing, pods: [] },
    gpuUse: Array.from({ length: gpu?.count ?? 0 }, () => ({ places: 0, gpuMilli: 0, memoryBytes: 0, instances: [] })),
  };
}

function runningPods(pods: readonly FleetPod[]): RunningPod[] {
  return pods.flatMap(({ pod, bound, loadMs, inFlight, doNotDisrupt }) =>
    bound === null ? [] : [{ pod, place: bound.place, loadMs, inFlight, doNotDisrupt }],
  );
}

/** Whether pods of others are about to come there, or a spot hedge needs it. */
function isHeld(draft: Draft, node: FleetNode): boolean {
  return isNeededBy(draft, node) || draft.hedges.kept.has(node.id);
}

/** Whether nodes that it was bought to replace still have pods. */
function isNeededBy(draft: Draft, { replaces }: FleetNode): boolean {
  return replaces.some((id) => draft.book.get(id)?.phase === 'draining' && draft.podsOn(id).length > 0);
}

/** Whether nothing is on it, nor about to come from nodes that it replaces. */
export function isFree(draft: Draft, node: FleetNode): boolean {
  return draft.podsOn(node.id).length === 0 && !isNeededBy(draft, node);
}

export function outdatedBy(node: FleetNode, pool: FleetPool | undefined, nowMs: number): 'drift' | 'expiry' | null {
  if (pool === undefined) return null;
  if (node.revision !== pool.revision) return 'drift';
  const { expireAfterMs } = pool;
  return expireAfterMs !== null && nowMs >= (node.readyAtMs ?? nowMs) + expireAfterMs ? 'expiry' : null;
}

/** Stands for a pool whose document is gone: nothing is for sale, its nodes count for limits and rules between pods. */
export function removedPool(name: string, cluster: string): PlacementPool {
  const none = { nodes: null, cpuMilli: null, memoryBytes: null, gpus: null, pricePerHourMicro: null };
  return {
    ...{ name, cluster, offerings: [], labels: {}, taints: [], sharing: { kind: 'none' }, limits: none, startMs: 0 },
    reserve: noReserve,
    used: { nodes: 0, cpuMilli: 0, memoryBytes: 0, gpus: 0, pricePerHourMicro: 0 },
  };
}
