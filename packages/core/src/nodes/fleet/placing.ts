import type { Solver } from '../../ports/solver.ts';
import { plan } from '../placement/plan.ts';
import type { PlacementInput, PlacementNode, PlacementPool, Plan } from '../placement/types.ts';
import { addMarket, addNodes } from './digests.ts';
import type { Draft } from './draft.ts';
import { Key } from './keys.ts';
import type { HedgeCaps } from './hedges.ts';
import { groupKey, sizeOf } from './hedgeGroups.ts';
import { asksOf, poolsForSale } from './market.ts';
import type { FleetNode, FleetPod, FleetPool } from './types.ts';
import { isKeepable, keepWanted } from './wanted.ts';
import { outdatedBy, Views } from './views.ts';

const fewPods = 16;
const nearNodes = 64;

/**
 * Places for all pods that wait: on nodes that are there or on their way, else on new ones, from the pools with the most weight first.
 * Nothing is looked for where nothing has changed since none was found.
 */
export function placeWaiting(draft: Draft, solver: Solver | null): void {
  const { memory } = draft;
  if (draft.waiting().length === 0) {
    memory.unplaced = null;
    return;
  }
  if (memory.unplaced === null || memory.unplaced.key !== unplacedKey(draft)) {
    const unplaceable = placeByWeight(draft, solver);
    keepWanted(draft);
    // As it will be found at the next step: for what is there.
    if (unplaceable.length > 0) draft.hedges.decide();
    memory.unplaced = unplaceable.length === 0 ? null : { key: unplacedKey(draft), pods: [...unplaceable] };
  }
  for (const { reason, pods } of memory.unplaced?.pods ?? []) {
    draft.reasons.push({ code: 'unplaceable', pods, reason });
  }
  if (memory.unplaced === null) return;
  for (const pool of draft.spec.pools) for (const atMs of asksOf(draft, pool)) draft.revisit(atMs);
}

function unplacedKey(draft: Draft): string {
  const key = addMarket(draft, addNodes(draft, new Key()));
  for (const { pod } of draft.waiting()) key.add(pod.id, pod.cpuMilli, pod.memoryBytes, pod.priority);
  for (const { name, free } of draft.observation.others ?? [])
    key.add(name, free.cpuMilli, free.memoryBytes, free.pods);
  return key.text;
}

function placeByWeight(draft: Draft, solver: Solver | null): Plan['unplaceable'] {
  const weights = [...new Set(draft.spec.pools.map(({ weight }) => weight))].sort((a, b) => b - a);
  // Last of all pools together: rules between pods may see other zones then, and it tells why nothing does.
  const rounds = weights.length > 1 ? [...weights, null] : [null];
  let left: Plan['unplaceable'] = [];
  let bound = 0;
  const nodes = new Set<string>();
  for (const weight of rounds) {
    if (draft.waiting().length === 0) return [];
    const made = placeFrom(draft, (pool) => weight === null || pool.weight === weight, solver);
    for (const { node, pods } of made.flatMap(({ bind }) => bind)) {
      nodes.add(node);
      bound += pods.length;
    }
    left = made.flatMap(({ unplaceable }) => unplaceable);
  }
  if (bound > 0) draft.reasons.push({ code: 'bound', pods: bound, nodes: nodes.size });
  return left.length === 0 ? left : reasonsFor(draft, left);
}

/** Places from some pools. Where one has no fallback, pods that may not be interrupted come first: others get nothing on demand. */
function placeFrom(draft: Draft, sells: (pool: FleetPool) => boolean, solver: Solver | null): Plan[] {
  const hedged = draft.hedges.isOn ? draft.spec.pools.filter((pool) => pool.spot && sells(pool)) : [];
  const place = (pods: readonly FleetPod[], caps: HedgeCaps): Plan => {
    const rough = hedged.length === 0 ? null : roughPlan(draft, pods, sells);
    const made = rough && isEnough(rough) ? rough : bestPlan(draft, pods, poolsForSale(draft, sells, caps), solver);
    carryOut(draft, made);
    return made;
  };
  const waiting = draft.waiting();
  if (!hedged.some(({ spot }) => spot?.fallback === false)) return [place(waiting, 'spot')];
  const [firm, others] = [false, true].map((may) => waiting.filter(({ pod }) => pod.interruptible === may));
  return [
    ...(firm && firm.length > 0 ? [place(firm, 'spot')] : []),
    ...(others && others.length > 0 ? [place(others, 'all')] : []),
  ];
}

/** What these pods need as if nothing were hedged: hedges are decided on with that before anything is bought. */
function roughPlan(draft: Draft, pods: readonly FleetPod[], sells: (pool: FleetPool) => boolean): Plan {
  const rough = bestPlan(draft, pods, poolsForSale(draft, sells, 'none'), null, 0);
  const mayGo = new Set(pods.flatMap(({ pod }) => (pod.interruptible ? [pod.id] : [])));
  const planned = new Map<string, number>();
  for (const one of rough.buy) {
    const pool = draft.pools.get(one.pool);
    if (!pool?.spot || !one.pods.every(({ id }) => mayGo.has(id))) continue;
    const entry = pool.consolidation.pool.offerings.find(({ offering }) => offering.id === one.offering);
    const key = entry && groupKey({ pool: one.pool, size: sizeOf(entry.offering.instanceType) });
    if (key !== undefined) planned.set(key, (planned.get(key) ?? 0) + 1);
  }
  if (planned.size > 0) draft.hedges.decide(planned);
  return rough;
}

/** Why pods have no place, told with the nodes that are full and were not looked at. */
function reasonsFor(draft: Draft, left: Plan['unplaceable']): Plan['unplaceable'] {
  const views = new Views(draft);
  const nodes = draft.book.all().filter((node) => isOpen(draft, node));
  const told = nodes.map((node) => views.forPlacement(node));
  const input = inputOf(draft, draft.waiting(), told, poolsForSale(draft));
  const made = plan(input, { solver: null, seed: 0, workUnits: 0 });
  return made.buy.length === 0 && made.bind.length === 0 ? made.unplaceable : left;
}

/** Nodes that are outdated, or about to go for money, take pods only where that saves buying. */
function bestPlan(
  draft: Draft,
  waiting: readonly FleetPod[],
  pools: readonly PlacementPool[],
  solver: Solver | null,
  workUnits = draft.spec.workUnits,
): Plan {
  const views = new Views(draft);
  const staying = draft.book.all();
  const open = staying.filter((node) => isOpen(draft, node));
  const first = roomy(draft, waiting, open, views);
  const second = staying.filter((node) => isOpenIfNeeded(draft, node));
  const planOn = (nodes: readonly FleetNode[]): Plan => {
    // The cheapest node for one pod is found without a search.
    const work = waiting.length === 1 ? { solver: null, workUnits: 0 } : { solver, workUnits };
    const others = draft.observation.others ?? [];
    const input = inputOf(draft, waiting, [...told(draft, waiting, nodes, views), ...others], pools);
    const made = plan(input, { ...work, seed: draft.spec.seed });
    draft.workUnits += made.workUnits;
    return made;
  };
  // A few pods mostly find room on the first of many nodes.
  if (waiting.length <= fewPods && first.length > nearNodes) {
    const near = planOn(first.slice(0, nearNodes));
    if (isEnough(near)) return near;
  }
  const made = planOn(first);
  if (second.length === 0 || isEnough(made)) return made;
  const other = planOn([...first, ...roomy(draft, waiting, second, views)]);
  const out = countLeft(other) - countLeft(made);
  return out < 0 || (out === 0 && other.costPerHourMicro < made.costPerHourMicro) ? other : made;
}

const isEnough = ({ buy, unplaceable }: Plan) => buy.length === 0 && unplaceable.length === 0;
const countLeft = ({ unplaceable }: Plan) => unplaceable.reduce((sum, { pods }) => sum + pods.length, 0);

function inputOf(
  { nowMs, spec }: Draft,
  waiting: readonly FleetPod[],
  nodes: PlacementNode[],
  pools: readonly PlacementPool[],
): PlacementInput {
  return { nowMs, pods: waiting.map(({ pod }) => pod), nodes, pools, settings: spec.settings };
}

/** Nodes with room for one of the pods: ready ones before those on their way, full ones before empty ones. */
function roomy(draft: Draft, waiting: readonly FleetPod[], nodes: readonly FleetNode[], views: Views): FleetNode[] {
  const least = { cpuMilli: leastOf(waiting, 'cpuMilli'), memoryBytes: leastOf(waiting, 'memoryBytes') };
  const rank = (node: FleetNode) =>
    (node.phase === 'ready' ? 0 : 2) + (draft.podsOn(node.id).length === 0 ? 1 : 0) + (node.going === null ? 0 : 4);
  return nodes
    .map((node) => ({ node, free: views.freeOf(node), rank: rank(node) }))
    .filter(({ free }) => free.cpuMilli >= least.cpuMilli && free.memoryBytes >= least.memoryBytes && free.pods > 0)
    .sort((a, b) => a.rank - b.rank || a.free.cpuMilli - b.free.cpuMilli)
    .map(({ node }) => node);
}

/** Nodes as placement sees them. Where rules between pods count what runs elsewhere, the others are told too, as full. */
function told(draft: Draft, waiting: readonly FleetPod[], open: readonly FleetNode[], views: Views): PlacementNode[] {
  const nodes = open.map((node) => views.forPlacement(node));
  if (!hasRules(draft, waiting)) return nodes;
  const isTold = new Set(open);
  const others = draft.book.all().filter((node) => !isTold.has(node) && draft.podsOn(node.id).length > 0);
  const full = { cpuMilli: 0, memoryBytes: 0, pods: 0 };
  return [...nodes, ...others.map((node) => ({ ...views.forPlacement(node), free: full }))];
}

function leastOf(pods: readonly FleetPod[], amount: 'cpuMilli' | 'memoryBytes'): number {
  return pods.reduce((least, { pod }) => Math.min(least, pod[amount]), Number.POSITIVE_INFINITY);
}

/** Whether it matters for pods that wait what runs on other nodes. */
function hasRules({ spec, observation }: Draft, waiting: readonly FleetPod[]): boolean {
  return (
    spec.settings.maxWorkloadShare < 1 ||
    waiting.some(({ pod }) => pod.spread.length > 0) ||
    observation.pods.some(({ pod }) => pod.antiAffinity.length > 0)
  );
}

/** Whether pods may come to a node: it stays, and a ready one is so still. */
function isOpen(draft: Draft, node: FleetNode): boolean {
  const { phase, notice, pool: name } = node;
  const pool = draft.pools.get(name);
  if (pool === undefined || notice !== null || phase === 'draining' || phase === 'ending') return false;
  return phase !== 'ready' || (isReadyStill(draft, node) && outdatedBy(node, pool, draft.nowMs) === null);
}

function isOpenIfNeeded(draft: Draft, node: FleetNode): boolean {
  if (!draft.pools.has(node.pool) || node.notice !== null || !isReadyStill(draft, node)) return false;
  return node.phase === 'ready' ? !isOpen(draft, node) : isKeepable(node);
}

function isReadyStill({ machines }: Draft, { id }: FleetNode): boolean {
  return machines === null || machines.get(id)?.phase === 'ready';
}

function carryOut(draft: Draft, made: Plan): void {
  for (const { node: id, pods } of made.bind) {
    const node = draft.book.get(id);
    if (node?.phase === 'draining') draft.keep(node);
    for (const place of pods) {
      if (node) draft.bind(place.id, id, place);
      else draft.leaveToOthers(place.id);
    }
  }
  for (const { pool: name, offering: id, pricePerHourMicro, pods } of made.buy) {
    const pool = draft.pools.get(name);
    const entry = pool?.consolidation.pool.offerings.find(({ offering }) => offering.id === id);
    if (pool === undefined || entry === undefined) throw new Error(`${name} does not offer ${id}`);
    const node = draft.buy(pool, entry.offering, pods);
    draft.reasons.push({
      ...{ code: 'bought', node: node.id, pool: name, offering: id, pricePerHourMicro },
      ...{ pods: pods.length, gap: made.gap },
    });
  }
}

/** Whether pods of a node have room on nodes that are there and ready, all of them or some. */
export function fitsElsewhere(
  draft: Draft,
  from: FleetNode,
  pods: readonly FleetPod[],
  among: (node: FleetNode) => boolean = () => true,
): boolean {
  const ready = draft.book.all().filter((node) => node !== from && node.phase === 'ready' && among(node));
  const open = ready.filter((node) => isOpen(draft, node));
  const views = new Views(draft);
  const input = inputOf(draft, pods, told(draft, pods, roomy(draft, pods, open, views), views), []);
  const made = plan(input, { solver: null, seed: draft.spec.seed, workUnits: draft.spec.workUnits });
  draft.workUnits += made.workUnits;
  return made.unplaceable.length === 0;
}
