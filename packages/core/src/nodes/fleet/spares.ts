import { compileNeeds, obstacleOf } from '../placement/points.ts';
import { type Offer, supplyOf } from '../placement/supply.ts';
import type { PlacementPod } from '../placement/types.ts';
import type { Draft } from './draft.ts';
import { asksOf, canBuy, poolsForSale } from './market.ts';
import { largestKeptMs } from './times.ts';
import type { FleetNode, FleetPool } from './types.ts';
import { isFree } from './views.ts';

/** Buys what is missing of `minNodes` and `warmSpares`; nodes on their way count. */
export function buyReserve(draft: Draft): void {
  const { spec, book } = draft;
  const names = new Set(spec.pools.flatMap((pool) => (hasReserve(pool) ? [pool.consolidation.pool.name] : [])));
  draft.memory.largest = draft.memory.largest.filter(({ pool }) => names.has(pool));
  if (names.size === 0) return;
  const byPool = Map.groupBy(book.staying(), ({ pool }) => pool);
  for (const pool of spec.pools) {
    if (!hasReserve(pool)) continue;
    const { minNodes, warmSpares, pool: sold } = pool.consolidation;
    const staying = byPool.get(sold.name) ?? [];
    const nodes = staying.filter(({ notice }) => notice?.kind !== 'interruption');
    const largest = largestPod(draft, pool, nodes);
    const spares = nodes.filter((node) => node.notice === null && isFree(draft, node)).length;
    const bought = buy(draft, pool, 'warm-spare', warmSpares - spares, largest);
    // Where nothing may run beside what it replaces, that is to be gone first.
    const going = pool.consolidation.isSurgeAllowed ? 0 : book.usedOf(sold.name).nodes - bought - staying.length;
    buy(draft, pool, 'min-nodes', minNodes - nodes.length - bought - going, largest);
  }
}

function hasReserve({ consolidation: { minNodes, warmSpares } }: FleetPool): boolean {
  return minNodes > 0 || warmSpares > 0;
}

function buy(
  draft: Draft,
  pool: FleetPool,
  what: 'warm-spare' | 'min-nodes',
  missing: number,
  largest: PlacementPod | null,
): number {
  if (missing <= 0) return 0;
  const { name } = pool.consolidation.pool;
  const offers = offersFor(draft, pool, largest);
  let bought = 0;
  while (bought < missing) {
    const offer = offers.find(({ entry }) => canBuy(draft, [{ pool, offering: entry.offering }], 'none'));
    if (offer === undefined) break;
    const node = draft.buy(pool, offer.entry.offering, []);
    const { id: offering, pricePerHourMicro } = node.offering;
    draft.reasons.push({ code: what, node: node.id, pool: name, offering, pricePerHourMicro });
    bought++;
  }
  if (bought < missing) {
    draft.reasons.push({ code: 'short', pool: name, what, missing: missing - bought });
    for (const atMs of asksOf(draft, pool)) draft.revisit(atMs);
  }
  return bought;
}

/** What of the pool holds the pod, the cheapest first; whatever there is where no pod is known. */
function offersFor(draft: Draft, pool: FleetPool, largest: PlacementPod | null): Offer[] {
  // What is kept for its own sake is no part of a spot hedge.
  const pools = poolsForSale(draft, (one) => one === pool, 'none');
  const { offers } = supplyOf({ nowMs: draft.nowMs, pods: [], nodes: [], pools, settings: draft.spec.settings });
  const needs = largest && compileNeeds(largest);
  return offers
    .filter(({ point, pods }) => pods > 0 && (needs === null || obstacleOf(needs, point) === null))
    .sort((a, b) => a.costMicro - b.costMicro || (a.entry.offering.id < b.entry.offering.id ? -1 : 1));
}

/** The largest pod that runs in the pool, was seen there within a day, or is declared and may run there. */
function largestPod(draft: Draft, pool: FleetPool, nodes: readonly FleetNode[]): PlacementPod | null {
  const { memory, nowMs } = draft;
  const { name } = pool.consolidation.pool;
  const running = nodes.flatMap(({ id }) => draft.podsOn(id).map(({ pod }) => pod));
  const seen = running.reduce<PlacementPod | null>((most, pod) => (isLarger(pod, most) ? pod : most), null);
  const before = memory.largest.find((one) => one.pool === name);
  const isRecent = before !== undefined && nowMs - before.seenAtMs < largestKeptMs;
  if (seen !== null && (!isRecent || !isLarger(before.pod, seen))) {
    // Told to the hour, so that the memory is not written anew each time.
    const seenAtMs = isRecent && nowMs - before.seenAtMs < largestKeptMs / 24 ? before.seenAtMs : nowMs;
    if (before?.pod.id !== seen.id || before.seenAtMs !== seenAtMs) {
      memory.largest = [...memory.largest.filter((one) => one !== before), { pool: name, pod: seen, seenAtMs }];
    }
  }
  return largestKnown(draft, pool);
}

/** The largest pod that was seen in the pool lately, or is declared and may run there. */
export function largestKnown(draft: Draft, pool: FleetPool): PlacementPod | null {
  const { memory, spec } = draft;
  const known = memory.largest.find((one) => one.pool === pool.consolidation.pool.name)?.pod ?? null;
  return spec.declaredPods
    .filter((pod) => isLarger(pod, known) && offersEver(draft, pool, pod))
    .reduce((most, pod) => (isLarger(pod, most) ? pod : most), known);
}

/** Whether the pool has something for a pod when nothing is left alone. */
function offersEver({ nowMs, spec }: Draft, { consolidation: { pool } }: FleetPool, pod: PlacementPod): boolean {
  const needs = compileNeeds(pod);
  const offerings = pool.offerings.map((entry) => ({ ...entry, backedOffUntilMs: null }));
  const supply = { nowMs, pods: [], nodes: [], pools: [{ ...pool, offerings }], settings: spec.settings };
  return supplyOf(supply).offers.some(({ point }) => obstacleOf(needs, point) === null);
}

/** By GPUs, then memory, then CPU. */
function isLarger(a: PlacementPod, b: PlacementPod | null): boolean {
  if (b === null) return true;
  const order = gpuMilliOf(a) - gpuMilliOf(b) || a.memoryBytes - b.memoryBytes || a.cpuMilli - b.cpuMilli;
  return order > 0;
}

function gpuMilliOf({ gpu }: PlacementPod): number {
  if (gpu === null) return 0;
  // An instance of MIG is at least a seventh of a GPU.
  return gpu.kind === 'share' ? gpu.gpuMilli : gpu.count * (gpu.kind === 'mig' ? 143 : 1000);
}
