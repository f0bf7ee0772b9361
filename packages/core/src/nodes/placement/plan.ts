import type { Solver } from '../../ports/solver.ts';
import { type NamedNode, nameNodes, tellNodes } from './assemble.ts';
import { pricesBySolver } from './compactProgram.ts';
import { fillNodes, type Guide } from './fill.ts';
import { greedyLayout, isBetter, type Layout, layoutOf } from './greedy.ts';
import { LimitBook, type LimitRow, limitRows } from './limits.ts';
import { certifiedBound, guessedPrices, type Prices, pricesByPart } from './prices.ts';
import { dimensions, type Problem, problemOf } from './problem.ts';
import { micro, type Relaxation, relaxationOf } from './relaxation.ts';
import { type Pattern, Room } from './room.ts';
import { search } from './search.ts';
import { levelZones } from './skew.ts';
import type { PlacementInput, Plan } from './types.ts';
import { reasonFor } from './unplaceable.ts';
import { Work } from './work.ts';

export interface PlanOptions {
  /** Null: prices are guessed; the plan is good, the bound is weak. */
  solver: Solver | null;
  seed: number;
  /** Work that may be done, in units: see `Solver`. The greedy plan is made whatever it costs. */
  workUnits: number;
}

/** A plan so near to its bound is good enough: the rest of the budget is not used. */
const enoughGap = 0.0005;
/** No more work than this is done for a few pods: units, and units for each pod. */
const fewPods = { units: 200, unitsEach: 150 };
/** Part of the budget for the first prices, and for the bound when pods were left out. */
const pricesPart = 0.3;

/**
 * Where pods go: onto nodes that are there, and onto new ones that cost as little as can be found within the budget of
 * work. Pods that have no place come with the reason. The plan is never dearer than the greedy one, and says how far from
 * the cheapest possible it is at most. The same input, solver, seed and budget give the same plan.
 */
export function plan(input: PlacementInput, options: PlanOptions): Plan {
  const work = new Work(Math.min(options.workUnits, fewPods.units + fewPods.unitsEach * input.pods.length));
  const problem = problemOf(input);
  const rows = limitRows(problem, problem.bins);
  const greedy = greedyLayout(problem, rows, work);
  // Nothing costs less than nothing.
  if (greedy.costMicro === 0 && greedy.unplaced.every((count) => count === 0)) {
    return tell(problem, rows, settle(problem, greedy), { work, foundBy: 'greedy', solver: null });
  }
  const relaxation = relaxationOf(problem, countsPlaced(problem, null), limitRows(problem, problem.parentBins));
  const solved = options.solver && pricesBySolver(relaxation, options.solver, work, pricesPart);
  const prices = solved ? [solved] : guessedPrices(relaxation);
  const enoughMicro = bestBound(relaxation, prices).boundMicro * (1 + enoughGap);
  if (greedy.costMicro <= enoughMicro && greedy.unplaced.every((count) => count === 0)) {
    return tell(problem, rows, settle(problem, greedy), {
      work,
      foundBy: 'greedy',
      solver: solved && options.solver,
      prices,
    });
  }
  const guide = guideOf(problem, prices, solved !== null);
  const left = Int32Array.from(problem.classes, ({ ids }) => ids.length);
  const bound = fillNodes(problem, left, guide, work);
  const found = search(
    problem,
    rows,
    left,
    guide,
    solved ? options.solver : null,
    options.seed,
    work,
    enoughMicro - costIn(bound),
  );
  const best = settle(problem, placeRest(problem, layoutOf(found.bought, bound, found.left)));
  const floor = settle(problem, greedy);
  const isGreedy = !isBetter(problem, best, floor);
  return tell(problem, rows, isGreedy ? floor : best, {
    work,
    foundBy: isGreedy ? 'greedy' : found.foundBy,
    solver: solved && options.solver,
    prices,
  });
}

/** The greedy plan alone, as `plan` gives it when nothing better is found. */
export function greedyPlan(input: PlacementInput): Plan {
  const work = new Work(0);
  const problem = problemOf(input);
  const rows = limitRows(problem, problem.bins);
  const settled = settle(problem, greedyLayout(problem, rows, work));
  return tell(problem, rows, settled, { work, foundBy: 'greedy', solver: null });
}

/** Pods by class before the split that are to be placed: all that have a zone, or those of a layout. */
function countsPlaced({ parents, classes }: Problem, nodes: readonly NamedNode[] | null): Int32Array {
  const counts = new Int32Array(parents.length);
  const add = (c: number, by: number) => {
    const parent = classes[c]?.parent ?? 0;
    counts[parent] = (counts[parent] ?? 0) + by;
  };
  if (nodes === null) for (const [c, { ids }] of classes.entries()) add(c, ids.length);
  else for (const node of nodes) for (const c of node.classes) add(c, 1);
  return counts;
}

function guideOf(problem: Problem, prices: readonly Prices[], isSolved: boolean): Guide {
  const [first] = prices;
  if (first === undefined) throw new Error('there are no prices');
  const { pods } = first;
  // Prices of resources are by kind of node before the split by zones: the kinds are others when there is one.
  if (!isSolved || problem.bins !== problem.parentBins) return { pods: pricesByPart(problem, pods), scarcity: null };
  const scarcity = new Float64Array(problem.bins.length * dimensions);
  for (const { index, capacity, costMicro } of problem.bins) {
    for (let r = 0; r < dimensions; r++) {
      const price = first.resources[index * dimensions + r] ?? 0;
      const scaled = (capacity[r] ?? 0) / (r === 0 ? 1000 : r === 1 ? 2 ** 30 : 1);
      scarcity[index * dimensions + r] = costMicro > 0 ? (price * scaled * micro) / costMicro : 0;
    }
  }
  return { pods: pricesByPart(problem, pods), scarcity };
}

/** Pods that were left out go wherever there still is room, whatever it costs. */
function placeRest(problem: Problem, layout: Layout): Layout {
  if (layout.unplaced.every((count) => count === 0)) return layout;
  const unplaced = layout.unplaced.slice();
  const filled = new Map(layout.bound.map((pattern) => [pattern.bin.index, pattern]));
  const reopen = (pattern: Layout['bound'][number] | undefined, bin: Layout['bound'][number]['bin']) => {
    const room = new Room(problem, bin);
    const isPut = (pattern?.classes ?? []).every((c, i) => room.add(c, pattern?.counts[i] ?? 0) === pattern?.counts[i]);
    if (!isPut) return pattern ?? null;
    for (let c = 0; c < unplaced.length; c++) {
      const added = room.add(c, unplaced[c] ?? 0);
      unplaced[c] = (unplaced[c] ?? 0) - added;
    }
    return room.isEmpty ? null : room.pattern();
  };
  const bound = problem.nodes.flatMap((bin) => reopen(filled.get(bin.index), bin) ?? []);
  const bought = layout.bought
    .flatMap(({ pattern, times }) => Array.from({ length: times }, () => pattern))
    .map((pattern) => ({ pattern: reopen(pattern, pattern.bin) ?? pattern, times: 1 }));
  return layoutOf(bought, bound, unplaced);
}

interface How {
  work: Work;
  foundBy: Plan['foundBy'];
  solver: Solver | null;
  prices?: readonly Prices[];
}

/** A layout with its pods by name, and without those that would break a spread over zones. */
interface Settled {
  nodes: NamedNode[];
  uneven: readonly { id: string; c: number }[];
  /** By class, with the uneven ones. */
  unplaced: Int32Array;
  /** By class, without them. */
  noRoom: Int32Array;
  costMicro: number;
}

function settle(problem: Problem, layout: Layout): Settled {
  const all = nameNodes(problem, layout);
  const uneven = levelZones(problem, all);
  const nodes = all.filter(({ pods }) => pods.length > 0);
  const unplaced = layout.unplaced.slice();
  for (const { c } of uneven) unplaced[c] = (unplaced[c] ?? 0) + 1;
  return { nodes, uneven, unplaced, noRoom: layout.unplaced, costMicro: costOf(nodes) };
}

function tell(
  problem: Problem,
  rows: readonly LimitRow[],
  settled: Settled,
  { work, foundBy, solver, prices }: How,
): Plan {
  const { nodes: used, costMicro } = settled;
  const spent = new LimitBook(rows);
  for (const { pattern } of used) if (pattern.bin.supply.kind === 'offer') spent.buy(pattern.bin.index, 1);
  const placed = countsPlaced(problem, used);
  const relaxation = relaxationOf(problem, placed, limitRows(problem, problem.parentBins));
  const isAll = placed.reduce((sum, count) => sum + count, 0) === problem.input.pods.length - problem.stranded.length;
  const again = costMicro > 0 && !isAll && solver ? pricesBySolver(relaxation, solver, work, 1) : null;
  const { boundMicro, pods } = bestBound(relaxation, again ? [again] : (prices ?? guessedPrices(relaxation)));
  const lowerBoundMicro = Math.min(boundMicro, costMicro);
  return {
    ...tellNodes(problem, used),
    unplaceable: tellUnplaceable(problem, settled, spent),
    costPerHourMicro: costMicro,
    lowerBoundMicro,
    gap: costMicro === 0 ? 0 : lowerBoundMicro === 0 ? null : costMicro / lowerBoundMicro - 1,
    podPrices: problem.parents.map(({ ids }, c) => ({
      pods: ids,
      pricePerHourMicro: Math.round((pods[c] ?? 0) * micro),
    })),
    foundBy,
    solver: solver?.name ?? null,
    workUnits: work.usedUnits,
  };
}

function costIn(patterns: readonly Pattern[]): number {
  return patterns.reduce((sum, { costMicro }) => sum + costMicro, 0);
}

function costOf(nodes: readonly NamedNode[]): number {
  let cost = 0;
  for (const { pattern, classes } of nodes) {
    cost += pattern.bin.costMicro;
    for (const c of classes) cost += pattern.bin.penalty[c] ?? 0;
  }
  return cost;
}

function bestBound(relaxation: Relaxation, prices: readonly Prices[]): ReturnType<typeof certifiedBound> {
  return prices.map((some) => certifiedBound(relaxation, some)).reduce((a, b) => (b.boundMicro > a.boundMicro ? b : a));
}

function tellUnplaceable(problem: Problem, { noRoom, uneven }: Settled, spent: LimitBook): Plan['unplaceable'] {
  const told: Plan['unplaceable'][number][] = [];
  for (const [c, own] of problem.classes.entries()) {
    const count = noRoom[c] ?? 0;
    if (count === 0) continue;
    told.push({ reason: reasonFor(problem, own, spent), pods: own.ids.slice(own.ids.length - count) });
  }
  const torn = [...problem.stranded, ...uneven.map(({ id }) => id)];
  const byId = new Map(problem.parents.flatMap((own) => own.ids.map((id) => [id, own] as const)));
  for (const [parent, ids] of Map.groupBy(torn, (id) => byId.get(id))) {
    if (parent === undefined) continue;
    const isAnywhere = (problem.zonesOf[parent.parent]?.usable.length ?? 0) > 0;
    told.push({
      reason: isAnywhere ? { kind: 'topology', topology: 'zone' } : reasonFor(problem, parent, spent),
      pods: ids,
    });
  }
  return told;
}
