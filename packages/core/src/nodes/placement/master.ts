import type { LinearSolution, Solver } from '../../ports/solver.ts';
import { type Guide, ordersFor, worthOf } from './fill.ts';
import type { LimitRow } from './limits.ts';
import type { Problem } from './problem.ts';
import { ProgramBuilder } from './programBuilder.ts';
import { micro } from './relaxation.ts';
import { packBest } from './packSearch.ts';
import type { Pattern } from './room.ts';
import type { Chance, Work } from './work.ts';

/** Patterns that are worth choosing from, each once. */
export class PatternPool {
  readonly patterns: Pattern[] = [];
  readonly #known = new Set<string>();

  add(pattern: Pattern): boolean {
    const key = keyOf(pattern);
    if (this.#known.has(key)) return false;
    this.#known.add(key);
    this.patterns.push(pattern);
    return true;
  }

  /** Keeps those that the test likes. */
  keep(likes: (pattern: Pattern, index: number) => boolean): void {
    const kept = this.patterns.filter(likes);
    this.patterns.length = 0;
    this.#known.clear();
    for (const pattern of kept) this.add(pattern);
  }
}

function keyOf({ bin, classes, counts }: Pattern): string {
  const parts = classes.map((c, i) => [c, counts[i] ?? 0] as const).sort(([a], [b]) => a - b);
  return `${bin.index}:${parts.join(';')}`;
}

/** Leaving out a pod costs more than any node. */
const leftOutFactor = 20;

export interface MasterResult {
  /** Times of each pattern of the pool. */
  times: Float64Array;
  pods: Float64Array;
  solution: LinearSolution;
}

/**
 * The restricted master: how often each pattern is bought so that all pods that are left are covered, as cheaply as
 * these patterns allow, within the limits. `whole`: in whole nodes. Null: the solver found nothing.
 */
export function solveMaster(
  problem: Problem,
  pool: PatternPool,
  left: Int32Array,
  rows: readonly LimitRow[],
  solver: Solver,
  work: Work,
  options: { whole: boolean; units: number },
): MasterResult | null {
  const builder = new ProgramBuilder();
  const infinity = Number.POSITIVE_INFINITY;
  const rowOf = new Int32Array(left.length).fill(-1);
  let dearest = 1;
  for (let c = 0; c < left.length; c++) if ((left[c] ?? 0) > 0) rowOf[c] = builder.row(left[c] ?? 0, infinity);
  const limitsAt = builder.row(-infinity, infinity) + 1;
  const scales = rows.map(({ counts }) => counts.reduce((most, value) => Math.max(most, value), 0) || 1);
  for (const [l, { left: most }] of rows.entries()) builder.row(-infinity, most / (scales[l] ?? 1));
  for (const { bin, classes, counts, costMicro } of pool.patterns) {
    const entries: [number, number][] = [];
    for (let i = 0; i < classes.length; i++) {
      const row = rowOf[classes[i] ?? 0] ?? -1;
      if (row >= 0) entries.push([row, counts[i] ?? 0]);
    }
    for (const [l, { counts: each }] of rows.entries()) {
      entries.push([limitsAt + l, (each[bin.index] ?? 0) / (scales[l] ?? 1)]);
    }
    dearest = Math.max(dearest, costMicro / micro);
    builder.column(costMicro / micro, infinity, entries);
  }
  for (let c = 0; c < left.length; c++) {
    const row = rowOf[c] ?? -1;
    if (row >= 0) builder.column(dearest * leftOutFactor, infinity, [[row, 1]]);
  }
  const solution = solver.solve(builder.program(options.whole), Math.min(options.units, work.leftUnits));
  work.spendUnits(solution.workUnits);
  if (solution.status === 'failed') return null;
  const pods = Float64Array.from(rowOf, (row) => (row < 0 ? 0 : Math.max(0, solution.duals[row] ?? 0)));
  return { times: solution.x.slice(0, pool.patterns.length), pods, solution };
}

/**
 * For each kind of node the best pattern by the guide's prices; it joins the pool where it is worth more than it costs by the
 * master's prices. Says how many are new. The master's own prices jump from round to round: a guide between them and those
 * of the compact program finds patterns that last (the smoothing of Wentges, 1997).
 */
export function pricePatterns(
  problem: Problem,
  pool: PatternPool,
  guide: Guide,
  pods: Float64Array,
  counts: Int32Array,
  { spreads, branches }: { spreads: readonly number[]; branches: number },
  chance: Chance,
  work: Work,
): number {
  let found = 0;
  for (const spread of spreads) {
    const orders = ordersFor(problem, problem.bins, guide, spread, chance);
    for (const [b, bin] of problem.bins.entries()) {
      const order = orders[b];
      if (order === undefined) continue;
      const { pattern, steps } = packBest(problem, bin, order, counts, guide, branches);
      work.spend(steps + order.length * 8);
      if (pattern === null || worthOf(pattern, pods) * micro <= pattern.costMicro * (1 + 1e-6)) continue;
      if (pool.add(pattern)) found++;
    }
  }
  return found;
}
