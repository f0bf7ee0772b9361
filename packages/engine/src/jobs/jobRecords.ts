import type { EngineContext } from '../context.ts';
import { isStaleEpoch } from '../context.ts';
import { messageOf } from '../replicaActions.ts';
import { type Job, runId } from './job.ts';
import { JobBook } from './jobBook.ts';
import type { ScaledJobState } from './scaledJobState.ts';

export interface JobOwner {
  readonly state: ScaledJobState;
  readonly job: Job;
}

/** All ScaledJobs with their Jobs and runs: what the engine has in mind of them, has stored and asks of the driver. */
export class JobRecords {
  readonly context: EngineContext;
  readonly book: JobBook;
  /** By object key. */
  readonly states = new Map<string, ScaledJobState>();
  /** By run id: whose it is. */
  readonly runs = new Map<string, JobOwner>();
  /** The driver has said what runs. */
  isListed = false;

  constructor(context: EngineContext) {
    this.context = context;
    this.book = new JobBook(context.ports.store.state, context.options.epoch);
  }

  /** A Job has failed for good, whatever it does now. */
  failed(state: ScaledJobState, job: Job, message: string): void {
    const { ports, journal, feed } = this.context;
    const id = runId(job);
    this.runs.delete(id);
    state.taken.ended(id, ports.clock.nowMs());
    Object.assign(job, { phase: 'failed', endedAtMs: ports.clock.nowMs(), retryAtMs: null, message });
    journal.record('outcome', state.journalKey, { type: 'job-ended', job: job.id, message });
    feed.changed(state.journalKey, true);
  }

  forget(state: ScaledJobState, job: Job): void {
    state.jobs.delete(job.id);
    state.pods.delete(job.id);
    this.runs.delete(runId(job));
    this.drop(job);
  }

  /** Stores a Job as it is now. Never rejects. */
  async keep(job: Job): Promise<void> {
    try {
      await this.book.save(job);
    } catch (error) {
      if (isStaleEpoch(error)) this.context.deposed();
      else this.context.ports.log('warn', 'a Job could not be stored', { job: job.id, error: messageOf(error) });
    }
  }

  /** It is stored no longer. */
  drop(job: Job): void {
    this.book.drop(job).catch((error: unknown) => {
      this.context.ports.log('warn', 'a finished Job is still stored', { job: job.id, error: messageOf(error) });
    });
  }

  stop(run: string): void {
    const { ports } = this.context;
    ports.driver.stop(run).catch((error: unknown) => {
      // It is in the next list again.
      ports.log('warn', 'a run could not be stopped', { run, error: messageOf(error) });
    });
  }
}
