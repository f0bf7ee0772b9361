import type { LinearProgram, LinearSolution, Solver } from '@ebb/core';
import { type Constraint, type Model, solve } from 'yalps';
import { failed } from './failed.ts';

/** Steps of one pivot for each place of the table; a tenth of the places are touched. */
const stepsPerPlace = 0.1;
/** Larger tables take longer than a plan is worth waiting for. */
const mostPlaces = 20_000_000;
const pivotsPerRow = 4;
const gapAllowed = 5e-4;

type LinearModel = Model<number>;

/**
 * A simplex in plain JavaScript, where WebAssembly is not wanted: the same answers, later, and for small programs. It does
 * not tell duals, so the dual program is solved as well. For whole numbers it stops after so many branches, not by time.
 */
export function simplexSolver(): Solver {
  return { name: 'simplex', solve: solveTable };
}

function solveTable(program: LinearProgram, maxWorkUnits: number): LinearSolution {
  const { columns, rows, whole } = program;
  const bounded = program.upper.filter((bound) => bound !== Number.POSITIVE_INFINITY).length;
  const places = (rows + bounded) * (columns + 1);
  const pivotUnits = (places * stepsPerPlace) / 1000;
  const units = pivotUnits * (rows + bounded) * (whole ? 1 : 2);
  // How many pivots it takes is not told, so the usual number is counted: it depends on the program alone.
  if (places > mostPlaces || units > maxWorkUnits) return failed(program, 0);
  const branches = whole ? Math.max(1, Math.floor((maxWorkUnits - units) / Math.max(1, units))) : 0;
  const maxPivots = Math.max(8192, pivotsPerRow * (rows + columns));
  const primal = solve(primalOf(program), {
    maxPivots,
    tolerance: gapAllowed,
    ...(whole && { maxIterations: Math.min(branches, 32_768) }),
  });
  const workUnits = Math.ceil(units * (1 + (whole ? Math.min(branches, 200) : 0)));
  if (Number.isNaN(primal.result) || !Number.isFinite(primal.result)) return failed(program, workUnits);
  const x = new Float64Array(columns);
  for (const [index, value] of primal.variables) x[index] = value;
  const duals = whole ? new Float64Array(rows) : dualsOf(program, maxPivots);
  if (duals === null) return failed(program, workUnits);
  const status = primal.status === 'optimal' ? 'optimal' : 'stopped';
  return { status, x, duals, objective: primal.result, workUnits };
}

function primalOf(program: LinearProgram): LinearModel {
  const { columns, rows, cost, upper, rowLower, rowUpper, starts, rowOf, value, whole } = program;
  const constraints: [string, Constraint][] = [];
  for (let i = 0; i < rows; i++) constraints.push([`r${i}`, bounds(rowLower[i] ?? 0, rowUpper[i] ?? 0)]);
  for (let j = 0; j < columns; j++)
    if (upper[j] !== Number.POSITIVE_INFINITY) constraints.push([`u${j}`, { max: upper[j] ?? 0 }]);
  const variables = Array.from({ length: columns }, (_, j): [number, [string, number][]] => {
    const entries: [string, number][] = [['cost', cost[j] ?? 0]];
    for (let k = starts[j] ?? 0; k < (starts[j + 1] ?? 0); k++) entries.push([`r${rowOf[k]}`, value[k] ?? 0]);
    if (upper[j] !== Number.POSITIVE_INFINITY) entries.push([`u${j}`, 1]);
    return [j, entries];
  });
  return { direction: 'minimize', objective: 'cost', constraints, variables, integers: whole };
}

function bounds(min: number, max: number): Constraint {
  if (min === max) return { equal: min };
  return {
    ...(min !== Number.NEGATIVE_INFINITY && { min }),
    ...(max !== Number.POSITIVE_INFINITY && { max }),
  };
}

/**
 * The dual program: maximise Σ lower_i a_i − Σ upper_i b_i − Σ bound_j w_j, where for each column
 * Σ_i A_ij (a_i − b_i) − w_j ≤ cost_j and all of a, b, w are at least 0. The dual of row i is a_i − b_i.
 */
function dualsOf(program: LinearProgram, maxPivots: number): Float64Array | null {
  const { columns, rows, cost, upper, rowLower, rowUpper, starts, rowOf, value } = program;
  const byRow: [string, number][][] = Array.from({ length: rows }, () => []);
  for (let j = 0; j < columns; j++) {
    for (let k = starts[j] ?? 0; k < (starts[j + 1] ?? 0); k++) byRow[rowOf[k] ?? 0]?.push([`c${j}`, value[k] ?? 0]);
  }
  const variables: [number, [string, number][]][] = [];
  for (const [i, entries] of byRow.entries()) {
    const [lower = 0, most = 0] = [rowLower[i], rowUpper[i]];
    if (lower !== Number.NEGATIVE_INFINITY) variables.push([2 * i, [['worth', lower], ...entries]]);
    if (most !== Number.POSITIVE_INFINITY) {
      const negated = entries.map(([key, each]): [string, number] => [key, -each]);
      variables.push([2 * i + 1, [['worth', -most], ...negated]]);
    }
  }
  for (let j = 0; j < columns; j++) {
    const bound = upper[j] ?? 0;
    if (bound !== Number.POSITIVE_INFINITY)
      variables.push([
        2 * rows + j,
        [
          ['worth', -bound],
          [`c${j}`, -1],
        ],
      ]);
  }
  const constraints = Array.from({ length: columns }, (_, j): [string, Constraint] => [`c${j}`, { max: cost[j] ?? 0 }]);
  const model: LinearModel = { direction: 'maximize', objective: 'worth', constraints, variables };
  const dual = solve(model, { maxPivots });
  if (dual.status !== 'optimal') return null;
  const duals = new Float64Array(rows);
  for (const [index, worth] of dual.variables) {
    if (index >= 2 * rows) continue;
    const row = index >> 1;
    duals[row] = (duals[row] ?? 0) + (index % 2 === 0 ? worth : -worth);
  }
  return duals;
}
