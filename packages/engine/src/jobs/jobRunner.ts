import type { RunObservation } from '@ebb/core';
import type { ScaledJobSpec } from '@ebb/documents';
import type { Job } from './job.ts';
import type { JobOwner } from './jobRecords.ts';
import type { ScaledJobState } from './scaledJobState.ts';

/** How Jobs become runs of the driver: `ProcessRuns` or `TemplateRuns`. */
export interface JobRunner {
  /** What the engine has to know of a template, or why it cannot be run. */
  templateOf(spec: ScaledJobSpec): ScaledJobState['template'];
  /** A Job that an earlier engine has stored; the ScaledJobs of that one are here. */
  stored(job: Job): Promise<void>;
  /** A ScaledJob is here and the driver has said what runs: what is known of its runs is to be observed now. */
  recall(state: ScaledJobState): readonly RunObservation[];
  /** The driver's full list, by id, each of which was observed. */
  listed(runs: ReadonlySet<string>): void;
  /** Takes note of a run. Whose it is; undefined: of nobody who waits for news of it. */
  ownerOf(run: RunObservation): JobOwner | undefined;
  /** From when on a run that is first seen running may take its work. */
  beganAtMs(run: RunObservation): number;
  /** Brings together what a run needs. Resolves with what asks the driver for it; null: this driver runs none. Both throw. */
  prepare(state: ScaledJobState, job: Job, run: string): Promise<(() => Promise<void>) | null>;
  /** It cannot be run as it is; the Job's message says why. */
  refused(state: ScaledJobState, job: Job): void;
  /** What the end of a run makes of its Job. */
  ended(state: ScaledJobState, job: Job, run: RunObservation): void;
  /** Everybody has been told of that end. Resolves once it is safe. */
  settle(job: Job, run: RunObservation): Promise<void>;
  /** The driver knows nothing more of a run that it had. */
  lost(state: ScaledJobState, job: Job): void;
  /** Ends a Job as failed, whatever it does now. */
  end(state: ScaledJobState, job: Job, message: string): void;
  /** A finished Job that is beyond the history; it is forgotten next. */
  outlived(job: Job): void;
  /** A Job whose ScaledJob was deleted; it is forgotten next. */
  orphaned(job: Job): void;
}
