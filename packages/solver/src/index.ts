export { highsSolver } from './highsSolver.ts';
export type { FleetAnswer, FleetRequest, PlanRequest, SolverName } from './messages.ts';
export { openSolver } from './openSolver.ts';
export { openPlanner, type Planner, unitsPerMs, workUnitsOf } from './planner.ts';
export { simplexSolver } from './simplexSolver.ts';
