import type { Solver } from '../../ports/solver.ts';
import { type Filled, fillNew, type Guide, ordersFor, takeOut } from './fill.ts';
import { improve } from './improve.ts';
import type { LimitRow } from './limits.ts';
import { PatternPool, pricePatterns, solveMaster } from './master.ts';
import type { Problem } from './problem.ts';
import { trimmed } from './room.ts';
import { Chance, type Work } from './work.ts';
import type { Plan } from './types.ts';

/** Parts of the budget until which each step may go on. */
const until = { fill: 0.2, columns: 0.7, whole: 0.78, local: 1 };
const mostRestarts = 400;
const mostRounds = 60;
const mostPatterns = 1500;
/** Patterns to choose whole nodes from: the search grows fast with them. */
const mostWhole = 100;
/** With more classes the search finds nothing in time that rounding and local moves do not. */
const mostWholeClasses = 40;
/** How patterns are looked for: how far prices are shaken, and how many branches one search has. */
const quick = { spreads: [0, 0.3], branches: 400 };
const deep = { spreads: [0, 0.2, 0.5, 1], branches: 3000 };

export interface Found extends Filled {
  foundBy: Plan['foundBy'];
}

/**
 * The cheapest nodes found for what is left: restarts of the fill, patterns by their prices, whole nodes, local moves. It
 * ends early when they cost no more than `enoughMicro`.
 */
export function search(
  problem: Problem,
  rows: readonly LimitRow[],
  left: Int32Array,
  guide: Guide,
  solver: Solver | null,
  seed: number,
  work: Work,
  enoughMicro: number,
): Found {
  const chance = new Chance(seed);
  const pool = new PatternPool();
  const note = ({ bought }: Filled) => {
    for (const { pattern } of bought) pool.add(pattern);
  };
  let best: Found = { ...fillWith(problem, rows, left, guide, 0, chance, work), foundBy: 'fill' };
  const consider = (filled: Filled, foundBy: Found['foundBy']): boolean => {
    if (!isCheaper(filled, best)) return false;
    best = { ...filled, foundBy };
    return true;
  };
  const isEnough = () => best.costMicro <= enoughMicro && countOf(best.left) === 0;
  note(best);
  const untilFill = solver === null ? until.columns : until.fill;
  for (let i = 0; i < mostRestarts && !work.isOver(untilFill) && !isEnough(); i++) {
    const filled = fillWith(problem, rows, left, guide, 0.05 + 0.5 * chance.next(), chance, work);
    note(filled);
    consider(filled, 'fill');
  }
  let lastGuide = guide;
  if (solver !== null && !isEnough()) {
    lastGuide = generate(problem, rows, left, guide, solver, chance, work, pool, consider, isEnough);
    const classes = left.reduce((count, pods) => count + (pods > 0 ? 1 : 0), 0);
    if (classes <= mostWholeClasses && !isEnough()) {
      if (pool.patterns.length > mostWhole) dropWorst(pool, lastGuide, new Float64Array(0), mostWhole);
      const units = Math.max(0, (until.whole - work.usedUnits / work.budgetUnits) * work.budgetUnits);
      const whole = solveMaster(problem, pool, left, rows, solver, work, { whole: true, units });
      if (whole) consider(roundDown(problem, rows, left, pool, whole.times, lastGuide, chance, work), 'master');
    }
  }
  if (!isEnough()) {
    consider(improve(problem, rows, best, lastGuide, chance, work, until.local, enoughMicro), 'local');
  }
  return best;
}

/** Column generation: prices from the patterns so far, better patterns from the prices; each round is also rounded. */
function generate(
  problem: Problem,
  rows: readonly LimitRow[],
  left: Int32Array,
  guide: Guide,
  solver: Solver,
  chance: Chance,
  work: Work,
  pool: PatternPool,
  consider: (filled: Filled, foundBy: Found['foundBy']) => boolean,
  isEnough: () => boolean,
): Guide {
  let last = guide;
  for (let round = 0; round < mostRounds && !work.isOver(until.columns) && !isEnough(); round++) {
    const master = solveMaster(problem, pool, left, rows, solver, work, { whole: false, units: work.leftUnits });
    if (master === null || master.solution.status !== 'optimal') break;
    last = { pods: master.pods, scarcity: guide.scarcity };
    const isLate = round % 4 === 3;
    if (isLate) consider(roundDown(problem, rows, left, pool, master.times, last, chance, work), 'master');
    if (pool.patterns.length > mostPatterns) dropWorst(pool, last, master.times, mostPatterns / 2);
    const smooth = { pods: between(guide.pods, last.pods), scarcity: guide.scarcity };
    let found = 0;
    for (const one of [smooth, last]) found += pricePatterns(problem, pool, one, last.pods, left, quick, chance, work);
    if (found > 0) continue;
    if (pricePatterns(problem, pool, last, last.pods, left, deep, chance, work) > 0) continue;
    consider(roundDown(problem, rows, left, pool, master.times, last, chance, work), 'master');
    break;
  }
  return last;
}

function between(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => (value + (b[i] ?? 0)) / 2);
}

/** Patterns that are used stay; of the others those that cost most above what their pods are worth go. */
function dropWorst(pool: PatternPool, { pods }: Guide, times: Float64Array, most: number): void {
  const losses = pool.patterns.map(({ classes, counts, costMicro }, index) => {
    if ((times[index] ?? 0) > 1e-9) return Number.NEGATIVE_INFINITY;
    let worth = 0;
    for (let i = 0; i < classes.length; i++) worth += (counts[i] ?? 0) * (pods[classes[i] ?? 0] ?? 0);
    return costMicro / 1e6 - worth;
  });
  const limit = losses.toSorted((a, b) => a - b)[Math.floor(most)] ?? Number.POSITIVE_INFINITY;
  pool.keep((_, index) => (losses[index] ?? 0) <= limit);
}

/** Buys the whole part of each pattern's times, without pods that are covered twice, and fills for the rest. */
function roundDown(
  problem: Problem,
  rows: readonly LimitRow[],
  left: Int32Array,
  pool: PatternPool,
  times: Float64Array,
  guide: Guide,
  chance: Chance,
  work: Work,
): Filled {
  const rest = left.slice();
  const bought: Filled['bought'] = [];
  for (const [index, pattern] of pool.patterns.entries()) {
    let whole = Math.floor((times[index] ?? 0) + 1e-6);
    while (whole > 0) {
      const part = trimmed(pattern, rest);
      if (part === null) break;
      const often = part === pattern ? Math.min(whole, fullTimes(pattern, rest)) : 1;
      takeOut(part, often, rest);
      bought.push({ pattern: part, times: often });
      whole -= often;
    }
  }
  let best: Filled | null = null;
  const tries = rest.some((count) => count > 0) ? 12 : 1;
  for (let i = 0; i < tries; i++) {
    const filled = fillWith(problem, rows, rest, guide, i === 0 ? 0 : 0.1 * i, chance, work, bought);
    if (best === null || isCheaper(filled, best)) best = filled;
  }
  return best ?? { bought, left: rest, costMicro: Number.POSITIVE_INFINITY };
}

function fullTimes({ classes, counts }: { classes: number[]; counts: number[] }, left: Int32Array): number {
  return Math.min(...classes.map((c, i) => Math.floor((left[c] ?? 0) / (counts[i] ?? 1))));
}

function fillWith(
  problem: Problem,
  rows: readonly LimitRow[],
  left: Int32Array,
  guide: Guide,
  spread: number,
  chance: Chance,
  work: Work,
  bought: Filled['bought'] = [],
): Filled {
  const orders = ordersFor(problem, problem.bins, guide, spread, chance);
  work.spend(problem.bins.length * problem.classes.length * 8);
  return fillNew(problem, rows, bought, left, guide, orders, work);
}

function isCheaper(a: Filled, b: Filled): boolean {
  const [leftA, leftB] = [countOf(a.left), countOf(b.left)];
  return leftA === leftB ? a.costMicro < b.costMicro : leftA < leftB;
}

function countOf(left: Int32Array): number {
  return left.reduce((sum, count) => sum + count, 0);
}
