import { LimitBook, type LimitRow } from './limits.ts';
import { type Bin, dimensions, type Problem } from './problem.ts';
import { type Pattern, Room } from './room.ts';
import type { Work } from './work.ts';

/** Nodes with their pods, and what found no place. */
export interface Layout {
  bought: { pattern: Pattern; times: number }[];
  /** Onto nodes that are there. */
  bound: Pattern[];
  /** By class. */
  unplaced: Int32Array;
  costMicro: number;
}

/**
 * The floor under every plan: classes by priority and then by size, largest first; each pod to the first node with room,
 * nodes that are there before new ones; a new node is the one that costs least for each pod of the class that it takes.
 */
export function greedyLayout(problem: Problem, rows: readonly LimitRow[], work: Work): Layout {
  const { classes, bins, nodes } = problem;
  const book = new LimitBook(rows);
  const unplaced = Int32Array.from(classes, ({ ids }) => ids.length);
  const bound = nodes.map((bin) => new Room(problem, bin));
  const bought: Room[] = [];
  for (const c of bySize(problem)) {
    let left = unplaced[c] ?? 0;
    for (const rooms of [bound, bought]) {
      work.spend(rooms.length);
      for (const room of rooms) {
        if (left === 0) break;
        left -= room.add(c, left);
      }
    }
    while (left > 0) {
      const bin = cheapestFor(c, left, bins, book);
      work.spend(bins.length);
      if (bin === null) break;
      const room = new Room(problem, bin);
      const added = room.add(c, left);
      if (added === 0) break;
      left -= added;
      book.buy(bin.index, 1);
      bought.push(room);
    }
    unplaced[c] = left;
  }
  const patterns = bought.map((room) => ({ pattern: room.pattern(), times: 1 }));
  const filled = bound.flatMap((room) => (room.isEmpty ? [] : [room.pattern()]));
  return layoutOf(patterns, filled, unplaced);
}

export function layoutOf(bought: Layout['bought'], bound: Pattern[], unplaced: Int32Array): Layout {
  let costMicro = 0;
  for (const { pattern, times } of bought) costMicro += pattern.costMicro * times;
  for (const pattern of bound) costMicro += pattern.costMicro;
  return { bought, bound, unplaced, costMicro };
}

/** Whether `a` is the better plan: it leaves out fewer pods, those with priority first, or costs less. */
export function isBetter(
  problem: Problem,
  a: Pick<Layout, 'unplaced' | 'costMicro'>,
  b: Pick<Layout, 'unplaced' | 'costMicro'>,
): boolean {
  const priorities = new Map<number, number>();
  for (const [c, { needs }] of problem.classes.entries()) {
    const more = (b.unplaced[c] ?? 0) - (a.unplaced[c] ?? 0);
    if (more !== 0) priorities.set(needs.pod.priority, (priorities.get(needs.pod.priority) ?? 0) + more);
  }
  for (const [, more] of [...priorities].sort(([x], [y]) => y - x)) if (more !== 0) return more > 0;
  return a.costMicro < b.costMicro;
}

function cheapestFor(c: number, left: number, bins: readonly Bin[], book: LimitBook): Bin | null {
  let best: Bin | null = null;
  let leastPrice = Number.POSITIVE_INFINITY;
  for (const bin of bins) {
    const holds = Math.min(left, bin.most[c] ?? 0);
    if (holds === 0) continue;
    const price = bin.costMicro / holds + (bin.penalty[c] ?? 0);
    if (price >= leastPrice || book.allowed(bin.index) < 1) continue;
    best = bin;
    leastPrice = price;
  }
  return best;
}

/** Classes by priority, then those with GPUs, then by the largest part of any resource of all supply, largest first. */
function bySize({ classes, bins, nodes }: Problem): number[] {
  const largest = new Float64Array(dimensions);
  for (const { capacity } of [...bins, ...nodes]) {
    for (let r = 0; r < dimensions; r++) largest[r] = Math.max(largest[r] ?? 0, capacity[r] ?? 0);
  }
  const size = classes.map(({ needs: { pod } }) => [
    pod.priority,
    pod.gpu === null ? 0 : pod.gpu.kind === 'share' ? 1 : 1 + pod.gpu.count,
    Math.max(pod.cpuMilli / (largest[0] || 1), pod.memoryBytes / (largest[1] || 1)),
  ]);
  const compare = (a: number, b: number): number => {
    for (let i = 0; i < 3; i++) {
      const difference = (size[b]?.[i] ?? 0) - (size[a]?.[i] ?? 0);
      if (difference !== 0) return difference;
    }
    return a - b;
  };
  return [...classes.keys()].sort(compare);
}
