import { onTimeMsOf } from '@ebb/core';
import type { ReplicaCounts, ReplicaStatus, ScaledByStatus, WorkloadStatus } from '@ebb/documents';
import { sizedStatus } from './appliedSizing.ts';
import { conditionsOf } from './conditions.ts';
import type { EngineContext } from './context.ts';
import { costStatus } from './costStatus.ts';
import { statusOfDecision } from './decisionStatus.ts';
import type { Replica } from './replicaSet.ts';
import type { WorkloadState } from './workloadState.ts';

/** Everything worth telling about a workload, as of now. */
export function workloadStatus(context: EngineContext, state: WorkloadState): WorkloadStatus {
  const { clock } = context.ports;
  const nowMs = clock.nowMs();
  const replicas = [...state.replicas.values()].filter((replica) => replica.phase !== 'gone');
  const demand = state.spec.classes.map((one) => state.demand.of(one.name));
  const deferred = state.demand.deferred();
  const classHint = state.classHint.status(state.spec);
  const sized = sizedStatus(state);
  const { minReplicas, maxReplicas } = state.spec.scaling;
  return {
    ...state.objectKey,
    generation: state.stored.generation,
    observedGeneration: state.observedGeneration,
    replicas: countReplicas(replicas, state.removed ? 0 : (state.grant?.replicas ?? 0)),
    classes: Object.fromEntries(
      state.spec.classes.map(({ name }) => {
        const own = replicas.filter((replica) => replica.class === name);
        return [name, countReplicas(own, state.removed ? 0 : (state.grant?.classes[name] ?? 0))];
      }),
    ),
    inFlight: demand.reduce((sum, one) => sum + one.inFlight, 0),
    held: demand.reduce((sum, one) => sum + one.held, 0),
    ...(deferred ? { deferred } : {}),
    oldestHeldMs: state.demand.oldestHeldMs(clock.nowUs()),
    requests: state.demand.requests(),
    minReplicas,
    maxReplicas,
    decision: statusOfDecision(state),
    revisitAt: state.decision?.revisitAtMs ?? null,
    coldStarts: coldStartsOf(state),
    onTime: { withinMs: onTimeMsOf(state.spec.scaling), ...state.demand.onTime(nowMs) },
    ...(classHint ? { classHint } : {}),
    ...(sized ? { sized } : {}),
    cost: costStatus(state, context.ledger.of(state.key), nowMs),
    replicaList: replicas.map((replica) => replicaStatus(state, replica)),
    conditions: conditionsOf(context, state),
    url: urlOf(context, state),
    scaledBy: scaledByStatus(state),
  };
}

function coldStartsOf({ coldStarts: { count, last, learned } }: WorkloadState): WorkloadStatus['coldStarts'] {
  return { count, last: last && { ...last }, learned: { ...learned } };
}

function scaledByStatus({ scaledBy, triggers }: WorkloadState): ScaledByStatus | null {
  if (!scaledBy) return null;
  const { key, improvements } = scaledBy.spec;
  const mode = improvements ? 'reactive' : 'exact';
  const kind = scaledBy.stored.kind === 'HTTPScaledObject' ? 'HTTPScaledObject' : 'ScaledObject';
  return { kind, name: key.name, mode, triggers: triggers?.status() ?? [] };
}

function countReplicas(replicas: readonly Replica[], wanted: number): ReplicaCounts {
  const counts: ReplicaCounts = { wanted, starting: 0, ready: 0, draining: 0, failed: 0 };
  for (const { phase, isOverdue } of replicas) {
    if (isOverdue && phase === 'starting') counts.failed++;
    else if (phase === 'pending' || phase === 'starting') counts.starting++;
    else if (phase === 'ready') counts.ready++;
    else if (phase === 'draining' || phase === 'stopping') counts.draining++;
    else if (phase === 'backoff' || phase === 'failed') counts.failed++;
  }
  return counts;
}

function replicaStatus(state: WorkloadState, replica: Replica): ReplicaStatus {
  return {
    id: replica.id,
    class: replica.class,
    revision: replica.revision,
    node: replica.node,
    phase: replica.phase,
    createdAt: replica.createdAtMs,
    readyAt: replica.readySinceMs,
    inFlight: state.demand.inFlightOn(replica.id),
    pid: replica.seen?.pid ?? null,
    port: replica.seen?.endpoint?.port ?? null,
    restarts: replica.seen?.restarts ?? 0,
    message: replica.message,
    coldStart: { ...replica.coldStart },
  };
}

/** Where a request for the workload can be sent; null without a gateway, or where only a header or model routes to it. */
function urlOf(context: EngineContext, state: WorkloadState): string | null {
  const base = [...context.gateways.values()].find((link) => link.url !== null)?.url;
  const route = state.spec.serving.routes.find((one) => one.pathPrefix !== null) ?? state.spec.serving.routes[0];
  if (!base || !route || (route.pathPrefix === null && route.host === null)) return null;
  return `${base.replace(/\/+$/, '')}${route.pathPrefix ?? '/'}`;
}
