import { StoreError } from '@ebb/core';
import type { Sql } from '@ebb/scalers';
import { integer } from '../rows.ts';
import type { StoreConnection } from './connection.ts';
import { NewerSchemaError } from './errors.ts';
import type { PostgresMigration } from './migrations.ts';
import { withNumbers } from './rows.ts';
import { quoted } from './settings.ts';

/** Any number, the same in every Ebb: "Ebb1" in ASCII. */
const advisoryLock = 0x45626231;
const migrateMs = 120_000;

/**
 * Makes the schema or brings it to the newest format, as a whole or not at all; of several that begin at once, one does and the others
 * wait. Throws `StoreError` (`corrupt`) where the schema is another program's, and `NewerSchemaError`.
 */
export function migrate(
  connection: StoreConnection,
  schema: string,
  migrations: readonly PostgresMigration[],
): Promise<void> {
  const name = quoted(schema);
  return connection.run(async (client) => {
    await client.begin(async (transaction) => {
      await transaction.unsafe(`SELECT pg_advisory_xact_lock(${advisoryLock}, hashtext('${schema}'))`);
      const [found] = await transaction.unsafe(
        `SELECT to_regclass('${name}.migrations') IS NOT NULL AS ours,
                EXISTS (SELECT FROM pg_namespace WHERE nspname = '${schema}') AS "isThere",
                EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = '${schema}') AS "isUsed"`,
      );
      const { ours, isThere, isUsed }: Record<string, unknown> = found ?? {};
      if (!ours && isUsed) throw new StoreError('corrupt', `${connection.place} is used by another program`);
      if (!isThere) await transaction.unsafe(`CREATE SCHEMA ${name}`);
      if (!ours) {
        await transaction.unsafe(
          `CREATE TABLE ${name}.migrations (version integer PRIMARY KEY, name text NOT NULL, done_at timestamptz NOT NULL DEFAULT now())`,
        );
      }
      await bring(transaction, connection.place, name, migrations);
    });
  }, migrateMs);
}

async function bring(
  transaction: Pick<Sql, 'unsafe'>,
  place: string,
  name: string,
  migrations: readonly PostgresMigration[],
): Promise<void> {
  const [row] = await transaction.unsafe(`SELECT coalesce(max(version), 0) AS version FROM ${name}.migrations`);
  const version = integer(withNumbers(row ?? {}), 'version');
  const newest = migrations.at(-1)?.version ?? 0;
  if (version > newest) throw new NewerSchemaError(place, version, newest);
  for (const migration of migrations) {
    if (migration.version <= version) continue;
    await transaction.unsafe(migration.sql(name));
    await transaction.unsafe(`INSERT INTO ${name}.migrations (version, name) VALUES ($1::int, $2)`, [
      String(migration.version),
      migration.name,
    ]);
  }
}
