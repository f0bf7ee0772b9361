import type { DocumentStore, StoredDocument } from '@ebb/core';
import type { ObjectKey } from '@ebb/documents';
import type { Sql } from '@ebb/scalers';
import { checkVersion, documentOf, haveSameSpec } from '../documentRules.ts';
import { integer } from '../rows.ts';
import type { StoreConnection } from './connection.ts';
import { replaced } from './groupedWrites.ts';
import { selectRows, withNumbers } from './rows.ts';
import { quoted } from './settings.ts';

const columns = `kind, cluster, namespace, name, api_version AS "apiVersion", document, origin,
  resource_version AS "resourceVersion", generation, created_at_ms AS "createdAtMs"`;
const byKey = 'kind = $1 AND cluster = $2 AND namespace = $3 AND name = $4';

/** A transaction of the client, as far as it is used here. */
type Transaction = Pick<Sql, 'unsafe'>;

/** Documents as users wrote them. A write is committed when its promise resolves. */
export class PostgresDocumentStore implements DocumentStore {
  readonly #connection: StoreConnection;
  readonly #schema: string;

  constructor(connection: StoreConnection, schema: string) {
    this.#connection = connection;
    this.#schema = quoted(schema);
  }

  async put(input: Parameters<DocumentStore['put']>[0]): Promise<StoredDocument> {
    const { expectedVersion, atMs, epoch, ...rest } = input;
    const written = JSON.stringify(rest.document);
    return this.#transaction(epoch, async (transaction, resourceVersion) => {
      const found = await this.#find(transaction, rest.kind, rest.key);
      checkVersion(rest.kind, rest.key, found, expectedVersion);
      const document: unknown = JSON.parse(written);
      const stored: StoredDocument = {
        ...rest,
        document,
        resourceVersion: resourceVersion + 1,
        generation: found ? found.generation + (haveSameSpec(found.document, document) ? 0 : 1) : 1,
        createdAtMs: found?.createdAtMs ?? atMs,
      };
      await transaction.unsafe(
        `INSERT INTO ${this.#schema}.documents
           (kind, cluster, namespace, name, api_version, document, origin, resource_version, generation, created_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (kind, cluster, namespace, name) DO UPDATE SET
           api_version = excluded.api_version, document = excluded.document, origin = excluded.origin,
           resource_version = excluded.resource_version, generation = excluded.generation`,
        [
          ...keyColumns(stored.kind, stored.key),
          ...[stored.apiVersion, written, stored.origin],
          ...[stored.resourceVersion, stored.generation, stored.createdAtMs].map(String),
        ],
      );
      await transaction.unsafe(`UPDATE ${this.#schema}.leader SET resource_version = resource_version + 1`);
      return stored;
    });
  }

  async get(kind: string, key: ObjectKey): Promise<StoredDocument | null> {
    const sql = `SELECT ${columns} FROM ${this.#schema}.documents WHERE ${byKey}`;
    const [row] = await selectRows(this.#connection, sql, keyColumns(kind, key));
    return row ? documentOf(row) : null;
  }

  async list(kind?: string): Promise<StoredDocument[]> {
    const where = kind === undefined ? '' : 'WHERE kind = $1';
    const rows = await selectRows(
      this.#connection,
      `SELECT ${columns} FROM ${this.#schema}.documents ${where} ORDER BY kind, cluster, namespace, name`,
      kind === undefined ? [] : [kind],
    );
    return rows.map(documentOf);
  }

  async delete(
    kind: string,
    key: ObjectKey,
    { expectedVersion, epoch }: { expectedVersion?: number; epoch: number },
  ): Promise<StoredDocument | null> {
    return this.#transaction(epoch, async (transaction) => {
      const found = await this.#find(transaction, kind, key);
      if (!found) return null;
      checkVersion(kind, key, found, expectedVersion);
      await transaction.unsafe(`DELETE FROM ${this.#schema}.documents WHERE ${byKey}`, keyColumns(kind, key));
      return found;
    });
  }

  async #find(transaction: Transaction, kind: string, key: ObjectKey): Promise<StoredDocument | null> {
    const sql = `SELECT ${columns} FROM ${this.#schema}.documents WHERE ${byKey}`;
    const [row] = await transaction.unsafe(sql, keyColumns(kind, key));
    return row ? documentOf(withNumbers(row)) : null;
  }

  /** With the leader's row locked: nobody else writes, and nobody takes over, before the end of it. */
  #transaction<Result>(
    epoch: number,
    work: (transaction: Transaction, resourceVersion: number) => Promise<Result>,
  ): Promise<Result> {
    return this.#connection.run(async (client) => {
      let result: { value: Result } | null = null;
      await client.begin(async (transaction) => {
        const [leader] = await transaction.unsafe(
          `SELECT epoch, resource_version AS "resourceVersion" FROM ${this.#schema}.leader FOR UPDATE`,
        );
        const row = withNumbers(leader ?? {});
        const newest = integer(row, 'epoch');
        if (epoch < newest) throw replaced(epoch, newest);
        result = { value: await work(transaction, integer(row, 'resourceVersion')) };
      });
      return (result as unknown as { value: Result }).value;
    });
  }
}

function keyColumns(kind: string, { cluster, namespace, name }: ObjectKey): [string, string, string, string] {
  return [kind, cluster, namespace, name];
}
