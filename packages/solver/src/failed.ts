import type { LinearProgram, LinearSolution } from '@ebb/core';

/** No solution: there is none, or none was found within the budget. */
export function failed({ columns, rows }: LinearProgram, workUnits: number): LinearSolution {
  return { status: 'failed', x: new Float64Array(columns), duals: new Float64Array(rows), objective: 0, workUnits };
}
