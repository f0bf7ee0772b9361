import {
  type Reading,
  type RunPod,
  type ScaledJobResult,
  type ScaledJobRules,
  scaledJobRules,
  type StoredDocument,
} from '@ebb/core';
import { type JobTemplate, keyText, resolveScaledJob, type ScaledJobSpec } from '@ebb/documents';
import type { TriggerReadings } from '../triggerReadings.ts';
import { EndedUnread } from './endedUnread.ts';
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
  /** By Job, the pods that the driver shows, where it has any. */
  readonly pods: Map<string, RunPod[]>;
  readonly taken: TakenWork;
  readonly endedUnread: EndedUnread;
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

/** Throws when the document is not valid. */
export function newScaledJobState(stored: StoredDocument, reader: TemplateReader): ScaledJobState {
  const key = keyText(stored.key);
  return {
    key,
    journalKey: journalPrefix + key,
    stored,
    ...derivedFrom(stored, reader),
    removed: false,
    triggers: null,
    readAgain: false,
    jobs: new Map(),
    pods: new Map(),
    taken: new TakenWork(),
    endedUnread: new EndedUnread(),
    brake: new FailureBrake(),
    nextPollMs: 0,
    recorded: '',
    last: null,
    problem: '',
  };
}

interface TemplateReader {
  templateOf(spec: ScaledJobSpec): ScaledJobState['template'];
}

/** What follows from the document. Throws when it is not valid. */
export function derivedFrom(
  stored: StoredDocument,
  reader: TemplateReader,
): Pick<ScaledJobState, 'spec' | 'rules' | 'template'> {
  const spec = resolveScaledJob(stored.document);
  return { spec, rules: scaledJobRules(spec), template: reader.templateOf(spec) };
}

export function unfinished(state: ScaledJobState): Job[] {
  return [...state.jobs.values()].filter((job) => !isFinished(job));
}

/**
 * What the last reading said is as old as a second and may still count a message that a Job has done or taken since: the
 * source is asked again before another one is made, and once more where it is answering an earlier question.
 */
export function readAgain(state: ScaledJobState): void {
  if (!state.triggers) return;
  state.readAgain = state.triggers.isReading;
  state.triggers.ask();
}
