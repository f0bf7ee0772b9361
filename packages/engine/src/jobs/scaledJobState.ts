import {
  type Reading,
  type ScaledJobResult,
  type ScaledJobRules,
  scaledJobRules,
  type StoredDocument,
} from '@ebb/core';
import { type JobTemplate, keyText, resolveJobTemplate, resolveScaledJob, type ScaledJobSpec } from '@ebb/documents';
import type { TriggerReadings } from '../triggerReadings.ts';
import { FailureBrake } from './failureBrake.ts';
import { isFinished, type Job } from './job.ts';
import { TakenWork } from './taken.ts';

/** Everything the engine has in mind about one ScaledJob. */
export interface ScaledJobState {
  /** Name in the journal: workloads have theirs without the first part. */
  readonly journalKey: string;
  readonly key: string;
  stored: StoredDocument;
  spec: ScaledJobSpec;
  rules: ScaledJobRules;
  /** Or why no process can be made from it. */
  template: JobTemplate | { problem: string };
  removed: boolean;
  triggers: TriggerReadings | null;
  /** A Job has ended since the sources were last asked: they are asked once more. */
  readAgain: boolean;
  /** All that are not forgotten, by id. */
  readonly jobs: Map<string, Job>;
  readonly taken: TakenWork;
  /** Of no meaning where KEDA's own polling is followed. */
  readonly brake: FailureBrake;
  /** When the sources are asked next. */
  nextPollMs: number;
  /** Last result that was recorded, as text. */
  recorded: string;
  last: { result: ScaledJobResult; readings: Reading[]; atMs: number } | null;
  /** Why the last Job could not be made; empty: it could. */
  problem: string;
}

/** Before a ScaledJob's key in the journal and in `watch`, where workloads have theirs alone. */
export const journalPrefix = 'scaledjob/';

export function newScaledJobState(stored: StoredDocument): ScaledJobState {
  const key = keyText(stored.key);
  return {
    key,
    journalKey: journalPrefix + key,
    stored,
    ...derivedFrom(stored),
    removed: false,
    triggers: null,
    readAgain: false,
    jobs: new Map(),
    taken: new TakenWork(),
    brake: new FailureBrake(),
    nextPollMs: 0,
    recorded: '',
    last: null,
    problem: '',
  };
}

/** What follows from the document. Throws when it is not valid. */
export function derivedFrom(stored: StoredDocument): Pick<ScaledJobState, 'spec' | 'rules' | 'template'> {
  const spec = resolveScaledJob(stored.document);
  return { spec, rules: scaledJobRules(spec), template: templateOf(spec) };
}

function templateOf(spec: ScaledJobSpec): ScaledJobState['template'] {
  try {
    return resolveJobTemplate(spec.jobTemplate, spec.envSourceContainerName);
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

export function unfinished(state: ScaledJobState): Job[] {
  return [...state.jobs.values()].filter((job) => !isFinished(job));
}
