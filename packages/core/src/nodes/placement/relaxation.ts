import type { LimitRow } from './limits.ts';
import { type Bin, dimensions, type Problem } from './problem.ts';

/** Prices are solved in whole currency units, memory in GiB and so on, so that numbers are near one. */
export const micro = 1e6;
export const scale = [1000, 2 ** 30, 1, 1, 1];

/** Nodes that are there, together: their free room as if it were one node's. Less strict, so still a bound. */
export interface Together {
  /** By dimension, scaled. */
  capacity: Float64Array;
  /** Most pods of each class on them. */
  most: Float64Array;
  /** Least penalty of each class. */
  penalty: Float64Array;
  demand: Float64Array;
}

/** The relaxed problem: pods and nodes may be split, nodes that are there are one large one. */
export interface Relaxation {
  /** Pods of each class (before the split by zones). */
  counts: ArrayLike<number>;
  bins: readonly Bin[];
  together: readonly Together[];
  limits: readonly LimitRow[];
}

/** More groups than this become one for each sort of GPU: the bound gets a little weaker and the program stays small. */
const mostGroups = 40;

export function relaxationOf(problem: Problem, counts: ArrayLike<number>, limits: readonly LimitRow[]): Relaxation {
  const classes = problem.parents.length;
  const byClasses = (bin: Bin) => bin.most.map((most) => (most > 0 ? 1 : 0)).join('');
  const used = problem.parentNodes.filter(({ most }) => most.some((count) => count > 0));
  const shapes = new Map(used.map(({ demand }) => demand).map((demand, index) => [demand, index]));
  const groupsBy = (key: (bin: Bin) => string): Bin[][] => [...Map.groupBy(used, key).values()];
  const shapeOf = ({ demand }: Bin) => String(shapes.get(demand));
  const fine = groupsBy((bin) => `${shapeOf(bin)}|${byClasses(bin)}`);
  const groups = fine.length <= mostGroups ? fine : groupsBy(shapeOf);
  return {
    counts,
    bins: problem.parentBins,
    together: groups.map((group) => addUp(group, classes)),
    limits,
  };
}

function addUp(group: readonly Bin[], classes: number): Together {
  const capacity = new Float64Array(dimensions);
  const most = new Float64Array(classes);
  const penalty = new Float64Array(classes).fill(Number.POSITIVE_INFINITY);
  for (const bin of group) {
    for (let r = 0; r < dimensions; r++) capacity[r] = (capacity[r] ?? 0) + (bin.capacity[r] ?? 0) / (scale[r] ?? 1);
    for (let c = 0; c < classes; c++) {
      const holds = bin.most[c] ?? 0;
      if (holds === 0) continue;
      most[c] = (most[c] ?? 0) + holds;
      penalty[c] = Math.min(penalty[c] ?? 0, bin.penalty[c] ?? 0);
    }
  }
  return { capacity, most, penalty, demand: group[0]?.demand ?? new Float64Array(classes * dimensions) };
}

/** What a class takes of one dimension, scaled. */
export function demandAt(demand: Float64Array, c: number, r: number): number {
  return (demand[c * dimensions + r] ?? 0) / (scale[r] ?? 1);
}

export function capacityAt(bin: Bin, r: number): number {
  return (bin.capacity[r] ?? 0) / (scale[r] ?? 1);
}
