import type { AllocationLimits, AllocationRequest } from '@ebb/core';
import { keyText } from '@ebb/documents';
import type { EngineContext } from './context.ts';
import { neededBy } from './dependencies.ts';
import { exists, isHeldOnTo } from './replicaSet.ts';
import { hasReadyReplica, type WorkloadState } from './workloadState.ts';

/**
 * What is asked of the shared limits. Where nothing is limited, workloads cannot take anything from one another, and
 * only the touched ones (and those that they depend on) are asked about.
 */
export function allocationRequests(
  context: EngineContext,
  touched: ReadonlySet<WorkloadState>,
  limits: AllocationLimits,
): { requests: AllocationRequest[]; states: Map<string, WorkloadState> } {
  const affected = new Set(touched);
  if (context.hasDependencies) for (const state of spreadNeed(context)) affected.add(state);
  const asked = isUnlimited(limits) ? affected : context.workloads.values();
  const states = new Map<string, WorkloadState>();
  const requests: AllocationRequest[] = [];
  for (const state of asked) {
    if (!isWanting(state)) continue;
    states.set(state.key, state);
    requests.push(requestOf(context, state));
  }
  return { requests, states };
}

function isWanting(state: WorkloadState): boolean {
  return !state.removed && state.decision !== null;
}

/** Marks the workloads that must keep a replica for another; returns those for which that changed. */
function spreadNeed(context: EngineContext): WorkloadState[] {
  const graph = new Map([...context.workloads.values()].map((state) => [state.key, state.spec.dependsOn.map(keyText)]));
  // Also one that is on its way to zero may still need what it depends on, to finish its requests.
  const wanted = [...context.workloads.values()]
    .filter((state) => (state.decision?.replicas ?? 0) > 0 || [...state.replicas.values()].some(exists))
    .map((state) => state.key);
  const needed = neededBy(graph, wanted);
  const changed: WorkloadState[] = [];
  for (const state of context.workloads.values()) {
    const dependent = needed.get(state.key) ?? null;
    if ((dependent === null) !== (state.neededBy === null)) changed.push(state);
    state.neededBy = dependent;
  }
  return changed;
}

function requestOf(context: EngineContext, state: WorkloadState): AllocationRequest {
  const wanted = { ...state.decision?.classes };
  const classes = [...state.spec.classes].sort((left, right) => left.pricePerHourMicro - right.pricePerHourMicro);
  const cheapest = classes[0]?.name;
  const { maxReplicas, paused } = state.spec.scaling;
  if (state.neededBy !== null && state.decision?.replicas === 0 && cheapest && maxReplicas > 0 && !paused) {
    wanted[cheapest] = 1;
  }
  const held = [...state.replicas.values()].filter(isHeldOnTo);
  return {
    workload: state.key,
    namespace: state.spec.key.namespace,
    labels: state.spec.labels,
    priority: state.spec.priority,
    classes: classes.map(({ name, pricePerHourMicro, resources }) => {
      const current = held.filter((replica) => replica.class === name).length;
      return { name, wanted: wanted[name] ?? 0, current, requests: resources.requests, pricePerHourMicro };
    }),
    minReplicas: state.spec.scaling.minReplicas,
    dependencies: state.spec.dependsOn.map((key) => {
      const dependency = context.workloads.get(keyText(key));
      return { workload: keyText(key), ready: dependency !== undefined && hasReadyReplica(dependency) };
    }),
  };
}

function isUnlimited({
  maxReplicas,
  capacity,
  maxPricePerHourMicro,
  quotas,
  budget,
  jobCaps,
}: AllocationLimits): boolean {
  const { cpuMilli, memoryBytes, gpuMilli } = capacity;
  if ((quotas?.length ?? 0) > 0 || budget !== undefined || (jobCaps?.length ?? 0) > 0) return false;
  return [maxReplicas, maxPricePerHourMicro, cpuMilli, memoryBytes, gpuMilli].every((limit) => limit === null);
}
