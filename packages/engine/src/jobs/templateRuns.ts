import type { RunObservation } from '@ebb/core';
import { type JobTemplate, keyText } from '@ebb/documents';
import type { Job } from './job.ts';

/** A Job that was asked for and that nobody has shown since is asked for again within this, by the same id. */
const askAgainWithinMs = 60_000;

/**
 * Jobs that the driver runs by their whole template. It lists them with what others have made, and is the one that keeps them:
 * the engine's own store has those alone that it has not shown yet.
 */
export class TemplateRuns {
  /** By the key of its document, the latest news of each run. */
  readonly #seen = new Map<string, Map<string, RunObservation>>();
  /** Stored by an earlier engine; whether the driver has them is seen once their document is here. */
  readonly #stored = new Map<string, Job[]>();

  stored(job: Job): void {
    const owner = keyText(job.owner);
    this.#stored.set(owner, [...(this.#stored.get(owner) ?? []), job]);
  }

  note(run: RunObservation): void {
    const owner = keyText(run.owner);
    const runs = this.#seen.get(owner) ?? new Map<string, RunObservation>();
    if (run.phase === 'gone') runs.delete(run.id);
    else runs.set(run.id, run);
    if (runs.size === 0) this.#seen.delete(owner);
    else this.#seen.set(owner, runs);
  }

  /** All runs of a document. */
  of(owner: string): RunObservation[] {
    return [...(this.#seen.get(owner)?.values() ?? [])];
  }

  /**
   * Jobs of a document that were stored and that the driver does not show: those that are to be asked for again, since the
   * request may have been on its way, and those that are too old for that. Each is told once.
   */
  unseen(owner: string, nowMs: number): { again: Job[]; over: Job[] } {
    const jobs = this.#stored.get(owner) ?? [];
    this.#stored.delete(owner);
    const seen = this.#seen.get(owner);
    const again = jobs.filter(({ id, createdAtMs }) => !seen?.has(id) && nowMs - createdAtMs < askAgainWithinMs);
    return { again, over: jobs.filter((job) => !again.includes(job)) };
  }
}

/** What the engine has to know of a template that is run as a whole: nothing of it is its affair. */
export const wholeTemplate: JobTemplate = {
  container: '',
  command: [],
  env: [],
  envFrom: [],
  workingDirectory: null,
  resources: { requests: { cpuMilli: 0, memoryBytes: 0, gpuMilli: 0 }, limits: {} },
  backoffLimit: 0,
  activeDeadlineMs: null,
  keepFinishedMs: null,
  terminationGraceMs: 0,
};

/** A Job that others have made, or an earlier engine. */
export function adoptedJob(run: RunObservation, generation: number, nowMs: number): Job {
  const isOver = run.phase === 'succeeded' || run.phase === 'failed';
  return {
    id: run.id,
    owner: run.owner,
    generation: run.generation ?? generation,
    createdAtMs: run.startedAtMs,
    phase: run.phase === 'running' || run.phase === 'succeeded' || run.phase === 'failed' ? run.phase : 'waiting',
    attempts: 1,
    failures: run.phase === 'failed' ? 1 : 0,
    startedAtMs: run.phase === 'starting' ? null : run.startedAtMs,
    endedAtMs: isOver ? (run.endedAtMs ?? nowMs) : null,
    retryAtMs: null,
    exitCode: run.exitCode,
    message: run.message,
  };
}

/** What the end of a Job with retries of its own makes of its record. */
export function afterTemplate(job: Job, run: RunObservation, nowMs: number): void {
  Object.assign(job, {
    phase: run.phase,
    failures: run.phase === 'failed' ? 1 : 0,
    endedAtMs: run.endedAtMs ?? nowMs,
    retryAtMs: null,
    exitCode: run.exitCode,
    message: run.message,
  });
}
