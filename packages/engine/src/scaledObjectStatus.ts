import type { Condition, ScaledObjectStatus, TriggerStatus } from '@ebb/documents';
import type { EngineContext } from './context.ts';
import { isoTime } from './isoTime.ts';
import type { KnownScaledObject } from './scaledObjects.ts';
import type { WorkloadState } from './workloadState.ts';

/** What becomes of a ScaledObject, in KEDA's words. `state` is the workload that it names; null: there is none. */
export function scaledObjectStatus(
  context: EngineContext,
  { stored, spec }: KnownScaledObject,
  state: WorkloadState | null,
): ScaledObjectStatus {
  const isFollowed = state?.scaledBy?.stored === stored;
  const triggers = isFollowed ? (state.triggers?.status() ?? []) : spec.triggers.map(unread);
  const lastTransitionTime = isoTime(stored.createdAtMs);
  const condition = (type: string, [status, reason, message]: Verdict): Condition => ({
    type,
    status,
    reason,
    message,
    lastTransitionTime,
  });
  const { target } = spec;
  return {
    target: target.name,
    mode: spec.improvements ? 'reactive' : 'exact',
    minReplicas: spec.minReplicas,
    maxReplicas: spec.maxReplicas,
    replicas: state ? (state.grant?.replicas ?? 0) : null,
    hpaName: spec.hpaName,
    triggers,
    lastActiveAt: lastActiveAt(state),
    conditions: [
      condition('Ready', readiness(context, target.name, state, triggers)),
      condition('Active', activity(triggers)),
      condition('Fallback', fallback(state)),
      condition('Paused', paused(spec.pause)),
    ],
  };
}

/** A trigger that nobody reads: there is no workload yet. */
function unread({ name, type }: { name: string; type: string }): TriggerStatus {
  return { name, type, state: 'unread', value: null, target: null, active: null, at: null, message: '' };
}

function lastActiveAt(state: WorkloadState | null): string | null {
  const atMs = state?.memory?.policy === 'keda' ? state.memory.lastActiveMs : null;
  return typeof atMs === 'number' ? isoTime(atMs) : null;
}

type Verdict = [Condition['status'], string, string];

function readiness(
  { adopted }: EngineContext,
  name: string,
  state: WorkloadState | null,
  triggers: readonly TriggerStatus[],
): Verdict {
  if (!state) return ['False', 'NoWorkload', `there is no Workload ${name} in its namespace; apply one of that name`];
  const failing = triggers.find(({ state: one }) => one === 'error' || one === 'missing');
  if (failing) {
    const reason = failing.state === 'missing' ? 'Unsupported' : 'TriggerFailing';
    return ['False', reason, `trigger ${failing.name} (${failing.type}): ${failing.message}`];
  }
  if (!adopted) return ['Unknown', 'AgentUnknown', 'the agent has not said yet what runs'];
  return ['True', 'ScaledObjectReady', 'its triggers are read and it is followed'];
}

function activity(triggers: readonly TriggerStatus[]): Verdict {
  if (triggers.some(({ active }) => active === true)) return ['True', 'ScalerActive', 'a trigger is active'];
  if (triggers.some(({ active }) => active === false)) return ['False', 'ScalerNotActive', 'no trigger is active'];
  const failing = triggers.find(({ state }) => state === 'error' || state === 'missing');
  if (failing) return ['Unknown', 'TriggerFailing', `trigger ${failing.name} cannot be read`];
  return ['Unknown', 'NotRead', 'no trigger has been read yet'];
}

function fallback(state: WorkloadState | null): Verdict {
  const isUsed = state?.decision?.reasons.some(({ code }) => code === 'keda-fallback') ?? false;
  return isUsed ? ['True', 'FallbackExists', 'a source fails: its fallback counts'] : ['False', 'NoFallback', ''];
}

function paused(pause: KnownScaledObject['spec']['pause']): Verdict {
  if (pause.replicas !== null) return ['True', 'PausedAt', `paused at ${pause.replicas} replicas by its annotation`];
  if (pause.paused) return ['True', 'Paused', 'paused by its annotation'];
  return ['False', 'NotPaused', ''];
}
