import type { FleetDecision, FleetMemory, FleetObservation, FleetSpec, Plan, PlacementInput } from '@ebb/core';

/** How a plan is to be made. */
export interface PlanRequest {
  input: PlacementInput;
  seed: number;
  workUnits: number;
  /** `none`: prices are guessed. */
  solver: SolverName;
}

/** What a fleet is to do next. */
export interface FleetRequest {
  spec: FleetSpec;
  memory: FleetMemory | null;
  observation: FleetObservation;
  solver: SolverName;
}

export interface FleetAnswer {
  decision: FleetDecision;
  memory: FleetMemory;
}

export type SolverName = 'highs' | 'simplex' | 'none';

export type Request =
  | { type: 'plan'; plan: PlanRequest }
  /** Its spec, which is long, is left out where the thread has it: of that cluster the last one that was sent. */
  | { type: 'fleet'; fleet: Omit<FleetRequest, 'spec'>; cluster: string; spec: FleetSpec | null };

export type Answer =
  | { type: 'planned'; plan: Plan }
  | { type: 'stepped'; fleet: FleetAnswer }
  | { type: 'failed'; message: string };
