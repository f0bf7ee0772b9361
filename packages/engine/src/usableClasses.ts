import type { WorkloadSpec } from '@ebb/documents';
import type { EngineContext } from './context.ts';
import type { WorkloadState } from './workloadState.ts';

/** A class that the machine can never run, and why. */
export interface LeftOutClass {
  class: string;
  message: string;
}

/**
 * The workload without the classes that this machine can never run, so that another class serves in their place: one that
 * needs a GPU gives way to one that needs none. A class that has replicas stays, and so do all where none would be left:
 * the driver's refusal then says why.
 */
export function withUsableClasses(
  context: EngineContext,
  state: Pick<WorkloadState, 'replicas'>,
  own: WorkloadSpec,
): { spec: WorkloadSpec; leftOut: LeftOutClass[] } {
  const { cannotRun } = context.ports;
  // What nodes of other sorts can run is for them to say.
  const isHere = context.fleets.firstFor({ spec: own }) === null;
  if (!cannotRun || !context.adopted || !isHere || own.classes.length < 2) return { spec: own, leftOut: [] };
  const running = new Set([...state.replicas.values()].filter(({ ended }) => !ended).map((replica) => replica.class));
  const leftOut = own.classes.flatMap(({ name, resources }) => {
    const message = running.has(name) ? null : cannotRun(resources.requests);
    return message === null ? [] : [{ class: name, message }];
  });
  if (leftOut.length === 0 || leftOut.length === own.classes.length) return { spec: own, leftOut: [] };
  const names = new Set(leftOut.map((one) => one.class));
  return { spec: { ...own, classes: own.classes.filter(({ name }) => !names.has(name)) }, leftOut };
}
