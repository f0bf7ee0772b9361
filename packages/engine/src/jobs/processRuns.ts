import type { RunObservation } from '@ebb/core';
import { keyText, resolveJobTemplate, type ScaledJobSpec } from '@ebb/documents';
import { messageOf } from '../replicaActions.ts';
import { afterRun, isFinished, isRunOf, type Job, runId } from './job.ts';
import type { JobOwner, JobRecords } from './jobRecords.ts';
import type { JobRunner } from './jobRunner.ts';
import { runStartOf } from './jobStart.ts';
import type { ScaledJobState } from './scaledJobState.ts';

/**
 * Jobs as processes, one for each attempt. A Job is stored before its process is asked for and forgotten by the driver only
 * after its end is stored, so that a crash between any two steps loses none.
 */
export class ProcessRuns implements JobRunner {
  readonly #jobs: JobRecords;

  constructor(jobs: JobRecords) {
    this.#jobs = jobs;
  }

  templateOf({ jobTemplate, envSourceContainerName }: ScaledJobSpec): ScaledJobState['template'] {
    try {
      return resolveJobTemplate(jobTemplate, envSourceContainerName);
    } catch (error) {
      return { problem: messageOf(error) };
    }
  }

  async stored(job: Job): Promise<void> {
    const { states, runs, book } = this.#jobs;
    const state = states.get(keyText(job.owner));
    if (!state) {
      await book.drop(job);
      return;
    }
    state.jobs.set(job.id, job);
    if (!isFinished(job)) runs.set(runId(job), { state, job });
  }

  recall(): readonly RunObservation[] {
    return [];
  }

  /** What is not in the list does not run. */
  listed(listed: ReadonlySet<string>): void {
    const { runs, context } = this.#jobs;
    for (const { state, job } of [...runs.values()]) {
      if (listed.has(runId(job))) continue;
      if (job.phase === 'running') this.lost(state, job);
      // It was asked for, but the agent ended before it had heard of it.
      else if (job.attempts > 0) job.retryAtMs ??= context.ports.clock.nowMs();
    }
  }

  ownerOf(run: RunObservation): JobOwner | undefined {
    const owner = this.#jobs.runs.get(run.id);
    if (owner) return owner;
    const isOver = run.phase === 'gone' || run.phase === 'stopping';
    // Ended and stored before its driver forgot it, or of a document that is gone.
    if (this.#jobs.isListed && !isOver && !this.#isStarting(run)) this.#jobs.stop(run.id);
    return undefined;
  }

  beganAtMs(run: RunObservation): number {
    return run.startedAtMs;
  }

  async prepare(state: ScaledJobState, _job: Job, run: string): Promise<(() => Promise<void>) | null> {
    const { ports, options } = this.#jobs.context;
    const { driver, clock, store } = ports;
    const { template, stored, spec } = state;
    if ('problem' in template) return null;
    const { node } = options;
    const start = await runStartOf(store.documents, run, { template, owner: spec.key, origin: stored.origin, node });
    if (!driver.run) return null;
    return async () => {
      await driver.run?.(start);
      state.taken.began(run, clock.nowMs());
    };
  }

  refused(state: ScaledJobState, job: Job): void {
    this.end(state, job, job.message);
  }

  ended({ template }: ScaledJobState, job: Job, run: RunObservation): void {
    afterRun(job, run, 'problem' in template ? 0 : template.backoffLimit, this.#jobs.context.ports.clock.nowMs());
  }

  async settle(job: Job, run: RunObservation): Promise<void> {
    await this.#jobs.keep(job);
    this.#jobs.stop(run.id);
  }

  /** Its work may not be done, so it is run again. */
  lost(state: ScaledJobState, job: Job): void {
    if (isFinished(job)) return;
    const { runs, context } = this.#jobs;
    const nowMs = context.ports.clock.nowMs();
    const message = 'the run was lost and is made up for';
    runs.delete(runId(job));
    state.taken.ended(runId(job), nowMs);
    const failures = Math.max(job.failures, job.attempts);
    Object.assign(job, { phase: 'waiting', failures, retryAtMs: nowMs, message });
    context.journal.record('outcome', state.journalKey, { type: 'run-lost', job: job.id, message });
    void this.#jobs.keep(job);
  }

  end(state: ScaledJobState, job: Job, message: string): void {
    this.#jobs.failed(state, job, message);
    void this.#jobs.keep(job);
    if (job.attempts > 0) this.#jobs.stop(runId(job));
  }

  outlived(): void {
    // The driver has forgotten it since its end was stored.
  }

  /** It goes with its ScaledJob, as KEDA's do. */
  orphaned(job: Job): void {
    if (!isFinished(job)) this.#jobs.stop(runId(job));
  }

  #isStarting(run: RunObservation): boolean {
    const state = this.#jobs.states.get(keyText(run.owner));
    return state !== undefined && [...state.jobs.values()].some((job) => !isFinished(job) && isRunOf(job, run.id));
  }
}
