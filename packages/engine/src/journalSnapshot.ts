import type { EngineContext } from './context.ts';
import { digestOf, digestSeed } from './decisionRun.ts';
import type { SnapshotPart } from './journal.ts';
import type { WorkloadSnapshot } from './replay.ts';
import type { WorkloadState } from './workloadState.ts';

/** First records of a journal segment: the system, then each workload with the memory that its next decision meets. */
export function journalSnapshot(context: EngineContext): SnapshotPart[] {
  const { version, epoch } = context.options;
  const { limits } = context;
  const states = [...context.workloads.values()].filter((state) => !state.removed);
  return [
    {
      workload: null,
      body: { type: 'system', version, epoch, limits, allocation: context.allocationMemory, workloads: states.length },
    },
    ...states.map((state) => ({ workload: state.key, body: specEvent(state) })),
    ...context.fleets.list().flatMap((fleet) => fleet.snapshot() ?? []),
  ];
}

/** What a replay needs to go on with a workload from here. */
export function specEvent(state: WorkloadState): WorkloadSnapshot {
  return {
    type: 'workload',
    generation: state.stored.generation,
    specHash: digestOf(digestSeed, JSON.stringify(state.decisionSpec)).toString(16).padStart(8, '0'),
    spec: state.decisionSpec,
    memory: state.memory,
  };
}
