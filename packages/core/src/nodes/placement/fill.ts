import { LimitBook, type LimitRow } from './limits.ts';
import { type Bin, dimensions, type Problem } from './problem.ts';
import { packBin, type Pattern, stepsPerClass, trimmed } from './room.ts';
import type { Chance, Work } from './work.ts';

/** Prices that a fill follows, in currency units. */
export interface Guide {
  /** π by class, as they are placed. */
  pods: Float64Array;
  /** By kind of node and dimension: how scarce a resource is there. Zeros: all alike. */
  scarcity: Float64Array | null;
}

/** For each kind of node the classes worth most for the room that they take first. */
export function ordersFor(
  problem: Problem,
  bins: readonly Bin[],
  guide: Guide,
  spread: number,
  chance: Chance,
  among: readonly number[] = [...problem.classes.keys()],
): Int32Array[] {
  const luck = new Float64Array(problem.classes.length);
  for (const c of among) luck[c] = 1 + spread * (2 * chance.next() - 1);
  const density = new Float64Array(problem.classes.length);
  return bins.map((bin) => {
    const weights = weightsOf(bin, guide);
    const open: number[] = [];
    for (const c of among) {
      if ((bin.most[c] ?? 0) === 0) continue;
      let room = 0;
      for (let r = 0; r < dimensions; r++) room += (weights[r] ?? 0) * (bin.demand[c * dimensions + r] ?? 0);
      const worth = (guide.pods[c] ?? 0) - (bin.penalty[c] ?? 0) / 1e6;
      density[c] = (worth / (room || 1e-9)) * (luck[c] ?? 1);
      open.push(c);
    }
    return Int32Array.from(open.sort((a, b) => (density[b] ?? 0) - (density[a] ?? 0) || a - b));
  });
}

/** What a unit of each resource counts for: its price on this kind of node, and a little of its part of the node. */
function weightsOf(bin: Bin, { scarcity }: Guide): Float64Array {
  const weights = new Float64Array(dimensions);
  for (let r = 0; r < dimensions; r++) {
    const all = bin.capacity[r] ?? 0;
    if (all > 0) weights[r] = ((scarcity?.[bin.index * dimensions + r] ?? 0) + 0.1) / all;
  }
  return weights;
}

/** What the pods of a pattern are worth by their prices, against its cost. */
export function worthOf({ classes, counts }: Pattern, pods: Float64Array): number {
  let worth = 0;
  for (let i = 0; i < classes.length; i++) worth += (counts[i] ?? 0) * (pods[classes[i] ?? 0] ?? 0);
  return worth;
}

export interface Filled {
  bought: { pattern: Pattern; times: number }[];
  left: Int32Array;
  costMicro: number;
}

/**
 * Buys nodes for what is left: again and again the kind whose pattern gives the most worth for its cost, as often as all
 * of its pods are there and limits allow. A pattern is made anew only when it can no longer be filled.
 */
export function fillNew(
  problem: Problem,
  rows: readonly LimitRow[],
  bought: Filled['bought'],
  left: Int32Array,
  guide: Guide,
  orders: readonly Int32Array[],
  work: Work,
): Filled {
  const { bins } = problem;
  const book = new LimitBook(rows);
  for (const { pattern, times } of bought) book.buy(pattern.bin.index, times);
  const result: Filled = { bought: [...bought], left: left.slice(), costMicro: 0 };
  const patterns: (Pattern | null | undefined)[] = bins.map(() => undefined);
  for (;;) {
    let best: Pattern | null = null;
    let bestRatio = Number.NEGATIVE_INFINITY;
    for (let b = 0; b < bins.length; b++) {
      const bin = bins[b];
      const order = orders[b];
      if (bin === undefined || order === undefined || patterns[b] === null) continue;
      let pattern = patterns[b];
      if (pattern === undefined || pattern === null || !isFull(pattern, result.left)) {
        pattern = book.allowed(b) < 1 ? null : packBin(problem, bin, order, result.left);
        work.spend(order.length * stepsPerClass(problem, bin));
        patterns[b] = pattern;
      }
      if (pattern === null) continue;
      const ratio = worthOf(pattern, guide.pods) / pattern.costMicro;
      if (ratio <= bestRatio) continue;
      best = pattern;
      bestRatio = ratio;
    }
    work.spend(bins.length);
    if (best === null) break;
    const times = Math.min(timesOf(best, result.left), book.allowed(best.bin.index));
    if (times < 1) {
      patterns[best.bin.index] = null;
      continue;
    }
    takeOut(best, times, result.left);
    book.buy(best.bin.index, times);
    result.bought.push({ pattern: best, times });
  }
  result.costMicro = result.bought.reduce((sum, { pattern, times }) => sum + pattern.costMicro * times, 0);
  return result;
}

function isFull({ classes, counts }: Pattern, left: ArrayLike<number>): boolean {
  for (let i = 0; i < classes.length; i++) if ((left[classes[i] ?? 0] ?? 0) < (counts[i] ?? 0)) return false;
  return true;
}

function timesOf({ classes, counts }: Pattern, left: ArrayLike<number>): number {
  let times = Number.POSITIVE_INFINITY;
  for (let i = 0; i < classes.length; i++) {
    times = Math.min(times, Math.floor((left[classes[i] ?? 0] ?? 0) / (counts[i] ?? 1)));
  }
  return times;
}

export function takeOut({ classes, counts }: Pattern, times: number, left: Int32Array): void {
  for (let i = 0; i < classes.length; i++) {
    const c = classes[i] ?? 0;
    left[c] = (left[c] ?? 0) - times * (counts[i] ?? 0);
  }
}

/** Puts pods onto nodes that are there, the fullest first; a pod that a new node serves for less stays out. */
export function fillNodes(problem: Problem, left: Int32Array, guide: Guide, work: Work): Pattern[] {
  const { nodes } = problem;
  const filled: Pattern[] = [];
  const byPrice = new Map<Float64Array, Int32Array>();
  const all = Array.from({ length: problem.classes.length }, (_, c) => c);
  // Small remainders first: they serve few, and what is left over goes where there is more room.
  for (const bin of nodes.toSorted((a, b) => (a.capacity[0] ?? 0) - (b.capacity[0] ?? 0) || a.index - b.index)) {
    let order = byPrice.get(bin.demand);
    if (order === undefined) {
      order = Int32Array.from(all.toSorted((a, b) => (guide.pods[b] ?? 0) - (guide.pods[a] ?? 0) || a - b));
      byPrice.set(bin.demand, order);
    }
    work.spend(order.length);
    const worthwhile = order.filter((c) => {
      const penalty = (bin.penalty[c] ?? 0) / 1e6;
      return (
        (left[c] ?? 0) > 0 && (bin.most[c] ?? 0) > 0 && (penalty === 0 || penalty <= (guide.pods[c] ?? 0) * 1.0001)
      );
    });
    if (worthwhile.length === 0) continue;
    const pattern = packBin(problem, bin, worthwhile, left);
    const part = pattern === null ? null : trimmed(pattern, left);
    if (part === null) continue;
    takeOut(part, 1, left);
    filled.push(part);
  }
  return filled;
}
