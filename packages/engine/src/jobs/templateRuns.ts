import type { RunObservation } from '@ebb/core';
import { type JobTemplate, keyText } from '@ebb/documents';
import { endOf } from './decideJobs.ts';
import { isFinished, type Job } from './job.ts';
import type { JobOwner, JobRecords } from './jobRecords.ts';
import type { JobRunner } from './jobRunner.ts';
import { readAgain, type ScaledJobState } from './scaledJobState.ts';

/** A Job that was asked for and that nobody has shown since is asked for again within this, by the same id. */
const askAgainWithinMs = 60_000;

/**
 * Jobs that the driver runs by their whole template. Each is asked for once: the driver tries again, lists it with what others
 * have made, and is the one that keeps it. The engine's own store has those alone that it has not shown yet.
 */
export class TemplateRuns implements JobRunner {
  readonly #jobs: JobRecords;
  /** By the key of its document, the latest news of each run. */
  readonly #seen = new Map<string, Map<string, RunObservation>>();
  /** Stored by an earlier engine; whether the driver has them is seen once their document is here. */
  readonly #stored = new Map<string, Job[]>();

  constructor(jobs: JobRecords) {
    this.#jobs = jobs;
  }

  templateOf(): JobTemplate {
    return wholeTemplate;
  }

  async stored(job: Job): Promise<void> {
    const owner = keyText(job.owner);
    this.#stored.set(owner, [...(this.#stored.get(owner) ?? []), job]);
  }

  recall(state: ScaledJobState): readonly RunObservation[] {
    const nowMs = this.#jobs.context.ports.clock.nowMs();
    const seen = this.#seen.get(state.key);
    const stored = this.#stored.get(state.key) ?? [];
    this.#stored.delete(state.key);
    for (const job of stored) {
      // The request may have been on its way.
      const isDue = !seen?.has(job.id) && nowMs - job.createdAtMs < askAgainWithinMs;
      if (!isDue) this.#jobs.drop(job);
      else if (!state.jobs.has(job.id)) state.jobs.set(job.id, { ...job, phase: 'waiting', retryAtMs: nowMs });
    }
    return [...(seen?.values() ?? [])];
  }

  listed(): void {
    // What is gone is told of each by itself.
  }

  ownerOf(run: RunObservation): JobOwner | undefined {
    this.#note(run);
    const owner = this.#jobs.runs.get(run.id) ?? this.#adopted(run);
    if (!owner) return undefined;
    const { state, job } = owner;
    // The driver keeps it from now on.
    job.retryAtMs = null;
    state.pods.set(job.id, run.pods ?? []);
    this.#jobs.drop(job);
    return owner;
  }

  /** The run is as old as its object: its pod may have waited for long before it began, unseen by an earlier engine too. */
  beganAtMs(): number {
    return this.#jobs.context.ports.clock.nowMs();
  }

  async prepare({ stored, pods, jobs }: ScaledJobState, job: Job, run: string): Promise<(() => Promise<void>) | null> {
    const { driver } = this.#jobs.context.ports;
    return async () => {
      await driver.runTemplate?.({ id: run, document: stored });
      // It was shown while it was asked for.
      if (pods.has(job.id) || !jobs.has(job.id)) this.#jobs.drop(job);
    };
  }

  /** There is no Job that could stay for people to look at. */
  refused(state: ScaledJobState, job: Job): void {
    const { id, message } = job;
    this.#jobs.context.journal.record('outcome', state.journalKey, { type: 'job-refused', job: id, message });
    this.#jobs.forget(state, job);
  }

  ended(_state: ScaledJobState, job: Job, run: RunObservation): void {
    const { exitCode, message } = run;
    const endedAtMs = run.endedAtMs ?? this.#jobs.context.ports.clock.nowMs();
    const failures = run.phase === 'failed' ? 1 : 0;
    Object.assign(job, { phase: run.phase, failures, endedAtMs, retryAtMs: null, exitCode, message });
  }

  async settle(): Promise<void> {
    // It stays where it is, over restarts too.
  }

  /** Deleted by people or by its time to live: the sources say whether its work is still to be done. */
  lost(state: ScaledJobState, job: Job): void {
    if (isFinished(job)) return;
    const { context } = this.#jobs;
    context.journal.record('outcome', state.journalKey, { type: 'job-gone', job: job.id });
    context.feed.changed(state.journalKey, true);
    endOf(state, job, context.ports.clock.nowMs())();
    state.taken.ended(job.id, context.ports.clock.nowMs());
    this.#jobs.forget(state, job);
    if (state.spec.improvements) readAgain(state);
  }

  end(state: ScaledJobState, job: Job, message: string): void {
    this.#jobs.failed(state, job, message);
    this.#jobs.drop(job);
    if (job.attempts > 0) this.#jobs.stop(job.id);
  }

  outlived(job: Job): void {
    this.#jobs.stop(job.id);
  }

  orphaned(): void {
    // An object of its own: whoever deletes what it belongs to deletes it.
  }

  #note(run: RunObservation): void {
    const owner = keyText(run.owner);
    const runs = this.#seen.get(owner) ?? new Map<string, RunObservation>();
    if (run.phase === 'gone') runs.delete(run.id);
    else runs.set(run.id, run);
    if (runs.size === 0) this.#seen.delete(owner);
    else this.#seen.set(owner, runs);
  }

  /** A Job that this engine has not asked for, or one that has ended; what has gone is forgotten. */
  #adopted(run: RunObservation): JobOwner | undefined {
    const { states, runs, context } = this.#jobs;
    const state = states.get(keyText(run.owner));
    if (!state || state.removed) return undefined;
    const known = state.jobs.get(run.id);
    if (known && run.phase === 'gone') this.#jobs.forget(state, known);
    if (run.phase === 'gone' || (known && isFinished(known))) return undefined;
    const job = known ?? adoptedJob(run, state.stored.generation, context.ports.clock.nowMs());
    state.jobs.set(job.id, job);
    if (isFinished(job)) return undefined;
    const found = { state, job };
    runs.set(run.id, found);
    if (known) return found;
    context.journal.record('outcome', state.journalKey, { type: 'job-adopted', job: job.id, phase: run.phase });
    const isOld = run.generation !== undefined && run.generation !== state.stored.generation;
    if (!isOld || run.phase === 'stopping' || state.spec.rollout.strategy !== 'immediate') return found;
    this.end(state, job, 'replaced: the document was changed');
    return undefined;
  }
}

/** What the engine has to know of a template that is run as a whole: nothing of it is its affair. */
const wholeTemplate: JobTemplate = {
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

/** A Job that others have made, or an earlier engine. One that runs is said to by the news of it, as any other. */
function adoptedJob(run: RunObservation, generation: number, nowMs: number): Job {
  const isOver = run.phase === 'succeeded' || run.phase === 'failed';
  return {
    id: run.id,
    owner: run.owner,
    generation: run.generation ?? generation,
    createdAtMs: run.startedAtMs,
    phase: run.phase === 'succeeded' || run.phase === 'failed' ? run.phase : 'waiting',
    attempts: 1,
    failures: run.phase === 'failed' ? 1 : 0,
    startedAtMs: run.phase === 'starting' ? null : run.startedAtMs,
    endedAtMs: isOver ? (run.endedAtMs ?? nowMs) : null,
    retryAtMs: null,
    exitCode: run.exitCode,
    message: run.message,
  };
}
