import type { Driver, HpaMetricReading, HpaPod, KedaObservation, KedaReading } from '@ebb/core';
import { podReading } from './podUsage.ts';
import { isCounted, type Replica } from './replicaSet.ts';
import type { WorkloadState } from './workloadState.ts';

/**
 * What KEDA's policy is told of a workload that a ScaledObject drives. Consumes what is new among the readings. `found`: how the
 * targets of replicas were; pods may be fewer than their count while they are made.
 */
export function kedaObservation(state: WorkloadState, found: Driver['found']): KedaObservation | undefined {
  const { scaledBy, triggers, podUsage } = state;
  if (!scaledBy || !triggers) return undefined;
  const replicas = [...state.replicas.values()].filter(isCounted);
  const readings: Record<string, KedaReading> = {};
  for (const [name, { value, active, message, state: readingState }] of triggers.latest) {
    if (triggers.isResource(name)) continue;
    if (value === null) readings[name] = { error: message ?? readingState };
    else readings[name] = active === undefined ? { value } : { value, active };
  }
  const before = state.memory === null ? (found?.lastActiveAtMs(state.stored.key) ?? null) : null;
  const base = {
    specReplicas:
      state.decision?.replicas ?? podUsage?.replicas ?? found?.replicas(state.stored.key) ?? replicas.length,
    statusReplicas: replicas.length,
    readyReplicas: replicas.filter(({ phase }) => phase === 'ready').length,
    createdAtMs: scaledBy.stored.createdAtMs,
    ...(before === null ? {} : { lastActiveAtMs: before }),
    readings,
    fresh: triggers.takeFresh().sort(),
  };
  const resources = scaledBy.spec.triggers.filter(({ type }) => type === 'cpu' || type === 'memory');
  if (resources.length === 0) return base;
  if (podUsage) {
    const told = resources.map((trigger) => [trigger.name, podReading(podUsage, trigger)]);
    return { ...base, pods: podUsage.pods, resourceMetrics: Object.fromEntries(told) };
  }
  return {
    ...base,
    pods: replicas.map((replica) => podOf(state, replica)),
    resourceMetrics: Object.fromEntries(
      resources.map(({ name, type }) => [name, usageOf(replicas, type === 'cpu' ? 'cpu' : 'memory')]),
    ),
  };
}

/** A replica as the HPA sees a pod: requests in thousandths of a core and of a byte. */
function podOf(state: WorkloadState, replica: Replica): HpaPod {
  const requests = state.spec.classes.find(({ name }) => name === replica.class)?.resources.requests;
  const isReady = replica.phase === 'ready';
  return {
    name: replica.id,
    phase: replica.phase === 'pending' ? 'Pending' : 'Running',
    startTimeMs: replica.createdAtMs,
    ready: { status: isReady ? 'True' : 'False', lastTransitionMs: replica.readySinceMs ?? replica.createdAtMs },
    containers: [
      {
        name: replica.class,
        requests: {
          ...(requests && requests.cpuMilli > 0 ? { cpu: requests.cpuMilli } : {}),
          ...(requests && requests.memoryBytes > 0 ? { memory: requests.memoryBytes * 1000 } : {}),
        },
      },
    ],
  };
}

function usageOf(replicas: readonly Replica[], resource: 'cpu' | 'memory'): HpaMetricReading {
  const pods = replicas.flatMap(({ id, usage }) => {
    if (!usage) return [];
    const valueMilli = resource === 'cpu' ? usage.cpuMilli : usage.memoryBytes * 1000;
    return valueMilli === null ? [] : [{ name: id, valueMilli, atMs: usage.atMs, windowMs: usage.windowMs }];
  });
  return pods.length > 0 ? { pods } : { error: `no replica has told its ${resource} yet` };
}
