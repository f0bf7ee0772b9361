import type { LinearProgram, LinearSolution, Solver } from '@ebb/core';
import type { Highs, Model } from 'highs';
import { failed } from './failed.ts';

/**
 * Work of one simplex iteration: units, and steps for each number of the program. Measured so that a unit is near a
 * twenty-fifth of a millisecond on a server core of 2024. Whole-number programs do much between two iterations.
 */
const effort = { divisible: { units: 1, steps: 0.25 }, whole: { units: 60, steps: 18 } };
/** Far beyond any budget of work: only against a program that never ends. */
const timeLimitS = 60;
/** Search of whole numbers stops this close to its own bound. */
const gapAllowed = 5e-4;

let loading: Promise<Highs> | null = null;

/**
 * HiGHS, compiled to WebAssembly and loaded on first use. `solve` blocks until it is done: where other work waits, run it
 * in a thread (`openPlanner`). It stops by counting iterations, not by time, so that runs repeat.
 */
export async function highsSolver(): Promise<Solver> {
  loading ??= loadHighs();
  const highs = await loading;
  return { name: 'highs', solve: (program, maxWorkUnits) => solveWith(highs, program, maxWorkUnits) };
}

async function loadHighs(): Promise<Highs> {
  // The package declares its types as CommonJS; what Node loads is its ES module, whose default export is the loader.
  const { default: load } = (await import('highs')) as unknown as { default: () => Promise<Highs> };
  return load();
}

function solveWith(highs: Highs, program: LinearProgram, maxWorkUnits: number): LinearSolution {
  const { columns, rows, cost, upper, rowLower, rowUpper, starts, rowOf, value, whole } = program;
  const { variableType, modelStatus, solutionStatus, callbackType } = highs.constants;
  const { units, steps } = whole ? effort.whole : effort.divisible;
  const unitsEach = units + ((value.length + columns + rows) * steps) / 1000;
  const most = Math.max(1, Math.floor(maxWorkUnits / unitsEach));
  return highs.withModel(
    {
      numCols: columns,
      numRows: rows,
      colCost: cost,
      colLower: new Float64Array(columns),
      colUpper: upper,
      rowLower,
      rowUpper,
      matrix: { format: 'csc', numRows: rows, numCols: columns, starts, indices: rowOf, values: value },
      ...(whole && { integrality: new Array(columns).fill(variableType.integer) }),
    },
    (model: Model): LinearSolution => {
      model.options.set({ output_flag: false, mip_rel_gap: gapAllowed, time_limit: timeLimitS });
      if (!whole) model.options.set({ simplex_iteration_limit: Math.min(most, 2 ** 31 - 1) });
      let seen = 0;
      model.run({
        [callbackType.mipInterrupt]: ({ data, interrupt }) => {
          seen = Math.max(seen, Number(data.mip_total_lp_iterations ?? 0));
          if (seen >= most) interrupt();
        },
      });
      const status = model.getModelStatus();
      const iterations = Math.max(seen, Number(model.info.get('simplex_iteration_count')), 1);
      const workUnits = Math.ceil(iterations * unitsEach);
      const hasSolution = Number(model.info.get('primal_solution_status')) === solutionStatus.feasible;
      if (!hasSolution) return failed(program, workUnits);
      const { colValue, rowDual } = model.getSolution();
      return {
        status: status === modelStatus.optimal ? 'optimal' : 'stopped',
        x: Float64Array.from(colValue),
        duals: whole ? new Float64Array(rows) : Float64Array.from(rowDual),
        objective: model.getObjectiveValue(),
        workUnits,
      };
    },
  );
}
