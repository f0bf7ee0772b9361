import type { Solver } from '../../ports/solver.ts';
import type { Prices } from './prices.ts';
import { dimensions } from './problem.ts';
import { ProgramBuilder } from './programBuilder.ts';
import { capacityAt, demandAt, micro, type Relaxation } from './relaxation.ts';
import type { Work } from './work.ts';

/** What leaving a pod out costs in the program, against the dearest node: only what has no place is left out. */
const leftOutFactor = 20;

/** A class that wastes this much of a kind of node by not being divisible gets a row of its own there. */
const tightFrom = 1.02;

/**
 * The compact program: how many pods of each class (x) go to how many nodes of each kind (y), both divisible.
 *
 *   minimise  Σ cost_b y_b + Σ penalty_cb x_cb
 *   so that   Σ_b x_cb ≥ n_c,   Σ_c demand_cr x_cb ≤ capacity_br y_b,   x_cb ≤ most_cb y_b,   Σ_b count_lb y_b ≤ left_l
 *
 * The third row holds because no node takes more than `most` of a class; it is added where it says more than the second.
 * Its duals price resources (λ), places (ν), limits (μ) and, by way of those, pods (π). Null: the solver found nothing.
 */
export function pricesBySolver(relaxation: Relaxation, solver: Solver, work: Work, part: number): Prices | null {
  const { bins, together, counts, limits } = relaxation;
  const classes = counts.length;
  const builder = new ProgramBuilder();
  const infinity = Number.POSITIVE_INFINITY;
  for (let c = 0; c < classes; c++) builder.row(counts[c] ?? 0, infinity);
  const dearest = bins.reduce((most, { costMicro }) => Math.max(most, costMicro / micro), 1);
  for (let c = 0; c < classes; c++) builder.column(dearest * leftOutFactor, infinity, [[c, 1]]);
  const limitsAt = classes;
  for (const { left, counts: each } of limits) builder.row(-infinity, left / largest(each));

  const capacityRows: [owner: number, dimension: number, row: number][] = [];
  const placeRows: [owner: number, c: number, row: number][] = [];
  for (const bin of bins) {
    const rows = rowsOf(bin.most, bin.demand, classes).map((r) => [r, builder.row(-infinity, 0)] as const);
    for (const [r, row] of rows) capacityRows.push([bin.index, r, row]);
    const node: [number, number][] = rows.map(([r, row]) => [row, -capacityAt(bin, r)]);
    for (let c = 0; c < classes; c++) {
      const most = bin.most[c] ?? 0;
      if (most === 0 || counts[c] === 0) continue;
      const entries: [number, number][] = rows.map(([r, row]) => [row, demandAt(bin.demand, c, r)]);
      entries.push([c, 1]);
      const divisible = Math.min(...rows.map(([r]) => capacityAt(bin, r) / (demandAt(bin.demand, c, r) || 1e-9)));
      if (divisible > most * tightFrom) {
        const row = builder.row(-infinity, 0);
        placeRows.push([bin.index, c, row]);
        entries.push([row, 1]);
        node.push([row, -most]);
      }
      builder.column((bin.penalty[c] ?? 0) / micro, infinity, entries);
    }
    for (const [l, { counts: each }] of limits.entries()) {
      node.push([limitsAt + l, (each[bin.index] ?? 0) / largest(each)]);
    }
    builder.column(bin.costMicro / micro, infinity, node);
  }
  const togetherRows: [owner: number, dimension: number, row: number][] = [];
  for (const [g, group] of together.entries()) {
    const rows = rowsOf(group.most, group.demand, classes).map(
      (r) => [r, builder.row(-infinity, group.capacity[r] ?? 0)] as const,
    );
    for (const [r, row] of rows) togetherRows.push([g, r, row]);
    for (let c = 0; c < classes; c++) {
      const most = group.most[c] ?? 0;
      if (most === 0 || counts[c] === 0) continue;
      const entries: [number, number][] = rows.map(([r, row]) => [row, demandAt(group.demand, c, r)]);
      entries.push([c, 1]);
      builder.column((group.penalty[c] ?? 0) / micro, most, entries);
    }
  }
  const solution = solver.solve(builder.program(false), work.leftUnits * part);
  work.spendUnits(solution.workUnits);
  if (solution.status === 'failed') return null;
  const prices = emptyPrices(relaxation);
  const dual = (row: number) => Math.max(0, -(solution.duals[row] ?? 0));
  for (const [b, r, row] of capacityRows) prices.resources[b * dimensions + r] = dual(row);
  for (const [b, c, row] of placeRows) prices.places[b * classes + c] = dual(row);
  for (const [g, r, row] of togetherRows) prices.together[g * dimensions + r] = dual(row);
  for (const [l, { counts: each }] of limits.entries()) prices.limits[l] = dual(limitsAt + l) / largest(each);
  for (let c = 0; c < classes; c++) prices.pods[c] = Math.max(0, solution.duals[c] ?? 0);
  return prices;
}

export function emptyPrices({ bins, together, limits, counts }: Relaxation): Prices {
  return {
    resources: new Float64Array(bins.length * dimensions),
    places: new Float64Array(bins.length * counts.length),
    together: new Float64Array(together.length * dimensions),
    limits: new Float64Array(limits.length),
    pods: new Float64Array(counts.length),
  };
}

function largest(values: Float64Array): number {
  let most = 0;
  for (const value of values) most = Math.max(most, value);
  return most || 1;
}

/** Dimensions that some pod which may be there takes anything of. */
function rowsOf(most: ArrayLike<number>, demand: Float64Array, classes: number): number[] {
  return Array.from({ length: dimensions }, (_, r) => r).filter((r) => {
    for (let c = 0; c < classes; c++) if ((most[c] ?? 0) > 0 && demandAt(demand, c, r) > 0) return true;
    return false;
  });
}
