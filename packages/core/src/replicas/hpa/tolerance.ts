import type { HpaDecisionSpec } from './types.ts';

/** How far a ratio may be from 1, in each direction, without anything being done. */
export interface Tolerances {
  up: number;
  down: number;
}

export function tolerancesOf(spec: HpaDecisionSpec): Tolerances {
  const { tolerance } = spec.controller;
  return { up: spec.behavior?.scaleUp.tolerance ?? tolerance, down: spec.behavior?.scaleDown.tolerance ?? tolerance };
}

/** 1 − down ≤ ratio ≤ 1 + up, ends included (Kubernetes `Tolerances.isWithin`). */
export function isWithin(tolerances: Tolerances, ratio: number): boolean {
  return 1 - tolerances.down <= ratio && ratio <= 1 + tolerances.up;
}
