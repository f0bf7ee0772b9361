import {
  isJobPending,
  jobsToCreate,
  type Reading,
  type RunPod,
  type ScaledJobResult,
  type ScaledJobTriggerReading,
} from '@ebb/core';
import { type Job, runId } from './job.ts';
import { type ScaledJobState, unfinished } from './scaledJobState.ts';

/** A process that has not taken its message after this long counts as one that has. */
const longestTakeMs = 10_000;

/** What pods of a running process would have true. */
const conditionsOfRunning = ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready', 'PodReadyToStartContainers'];

export interface JobDecision {
  result: ScaledJobResult;
  running: number;
  pending: number;
  readings: Reading[];
}

/** How many Jobs to create now, by KEDA's arithmetic; null while a source that counts has not been read. */
export function decideJobs(state: ScaledJobState, nowMs: number): JobDecision | null {
  const { triggers, spec, rules } = state;
  if (!triggers) return null;
  const readings = [...triggers.latest.values()];
  const usable: ScaledJobTriggerReading[] = [];
  for (const { name, type } of spec.triggers) {
    if (type === 'cpu' || type === 'memory') continue;
    const reading = triggers.latest.get(name);
    // KEDA leaves a trigger that fails out of the sum; the others still create Jobs.
    if (!reading || reading.value === null) continue;
    const known = triggers.targets[name];
    const target = reading.target ?? known?.target ?? 1;
    const active = reading.active ?? reading.value > (known?.activationTarget ?? 0);
    usable.push({ trigger: name, queueLength: reading.value, target, active });
  }
  if (usable.length === 0 && rules.minReplicas === 0) return null;
  const readMs = Math.min(nowMs, ...usable.flatMap(({ trigger }) => triggers.latest.get(trigger)?.atMs ?? []));
  state.taken.seen(
    usable.reduce((sum, { queueLength }) => sum + queueLength, 0),
    readMs,
  );
  const open = unfinished(state);
  const pending = open.filter((job) => isPending(state, job, readMs)).length;
  return {
    result: jobsToCreate(rules, usable, { running: open.length, pending }),
    running: open.length,
    pending,
    readings,
  };
}

/** After this, ms, a run of the ScaledJob counts as one that has taken its message. */
export function longestTakeOf({ spec }: ScaledJobState): number {
  return Math.min(longestTakeMs, spec.pollingIntervalMs);
}

function isPending(state: ScaledJobState, job: Job, readMs: number): boolean {
  const { pendingPodConditions } = state.spec.scaling;
  const pods = state.pods.get(job.id) ?? [podOf(job)];
  if (isJobPending({ pods }, pendingPodConditions)) return true;
  // Looked at more often than KEDA does: one that has not had the time to take its message is as good as pending.
  return state.spec.improvements && state.taken.isOpen(runId(job), readMs, longestTakeOf(state));
}

/** A process as the pod that it would be. */
function podOf({ phase }: Job): RunPod {
  return phase === 'running'
    ? { phase: 'Running', trueConditions: conditionsOfRunning }
    : { phase: 'Pending', trueConditions: [] };
}
