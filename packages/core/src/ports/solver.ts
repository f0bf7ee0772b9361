/** A linear program: minimise `cost · x` with `rowLower ≤ A x ≤ rowUpper` and `0 ≤ x ≤ upper`. A is given by columns. */
export interface LinearProgram {
  columns: number;
  rows: number;
  cost: Float64Array;
  /** Infinity: no bound. */
  upper: Float64Array;
  /** -Infinity and Infinity: no bound. */
  rowLower: Float64Array;
  rowUpper: Float64Array;
  /** Entries of column j lie at `starts[j]` up to `starts[j + 1]`; `starts` has `columns + 1` places. */
  starts: Int32Array;
  rowOf: Int32Array;
  value: Float64Array;
  /** Whether every variable is to be a whole number. */
  whole: boolean;
}

export interface LinearSolution {
  /** `stopped`: the best found before the budget was used up; `failed`: nothing was found, or there is nothing to find. */
  status: 'optimal' | 'stopped' | 'failed';
  x: Float64Array;
  /** What one more unit of each row's bound would cost; zeros for whole-number programs. */
  duals: Float64Array;
  objective: number;
  /** Work units that were used: see `Solver`. */
  workUnits: number;
}

/**
 * Solves linear programs. The budget is in work units, which depend on the program alone and never on the machine: the
 * same program and budget give the same solution. One unit is about the work of a thousand simple steps.
 */
export interface Solver {
  readonly name: string;
  solve(program: LinearProgram, maxWorkUnits: number): LinearSolution;
}
