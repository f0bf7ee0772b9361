import { type StoredDocument, StoreError } from '@ebb/core';
import { keyText, type ObjectKey } from '@ebb/documents';
import { integer, json, text, textOrNull } from './rows.ts';

/** A row of the table of documents, whatever the database. */
export function documentOf(row: Record<string, unknown>): StoredDocument {
  return {
    kind: text(row, 'kind'),
    key: { cluster: text(row, 'cluster'), namespace: text(row, 'namespace'), name: text(row, 'name') },
    apiVersion: text(row, 'apiVersion'),
    document: json(row, 'document'),
    origin: textOrNull(row, 'origin'),
    resourceVersion: integer(row, 'resourceVersion'),
    generation: integer(row, 'generation'),
    createdAtMs: integer(row, 'createdAtMs'),
  };
}

/** An expected version of 0 means: there must be none yet. */
export function checkVersion(
  kind: string,
  key: ObjectKey,
  found: StoredDocument | null,
  expected: number | undefined,
): void {
  if (expected === undefined || (found?.resourceVersion ?? 0) === expected) return;
  const now = found ? `is at version ${found.resourceVersion}` : 'does not exist';
  throw new StoreError('conflict', `${kind} ${keyText(key)} ${now}, not at version ${expected}`);
}

/** Whether two documents differ in nothing that raises the generation. */
export function haveSameSpec(left: unknown, right: unknown): boolean {
  return sortedJson(specOf(left)) === sortedJson(specOf(right));
}

function specOf(document: unknown): unknown {
  return typeof document === 'object' && document !== null && 'spec' in document ? document.spec : null;
}

/** JSON with the fields of every map in one order: the order in which a person writes them means nothing. */
function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_name, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([left], [right]) => (left < right ? -1 : 1)))
      : inner,
  );
}
