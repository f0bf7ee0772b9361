import type { Plan, PlacementInput } from '@ebb/core';

/** How a plan is to be made. */
export interface PlanRequest {
  input: PlacementInput;
  seed: number;
  workUnits: number;
  /** `none`: prices are guessed. */
  solver: SolverName;
}

export type SolverName = 'highs' | 'simplex' | 'none';

export type PlanAnswer = { type: 'planned'; plan: Plan } | { type: 'failed'; message: string };
