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
  const readMs = readAtMs(
    nowMs,
    usable.flatMap(({ trigger }) => triggers.latest.get(trigger) ?? []),
  );
  state.taken.seen(
    usable.reduce((sum, { queueLength }) => sum + queueLength, 0),
    readMs,
  );
  const open = unfinished(state);
  // KEDA's own polling counts what is there when its answer comes.
  const unread = spec.improvements ? state.endedUnread.counts(triggers.answered) : { running: 0, pending: 0 };
  const running = open.length + unread.running;
  const pending = open.filter((job) => isPending(state, job, readMs)).length + unread.pending;
  return {
    result: jobsToCreate(rules, usable, { running, pending }),
    running,
    pending,
    readings,
  };
}

/** After this, ms, a run of the ScaledJob counts as one that has taken its message. */
export function longestTakeOf({ spec }: ScaledJobState): number {
  return Math.min(longestTakeMs, spec.pollingIntervalMs);
}

/** A Job has ended or was deleted. Returns how to note that what was read last may be from before; to be asked while it is as it was. */
export function endOf(state: ScaledJobState, job: Job, nowMs: number): () => void {
  const { triggers, taken, spec } = state;
  if (!triggers || !spec.improvements) return () => {};
  const read = [...triggers.latest.values()].filter(({ value }) => value !== null);
  // Its pods are not shown any more.
  const wasPending = job.phase === 'waiting' || taken.isOpen(runId(job), readAtMs(nowMs, read), longestTakeOf(state));
  return () => state.endedUnread.ended(job.id, triggers.asked, wasPending);
}

/** When the oldest of them was read, by now at the latest. */
function readAtMs(nowMs: number, readings: readonly Reading[]): number {
  return Math.min(nowMs, ...readings.map(({ atMs }) => atMs));
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
