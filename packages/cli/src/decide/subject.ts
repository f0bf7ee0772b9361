import {
  type DecisionSpec,
  decisionSpecOf,
  hpaDecisionSpec,
  kedaDecisionSpec,
  type ScaledJobRules,
  scaledJobRules,
  scaledJobTargets,
  TriggerTargetError,
} from '@ebb/core';
import {
  type ParsedDocument,
  parseDocuments,
  problemText,
  resolveHpa,
  resolveScaledJob,
  resolveScaledObject,
  resolveWorkload,
} from '@ebb/documents';
import { triggerTargetsOf } from '@ebb/scalers';
import { LineError } from './lineError.ts';
import type { JobTrigger } from './scaledJob.ts';

/** What a document is decided by. */
export type Subject =
  | { type: 'replicas'; kind: string; name: string; spec: DecisionSpec }
  | { type: 'jobs'; kind: string; name: string; rules: ScaledJobRules; triggers: JobTrigger[] };

/** Kinds that `subjectOf` knows. */
export const decidableKinds = ['Workload', 'HorizontalPodAutoscaler', 'ScaledObject', 'ScaledJob'];

/**
 * The subject of a document that is right by itself; null for kinds that nothing is decided for. Throws a `LineError`
 * where a trigger does not say what it aims at.
 */
export function subjectOf(parsed: ParsedDocument): Subject | null {
  try {
    return resolved(parsed);
  } catch (error) {
    if (error instanceof TriggerTargetError) throw new LineError(error.message);
    throw error;
  }
}

function resolved({ kind, key: { name }, document }: ParsedDocument): Subject | null {
  switch (kind) {
    case 'Workload':
      return { type: 'replicas', kind, name, spec: decisionSpecOf(resolveWorkload(document, { baseDirectory: '/' })) };
    case 'HorizontalPodAutoscaler':
      return { type: 'replicas', kind, name, spec: hpaDecisionSpec(resolveHpa(document)) };
    case 'ScaledObject': {
      const object = resolveScaledObject(document);
      const spec = kedaDecisionSpec(object, { targets: triggerTargetsOf(object.triggers, object.modifiers !== null) });
      return { type: 'replicas', kind, name, spec };
    }
    case 'ScaledJob': {
      const job = resolveScaledJob(document);
      const triggers = scaledJobTargets(job, triggerTargetsOf(job.triggers));
      return { type: 'jobs', kind, name, rules: scaledJobRules(job), triggers };
    }
    default:
      return null;
  }
}

/** Documents kept ready, and characters of their texts together. */
const mostKept = 1000;
const mostKeptCharacters = 16 * 1024 * 1024;

/** Subjects of documents by their text, each read once as long as it is kept: those used last stay. */
export class Subjects {
  readonly #kept = new Map<string, Subject>();
  #characters = 0;

  /** The subject of a document that stands in a line, as an object or as a text of YAML. Throws a `LineError`. */
  of(document: unknown): Subject {
    const text = typeof document === 'string' ? document : (JSON.stringify(document) ?? '');
    const kept = this.#kept.get(text);
    if (kept) {
      this.#kept.delete(text);
      this.#kept.set(text, kept);
      return kept;
    }
    const subject = readSubject(text);
    this.#kept.set(text, subject);
    this.#characters += text.length;
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= mostKept && this.#characters <= mostKeptCharacters) break;
      this.#kept.delete(oldest);
      this.#characters -= oldest.length;
    }
    return subject;
  }

  get size(): number {
    return this.#kept.size;
  }
}

function readSubject(text: string): Subject {
  const { documents, problems } = parseDocuments(text, { file: 'document' });
  const errors = problems.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new LineError(errors.map(problemText).join('\n'));
  const subjects = documents.flatMap((parsed) => subjectOf(parsed) ?? []);
  const [subject] = subjects;
  if (!subject || subjects.length > 1) {
    throw new LineError(`document has ${subjects.length} that can be decided; give one ${decidableKinds.join(', ')}`);
  }
  return subject;
}
