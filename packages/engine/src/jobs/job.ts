import type { RunObservation } from '@ebb/core';
import type { ObjectKey } from '@ebb/documents';

/** `waiting`: for its first run to be asked for, or for the end of a back-off. */
export type JobPhase = 'waiting' | 'running' | 'succeeded' | 'failed';

/** One Job of a ScaledJob: runs until one succeeds or too many failed. Plain JSON: it is stored as it is. */
export interface Job {
  id: string;
  owner: ObjectKey;
  /** Generation of the document that it was made from. */
  generation: number;
  createdAtMs: number;
  phase: JobPhase;
  /** Runs that have been asked for. The present one's id is made of this. */
  attempts: number;
  failures: number;
  /** When the first run began; a deadline counts from it. */
  startedAtMs: number | null;
  endedAtMs: number | null;
  retryAtMs: number | null;
  exitCode: number | null;
  /** For a person. */
  message: string;
}

/** First and longest wait between two runs of a Job, as Kubernetes' Job controller has them. */
const firstBackoffMs = 10_000;
const longestBackoffMs = 360_000;

export function newJob(id: string, owner: ObjectKey, generation: number, nowMs: number): Job {
  return {
    id,
    owner,
    generation,
    createdAtMs: nowMs,
    phase: 'waiting',
    attempts: 0,
    failures: 0,
    startedAtMs: null,
    endedAtMs: null,
    retryAtMs: nowMs,
    exitCode: null,
    message: '',
  };
}

export function isFinished({ phase }: Job): boolean {
  return phase === 'succeeded' || phase === 'failed';
}

/** Id of the present run: another one for each attempt, so that asking again never runs one twice. */
export function runId({ id, attempts }: Job): string {
  return attempts <= 1 ? id : `${id}-${attempts}`;
}

/** Job that a run belongs to. */
export function isRunOf(job: Job, run: string): boolean {
  return run === job.id || run.startsWith(`${job.id}-`);
}

/** What a run's end makes of its Job. */
export function afterRun(job: Job, run: RunObservation, backoffLimit: number, nowMs: number): void {
  job.exitCode = run.exitCode;
  job.message = run.message;
  if (run.phase === 'succeeded') {
    Object.assign(job, { phase: 'succeeded', endedAtMs: run.endedAtMs ?? nowMs, retryAtMs: null });
    return;
  }
  job.failures++;
  if (job.failures > backoffLimit) {
    const message = `${run.message}; ${job.failures} runs failed, backoffLimit is ${backoffLimit}`;
    Object.assign(job, { phase: 'failed', endedAtMs: run.endedAtMs ?? nowMs, retryAtMs: null, message });
    return;
  }
  const delayMs = Math.min(longestBackoffMs, firstBackoffMs * 2 ** (job.failures - 1));
  Object.assign(job, { phase: 'waiting', retryAtMs: nowMs + delayMs });
}

/** Finished Jobs that go: the oldest completions beyond what each history keeps, and those whose time is over. */
export function outOfHistory(
  jobs: readonly Job[],
  limits: { succeeded: number; failed: number; keepFinishedMs: number | null },
  nowMs: number,
): Job[] {
  const beyond = (phase: JobPhase, limit: number) =>
    jobs
      .filter((job) => job.phase === phase)
      .sort((left, right) => (right.endedAtMs ?? 0) - (left.endedAtMs ?? 0))
      .slice(limit);
  const { keepFinishedMs } = limits;
  const expired = jobs.filter(
    (job) => keepFinishedMs !== null && isFinished(job) && nowMs >= (job.endedAtMs ?? nowMs) + keepFinishedMs,
  );
  return [...new Set([...beyond('succeeded', limits.succeeded), ...beyond('failed', limits.failed), ...expired])];
}
