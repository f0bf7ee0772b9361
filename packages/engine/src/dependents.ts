import { keyText } from '@ebb/documents';
import type { EngineContext } from './context.ts';
import type { WorkloadState } from './workloadState.ts';

/** Has those decided on that depend on the workload: whether it can serve them has changed. */
export function touchDependents(context: EngineContext, state: WorkloadState): void {
  if (!context.hasDependencies) return;
  for (const other of context.workloads.values()) {
    if (other.spec.dependsOn.some((key) => keyText(key) === state.key)) context.touch(other, 'grant');
  }
}
