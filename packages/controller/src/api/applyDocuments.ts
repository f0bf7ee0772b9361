import { decisionProblems, type StoredDocument } from '@ebb/core';
import {
  checkBatch,
  type ObjectKey,
  type ParsedDocument,
  parseDocuments,
  placementProblems,
  placesOf,
  type Problem,
  problemText,
} from '@ebb/documents';
import { ApplyError, type ApplyInput } from '@ebb/engine';
import { triggerProblems } from '@ebb/scalers';
import type { ApiContext } from './context.ts';
import { ApiProblem } from './errors.ts';

export interface DocumentText {
  text: string;
  /** File that it came from, or null. An absolute path is what relative directories in it are resolved against. */
  origin: string | null;
}

export interface AppliedObject extends ObjectKey {
  kind: string;
  action: 'created' | 'configured' | 'unchanged';
  /** Null for what a dry run would create. */
  resourceVersion: string | null;
  generation: number | null;
}

export interface ApplyAnswer {
  dryRun: boolean;
  outcomes: AppliedObject[];
  warnings: Problem[];
}

/** A batch that is right by itself and within itself. */
export interface Batch {
  documents: ParsedDocument[];
  warnings: Problem[];
  origin: string | null;
}

/** Reads and checks the text. Throws `invalid-documents` with every problem. */
export function readBatch({ text, origin }: DocumentText): Batch {
  const { documents, problems } = parseDocuments(text, { file: origin ?? '<api>', allowForeign: true });
  const ofTriggers = (document: ParsedDocument) => triggerProblems(document, documents);
  const between = problems.some(isError)
    ? []
    : [...documents.flatMap(decisionProblems), ...documents.flatMap(ofTriggers), ...checkBatch(documents)];
  const all = [...problems, ...between];
  if (all.some(isError)) throw refusal(all);
  if (documents.length === 0) throw new ApiProblem('bad-request', 'the body has no document');
  return { documents, warnings: all, origin };
}

/** Applies all documents of the batch, or none. */
export async function applyBatch(
  { engine }: Pick<ApiContext, 'engine'>,
  batch: Batch,
  expectedVersion?: number,
): Promise<{ answer: ApplyAnswer; stored: StoredDocument[] }> {
  const inputs = batch.documents.map(
    ({ apiVersion, kind, key, document }): ApplyInput => ({
      apiVersion,
      kind,
      key,
      document,
      origin: batch.origin,
      ...(expectedVersion === undefined ? {} : { expectedVersion }),
    }),
  );
  const outcomes = await engine.apply(inputs).catch((error: unknown) => {
    throw error instanceof ApplyError ? applyProblem(error, batch.documents) : error;
  });
  return {
    answer: {
      dryRun: false,
      outcomes: outcomes.map(({ kind, action, stored }) => appliedObject(kind, stored.key, action, stored)),
      warnings: batch.warnings,
    },
    stored: outcomes.map(({ stored }) => stored),
  };
}

/** What `applyBatch` would answer, also against what is stored; changes nothing. */
export async function previewBatch({ store }: Pick<ApiContext, 'store'>, batch: Batch): Promise<ApplyAnswer> {
  const present = await store.documents.list();
  const named = new Set(batch.documents.map(identity));
  const others = present.filter((stored) => !named.has(identity(stored))).flatMap(readStored);
  const all = [...others, ...batch.documents];
  const elsewhere = placementProblems(batch.documents, placesOf(all, false), 'error');
  const problems = [...checkBatch(all), ...elsewhere];
  if (problems.some(isError)) throw refusal(problems);
  const byIdentity = new Map(present.map((stored) => [identity(stored), stored]));
  const outcomes = batch.documents.map((document) => {
    const found = byIdentity.get(identity(document)) ?? null;
    const action = !found ? 'created' : isSame(found, document, batch.origin) ? 'unchanged' : 'configured';
    return appliedObject(document.kind, document.key, action, found);
  });
  return { dryRun: true, outcomes, warnings: batch.warnings };
}

function readStored(stored: StoredDocument): ParsedDocument[] {
  return parseDocuments(JSON.stringify(stored.document), { file: stored.origin ?? '<stored>' }).documents;
}

/** The engine's own measure of "nothing to do". */
function isSame(found: StoredDocument, document: ParsedDocument, origin: string | null): boolean {
  return found.origin === origin && JSON.stringify(found.document) === JSON.stringify(document.document);
}

function identity({ kind, key }: { kind: string; key: ObjectKey }): string {
  return `${kind} ${key.cluster}/${key.namespace}/${key.name}`;
}

function appliedObject(
  kind: string,
  key: ObjectKey,
  action: AppliedObject['action'],
  stored: StoredDocument | null,
): AppliedObject {
  const { resourceVersion = null, generation = null } = stored ?? {};
  return {
    kind,
    ...key,
    action,
    resourceVersion: resourceVersion === null ? null : String(resourceVersion),
    generation,
  };
}

/** What the engine refused, at its place in the text. */
function applyProblem(error: ApplyError, documents: readonly ParsedDocument[]): ApiProblem {
  if (error.code === 'conflict') return new ApiProblem('conflict', error.message, { cause: error });
  const document = documents[error.index];
  const place = document?.placeOf(error.path) ?? { line: 1, column: 1 };
  return refusal([
    {
      severity: 'error',
      code: error.code,
      message: error.message,
      file: document?.file ?? '<api>',
      line: place.line,
      column: place.column,
      path: error.path,
    },
  ]);
}

export function refusal(problems: Problem[]): ApiProblem {
  const errors = problems.filter(isError);
  const [first] = errors;
  const rest = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  const detail = first ? `${problemText(first).split('\n')[0] ?? ''}${rest}` : 'the documents are refused';
  return new ApiProblem('invalid-documents', detail, { problems });
}

function isError({ severity }: Problem): boolean {
  return severity === 'error';
}
