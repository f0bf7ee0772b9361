import type { DatabaseSync } from 'node:sqlite';
import type { DocumentStore, StoredDocument } from '@ebb/core';
import type { ObjectKey } from '@ebb/documents';
import type { Counters } from './counters.ts';
import { guarded } from './database.ts';
import { checkVersion, documentOf, haveSameSpec } from '../documentRules.ts';

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
