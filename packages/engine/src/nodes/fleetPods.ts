import type { FleetPod, PlacementPod } from '@ebb/core';
import { learnedMs } from '../learnedColdStart.ts';
import { exists, isHeldOnTo, type Replica } from '../replicaSet.ts';
import type { WorkloadState } from '../workloadState.ts';
import { expectedColdStartMs } from '../coldStarts.ts';

/** Every replica that has or wants a place in the cluster. Those whose class is in no document any more are left to go. */
export function fleetPods(
  states: Iterable<WorkloadState>,
  cluster: string,
  templates: ReadonlyMap<string, PlacementPod>,
): FleetPod[] {
  const pods: FleetPod[] = [];
  for (const state of states) {
    for (const replica of state.replicas.values()) {
      const { place } = replica;
      if (place?.cluster !== cluster || !exists(replica)) continue;
      const template = templates.get(`${state.key}:${replica.class}`) ?? place.template;
      if (!template) continue;
      place.template = template;
      pods.push({
        pod: { ...template, id: replica.id },
        bound: place.bound,
        isLeaving: !isHeldOnTo(replica),
        loadMs: loadMs(state, replica),
        inFlight: state.demand.inFlightOn(replica.id),
        doNotDisrupt: false,
      });
    }
  }
  return pods;
}

/** From its start somewhere else to its first answer: without what the node takes. */
function loadMs(state: WorkloadState, replica: Replica): number {
  const learned = state.coldStarts.learned[replica.class];
  const wholeMs = learnedMs(learned) ?? expectedColdStartMs(state);
  return Math.max(0, wholeMs - Math.round((learned?.askToNodeUs ?? 0) / 1000));
}
