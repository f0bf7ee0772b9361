import { type Filled, fillNew, type Guide, ordersFor, takeOut } from './fill.ts';
import type { LimitRow } from './limits.ts';
import type { Problem } from './problem.ts';
import type { Pattern } from './room.ts';
import type { Chance, Work } from './work.ts';

/** Most nodes that one move takes apart. */
const mostRuined = 6;

/**
 * Local moves: a few nodes are taken apart and their pods packed anew, from one to many, many to one, or onto a cheaper
 * kind; what costs less is kept. Nodes whose pods are worth little for their cost are taken more often.
 */
export function improve(
  problem: Problem,
  rows: readonly LimitRow[],
  filled: Filled,
  guide: Guide,
  chance: Chance,
  work: Work,
  untilPart: number,
  enoughMicro: number,
): Filled {
  const nodes = filled.bought.flatMap(({ pattern, times }) => Array.from({ length: times }, () => pattern));
  if (nodes.length === 0) return filled;
  const used = rows.map(({ counts }) => nodes.reduce((sum, { bin }) => sum + (counts[bin.index] ?? 0), 0));
  let gained = false;
  const left = new Int32Array(problem.classes.length);
  let cost = filled.costMicro;
  while (!work.isOver(untilPart) && cost > enoughMicro) {
    const chosen = chooseNodes(nodes, guide, chance);
    const patterns = chosen.flatMap((index) => nodes[index] ?? []);
    left.fill(0);
    for (const pattern of patterns) takeOut(pattern, -1, left);
    const before = patterns.reduce((sum, { costMicro }) => sum + costMicro, 0);
    const open = rows.map((row, l): LimitRow => {
      const freed = patterns.reduce((sum, { bin }) => sum + (row.counts[bin.index] ?? 0), 0);
      return { ...row, left: row.left - (used[l] ?? 0) + freed };
    });
    const orders = ordersOf(problem, left, guide, chance, work);
    const after = fillNew(problem, open, [], left, guide, orders, work);
    work.spend(patterns.length * 20 + problem.bins.length);
    if (after.costMicro >= before || after.left.some((count) => count > 0)) continue;
    gained = true;
    cost += after.costMicro - before;
    for (const [l, { counts }] of rows.entries()) {
      for (const { bin } of patterns) used[l] = (used[l] ?? 0) - (counts[bin.index] ?? 0);
      for (const { pattern, times } of after.bought)
        used[l] = (used[l] ?? 0) + times * (counts[pattern.bin.index] ?? 0);
    }
    for (const index of chosen.toSorted((a, b) => b - a)) {
      const last = nodes.pop();
      if (last && index < nodes.length) nodes[index] = last;
    }
    for (const { pattern, times } of after.bought) for (let i = 0; i < times; i++) nodes.push(pattern);
    if (nodes.length === 0) break;
  }
  if (!gained) return filled;
  const bought = nodes.map((pattern) => ({ pattern, times: 1 }));
  return { bought, left: filled.left, costMicro: nodes.reduce((sum, { costMicro }) => sum + costMicro, 0) };
}

/** A few different nodes; of two drawn, the one whose pods are worth less for its cost is taken. */
function chooseNodes(nodes: readonly Pattern[], guide: Guide, chance: Chance): number[] {
  const count = Math.min(nodes.length, 1 + chance.below(mostRuined));
  const chosen = new Set<number>();
  for (let tries = 0; chosen.size < count && tries < 4 * count; tries++) {
    const [a, b] = [chance.below(nodes.length), chance.below(nodes.length)];
    chosen.add(lossOf(nodes[a], guide) >= lossOf(nodes[b], guide) ? a : b);
  }
  return [...chosen];
}

function lossOf(pattern: Pattern | undefined, { pods }: Guide): number {
  if (pattern === undefined) return 0;
  let worth = 0;
  for (let i = 0; i < pattern.classes.length; i++)
    worth += (pattern.counts[i] ?? 0) * (pods[pattern.classes[i] ?? 0] ?? 0);
  return pattern.costMicro - worth * 1e6;
}

/** Orders of the classes that are left only: few, so that a move is cheap. */
function ordersOf(problem: Problem, left: Int32Array, guide: Guide, chance: Chance, work: Work): Int32Array[] {
  const some: number[] = [];
  for (let c = 0; c < left.length; c++) if ((left[c] ?? 0) > 0) some.push(c);
  work.spend(problem.bins.length * some.length * 6);
  return ordersFor(problem, problem.bins, guide, 0.6, chance, some);
}
