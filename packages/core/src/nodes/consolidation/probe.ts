import { plan } from '../placement/plan.ts';
import type { PlacementInput, PlacementNode, Plan } from '../placement/types.ts';
import { applyMove, withoutUse, withPods } from './assignment.ts';
import { type Census, groupKeptBy, isSpare, keptBy, typeKey } from './guards.ts';
import { loadingCost, runningCost, startCost, totalCost } from './runningCost.ts';
import type {
  ConsolidationInput,
  ConsolidationMove,
  ConsolidationNode,
  ConsolidationPool,
  DisruptionReason,
  KeptReason,
  MoveReason,
  NewNode,
  Relocation,
} from './types.ts';

const hourMs = 3_600_000;
/** Nodes that pods of one group are tried on, and how many of them are the emptiest that stay. */
const mostDestinations = 64;
const mostRoomy = 16;
/** Work that one try may cost beside the greedy plan. */
const unitsEach = 40;

export interface Tried {
  move: ConsolidationMove | null;
  kept: KeptReason;
  workUnits: number;
}

/** Why a group goes: `forced` asks for no gain and no budget, `wanted` for no gain. */
export type Cause =
  | { force: 'forced'; kind: 'interruption' | 'rebalance' }
  | { force: 'wanted'; kind: 'drift' | 'expiry' }
  | { force: 'gain'; kind: 'underutilized' };

export const budgetReason = ({ force }: Cause): DisruptionReason => (force === 'gain' ? 'Underutilized' : 'Drifted');

/** Tries to take a group of nodes away: its pods go to nodes that stay and to new ones, as cheaply as placement finds. */
export function tryGroup(census: Census, group: readonly ConsolidationNode[], cause: Cause, nodes: Views): Tried {
  const { input } = census;
  const own = group.map(({ empty }) => census.pools.get(empty.pool)?.rules);
  const isSurge = own.every((rules) => rules?.isSurgeAllowed !== false);
  const first = attempt(census, group, cause, nodes, isSurge ? 'ready-first' : 'drain-first');
  const needsMore = cause.force !== 'gain' && isSurge && first.made.unplaceable.length > 0;
  const second = needsMore ? attempt(census, group, cause, nodes, 'drain-first') : null;
  const best = second && countLeft(second.made) < countLeft(first.made) ? second : first;
  const workUnits = 1 + first.made.workUnits + (second?.made.workUnits ?? 0);
  const left = best.made.unplaceable.flatMap(({ pods }) => pods);
  if (left.length > 0 && cause.kind !== 'interruption') return { move: null, kept: 'no-place', workUnits };
  const bought = new Map<string, number>();
  for (const { pool } of best.made.buy) bought.set(pool, (bought.get(pool) ?? 0) + 1);
  const kept = cause.force === 'forced' ? null : groupKeptBy(census, group, budgetReason(cause), bought);
  if (kept !== null) return { move: null, kept, workUnits };
  const move = priced(input, group, toMove(input, group, best, cause, left));
  const isWorth = cause.force !== 'gain' || isGain(input, group, move);
  return { move: isWorth ? move : null, kept: 'gain', workUnits };
}

const countLeft = ({ unplaceable }: Plan) => unplaceable.reduce((sum, { pods }) => sum + pods.length, 0);

interface Attempt {
  made: Plan;
  order: ConsolidationMove['order'];
}

function attempt(
  { input, goingTypes }: Census,
  group: readonly ConsolidationNode[],
  { force }: Cause,
  views: Views,
  order: Attempt['order'],
): Attempt {
  const pools = order === 'drain-first' ? withoutUse(input.pools, group) : input.pools;
  const price = group.reduce((sum, { offering }) => sum + offering.pricePerHourMicro, 0);
  // The same type out and in saves nothing that a place on the old node would not.
  const types = new Set([...goingTypes, ...group.map(typeKey)]);
  const offered = pools.map(({ pool }) => ({
    ...pool,
    offerings: pool.offerings.filter(
      (entry) => force !== 'gain' || (entry.offering.pricePerHourMicro < price && !types.has(typeKey(entry))),
    ),
  }));
  const asked: PlacementInput = {
    nowMs: input.nowMs,
    pods: group.flatMap(({ pods }) => pods.map(({ pod }) => pod)),
    nodes: destinations(input, group, force, views),
    pools: offered,
    settings: input.settings,
  };
  const nothing = { buy: [], bind: [], unplaceable: [], workUnits: 0 };
  if (asked.pods.length === 0) {
    const zero = { pricePerHourMicro: 0, costPerHourMicro: 0, lowerBoundMicro: 0, gap: 0 };
    return { made: { ...nothing, ...zero, podPrices: [], foundBy: 'greedy', solver: null }, order };
  }
  return { made: plan(asked, { solver: null, seed: 0, workUnits: unitsEach }), order };
}

/** Nodes as placement sees them, made once for each. */
export class Views {
  /** Whether it matters for some pod what runs on other nodes. */
  readonly hasRules: boolean;
  readonly #views = new WeakMap<ConsolidationNode, PlacementNode>();

  constructor({ settings, nodes }: ConsolidationInput) {
    this.hasRules =
      settings.maxWorkloadShare < 1 ||
      nodes.some(
        ({ empty, pods }) =>
          empty.pods.some(({ antiAffinity }) => antiAffinity.length > 0) ||
          pods.some(({ pod }) => pod.antiAffinity.length > 0 || pod.spread.length > 0),
      );
  }

  of(node: ConsolidationNode): PlacementNode {
    const known = this.#views.get(node) ?? withPods(node);
    this.#views.set(node, known);
    return known;
  }
}

/**
 * Where pods of the group may go: nodes that stay. An empty node is left alone unless something is forced: it is a spare or
 * goes soon. Where rules between pods count what runs elsewhere, the other nodes are told too, as full.
 */
function destinations(
  input: ConsolidationInput,
  group: readonly ConsolidationNode[],
  force: Cause['force'],
  views: Views,
): PlacementNode[] {
  const { nodes } = input;
  const gone = new Set(group);
  const least = leastNeeds(group);
  const open: { node: PlacementNode; room: number; isFresh: boolean }[] = [];
  const closed: PlacementNode[] = [];
  for (const node of nodes) {
    if (gone.has(node) || (node.isGoing && node.pods.length === 0)) continue;
    const view = views.of(node);
    const isOpen =
      !node.isGoing && node.notice === null && node.outdated === null && (force === 'forced' || !isSpare(node));
    const { cpuMilli, memoryBytes, pods } = view.free;
    if (!isOpen || cpuMilli < least.cpuMilli || memoryBytes < least.memoryBytes || pods < 1) closed.push(view);
    else {
      const room = cpuMilli / (node.empty.free.cpuMilli || 1);
      open.push({ node: view, room, isFresh: node.quietSinceMs >= input.nowMs });
    }
  }
  // Nodes that got pods just now stay for a while anyway: they are filled up before others are disturbed; fuller ones first.
  open.sort((a, b) => Number(b.isFresh) - Number(a.isFresh) || a.room - b.room || (a.node.name < b.node.name ? -1 : 1));
  const most = force === 'forced' ? open.length : mostDestinations;
  const isNear = (index: number) => index < most - mostRoomy || index >= open.length - mostRoomy;
  const tried = open.filter((_one, index) => isNear(index)).map(({ node }) => node);
  if (!views.hasRules) return tried;
  const full = [...closed, ...open.filter((_one, index) => !isNear(index)).map(({ node }) => node)];
  return [...tried, ...full.map((node) => ({ ...node, free: { cpuMilli: 0, memoryBytes: 0, pods: 0 } }))];
}

function leastNeeds(group: readonly ConsolidationNode[]): { cpuMilli: number; memoryBytes: number } {
  let [cpuMilli, memoryBytes] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const { pods } of group) {
    for (const { pod } of pods) {
      cpuMilli = Math.min(cpuMilli, pod.cpuMilli);
      memoryBytes = Math.min(memoryBytes, pod.memoryBytes);
    }
  }
  return { cpuMilli, memoryBytes };
}

type Unpriced = Omit<ConsolidationMove, 'savingPerHourMicro' | 'costMicro' | 'paybackMs'>;

function toMove(
  { nodes }: ConsolidationInput,
  group: readonly ConsolidationNode[],
  { made, order }: Attempt,
  { kind }: Cause,
  stranded: readonly string[],
): Unpriced {
  const running = new Map(
    group.flatMap(({ empty, pods }) =>
      pods.map(({ pod, inFlight }) => [pod.id, { from: empty.name, inFlight }] as const),
    ),
  );
  const names = new Set(nodes.map(({ empty }) => empty.name));
  const buy: NewNode[] = [];
  const relocate: Relocation[] = [];
  const relocateTo = (to: string, places: Plan['bind'][number]['pods']) => {
    for (const place of places) {
      const one = running.get(place.id);
      if (one === undefined) throw new Error(`pod ${place.id} was not asked for`);
      relocate.push({ from: one.from, to, place, waitsForWork: one.inFlight > 0 });
    }
  };
  for (const { node, pods } of made.bind) relocateTo(node, pods);
  let next = 1;
  for (const { pool, offering, pods } of made.buy) {
    while (names.has(`${pool}/new-${next}`)) next++;
    const name = `${pool}/new-${next}`;
    names.add(name);
    buy.push({ name, pool, offering });
    relocateTo(name, pods);
  }
  const work = ({ place }: Relocation) => running.get(place.id)?.inFlight ?? 0;
  relocate.sort((a, b) => work(a) - work(b));
  const remove = group.toSorted((a, b) => busyness(a) - busyness(b)).map(({ empty }) => empty.name);
  const reason: MoveReason = kind === 'underutilized' ? { kind, gainShare: 0 } : { kind };
  return { reason, remove, buy, relocate, stranded, order };
}

export function busyness({ pods }: ConsolidationNode): number {
  return pods.reduce((sum, { inFlight }) => sum + inFlight, 0);
}

/** Prices a move by what is there before and after it. */
export function priced(
  input: ConsolidationInput,
  group: readonly ConsolidationNode[],
  { reason, ...rest }: Unpriced,
): ConsolidationMove {
  const free = { savingPerHourMicro: 0, costMicro: 0, paybackMs: null };
  const after = applyMove(affected(input, group, rest), { ...rest, ...free, reason });
  const before = affected(input, group, rest).nodes;
  const saving = totalCost(before, input.settings) - totalCost(after.nodes, input.settings);
  const moved = new Set(rest.relocate.map(({ place }) => place.id));
  const bought = new Set(rest.buy.map(({ name }) => name));
  const pools = new Map<string, ConsolidationPool>(input.pools.map((one) => [one.pool.name, one]));
  let cost = 0;
  for (const node of after.nodes) {
    cost += loadingCost(node, (id) => moved.has(id));
    const pool = pools.get(node.empty.pool);
    if (pool && bought.has(node.empty.name)) cost += startCost(pool, node.offering.pricePerHourMicro);
  }
  const costMicro = Math.round(cost);
  const paybackMs = costMicro === 0 ? 0 : saving > 0 ? Math.ceil((costMicro / saving) * hourMs) : null;
  const price = group.reduce((sum, node) => sum + runningCost(node, input.settings), 0);
  const isGain = reason.kind === 'underutilized';
  return {
    reason: isGain ? { kind: reason.kind, gainShare: price > 0 ? saving / price : 0 } : reason,
    ...rest,
    savingPerHourMicro: saving,
    costMicro,
    paybackMs,
  };
}

/** The part of an input that a move touches. */
function affected(
  input: ConsolidationInput,
  group: readonly ConsolidationNode[],
  { relocate }: Pick<Unpriced, 'relocate'>,
): ConsolidationInput {
  const names = new Set(relocate.map(({ to }) => to));
  const gone = new Set(group);
  return { ...input, nodes: input.nodes.filter((node) => gone.has(node) || names.has(node.empty.name)) };
}

function isGain({ gain }: ConsolidationInput, group: readonly ConsolidationNode[], move: ConsolidationMove): boolean {
  const price = group.reduce((sum, { offering }) => sum + offering.pricePerHourMicro, 0);
  const { savingPerHourMicro, paybackMs } = move;
  if (savingPerHourMicro <= 0 || paybackMs === null) return false;
  return (
    savingPerHourMicro >= gain.minPerHourMicro &&
    savingPerHourMicro >= gain.minShare * price &&
    paybackMs <= gain.paybackMs
  );
}

/** Nodes of a group that may all go for money now, budgets included. */
export function mayGo(
  census: Census,
  group: readonly ConsolidationNode[],
  reason: DisruptionReason,
): KeptReason | null {
  for (const node of group) {
    const kept = keptBy(census, node, reason);
    if (kept !== null) return kept;
  }
  const all = new Map([...census.pools].map(([name, { nodes }]) => [name, nodes]));
  return groupKeptBy(census, group, reason, all);
}
