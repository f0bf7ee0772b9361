import type { DatabaseSync } from 'node:sqlite';
import { type DocumentStore, type StoredDocument, StoreError } from '@ebb/core';
import { keyText, type ObjectKey } from '@ebb/documents';
import type { Counters } from './counters.ts';
import { guarded } from './database.ts';
import { integer, json, text, textOrNull } from './rows.ts';

/** Documents as users wrote them. Every write has reached the disk when its promise resolves. */
export class SqliteDocumentStore implements DocumentStore {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #counters: Counters;
  readonly #statements;

  constructor(path: string, database: DatabaseSync, counters: Counters) {
    this.#path = path;
    this.#database = database;
    this.#counters = counters;
    const key = 'kind = ? AND cluster = ? AND namespace = ? AND name = ?';
    this.#statements = {
      get: database.prepare(`SELECT * FROM documents WHERE ${key}`),
      list: database.prepare('SELECT * FROM documents ORDER BY kind, cluster, namespace, name'),
      listKind: database.prepare('SELECT * FROM documents WHERE kind = ? ORDER BY cluster, namespace, name'),
      delete: database.prepare(`DELETE FROM documents WHERE ${key}`),
      put: database.prepare(
        `INSERT OR REPLACE INTO documents
           (kind, cluster, namespace, name, apiVersion, document, origin, resourceVersion, generation, createdAtMs)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ),
    };
  }

  async put(input: Parameters<DocumentStore['put']>[0]): Promise<StoredDocument> {
    const { expectedVersion, atMs, epoch, ...rest } = input;
    const written = JSON.stringify(rest.document);
    return this.#transaction(() => {
      this.#counters.checkEpoch(epoch);
      const found = this.#find(rest.kind, rest.key);
      checkVersion(rest.kind, rest.key, found, expectedVersion);
      const document: unknown = JSON.parse(written);
      const stored: StoredDocument = {
        ...rest,
        document,
        resourceVersion: this.#counters.next('resourceVersion'),
        generation: found ? found.generation + (haveSameSpec(found.document, document) ? 0 : 1) : 1,
        createdAtMs: found?.createdAtMs ?? atMs,
      };
      this.#statements.put.run(
        ...keyColumns(stored.kind, stored.key),
        stored.apiVersion,
        written,
        stored.origin,
        stored.resourceVersion,
        stored.generation,
        stored.createdAtMs,
      );
      return stored;
    });
  }

  async get(kind: string, key: ObjectKey): Promise<StoredDocument | null> {
    return guarded(this.#path, () => this.#find(kind, key));
  }

  async list(kind?: string): Promise<StoredDocument[]> {
    const { list, listKind } = this.#statements;
    return guarded(this.#path, () => (kind === undefined ? list.all() : listKind.all(kind)).map(documentOf));
  }

  async delete(
    kind: string,
    key: ObjectKey,
    { expectedVersion, epoch }: { expectedVersion?: number; epoch: number },
  ): Promise<StoredDocument | null> {
    return this.#transaction(() => {
      this.#counters.checkEpoch(epoch);
      const found = this.#find(kind, key);
      if (!found) return null;
      checkVersion(kind, key, found, expectedVersion);
      this.#statements.delete.run(...keyColumns(kind, key));
      return found;
    });
  }

  #find(kind: string, key: ObjectKey): StoredDocument | null {
    const row = this.#statements.get.get(...keyColumns(kind, key));
    return row ? documentOf(row) : null;
  }

  #transaction<Result>(work: () => Result): Result {
    return guarded(this.#path, () => {
      this.#database.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        this.#database.exec('COMMIT');
        return result;
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
        throw error;
      }
    });
  }
}

function keyColumns(kind: string, { cluster, namespace, name }: ObjectKey): [string, string, string, string] {
  return [kind, cluster, namespace, name];
}

function documentOf(row: Record<string, unknown>): StoredDocument {
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
function checkVersion(kind: string, key: ObjectKey, found: StoredDocument | null, expected: number | undefined): void {
  if (expected === undefined || (found?.resourceVersion ?? 0) === expected) return;
  const now = found ? `is at version ${found.resourceVersion}` : 'does not exist';
  throw new StoreError('conflict', `${kind} ${keyText(key)} ${now}, not at version ${expected}`);
}

function haveSameSpec(left: unknown, right: unknown): boolean {
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
