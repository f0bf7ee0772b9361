import type { Solver } from '@ebb/core';
import { highsSolver } from './highsSolver.ts';
import type { SolverName } from './messages.ts';
import { simplexSolver } from './simplexSolver.ts';

/** The solver of that name. Where WebAssembly cannot be loaded, the one in plain JavaScript takes the place of HiGHS. */
export async function openSolver(name: SolverName): Promise<Solver | null> {
  if (name === 'none') return null;
  if (name === 'simplex') return simplexSolver();
  try {
    return await highsSolver();
  } catch {
    return simplexSolver();
  }
}
