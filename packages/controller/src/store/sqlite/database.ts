import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StoreError } from '@ebb/core';
import { makePrivateFile } from '../../privateFile.ts';
import { type Migration, migrations as allMigrations } from './migrations.ts';

/** Marks the file as Ebb's, so that another program's database is never written to: "Ebb1". */
const applicationId = 0x45626231;
const busyTimeoutMs = 500;

/** The database was written by a newer Ebb. */
export class NewerDatabaseError extends Error {
  constructor(path: string, found: number, known: number) {
    super(
      `${path} was written by a newer Ebb (its format is ${found}, this Ebb knows up to ${known}): ` +
        'run that version, or use another data folder',
    );
    this.name = 'NewerDatabaseError';
  }
}

export interface Connections {
  /** A commit has reached the disk when it returns: documents and epochs. */
  durable: DatabaseSync;
  /** A commit survives the end of the process; a power cut may take back the last ones, never order or form. */
  relaxed: DatabaseSync;
}

/** Opens or makes the file (for the owner only) and brings it to the newest format. Throws `StoreError` and `NewerDatabaseError`. */
export function openDatabase(path: string, migrations: readonly Migration[] = allMigrations): Connections {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // SQLite gives the files beside it (-wal, -shm) the same mode.
  makePrivateFile(path);
  return guarded(path, () => {
    const durable = connect(path, 'FULL');
    try {
      migrate(path, durable, migrations);
      // Cheap because it leaves the journal out; a damaged page there is met when it is read.
      for (const table of ['counters', 'documents', 'state']) check(path, durable, table);
      return { durable, relaxed: connect(path, 'NORMAL') };
    } catch (error) {
      durable.close();
      throw error;
    }
  });
}

function connect(path: string, synchronous: 'FULL' | 'NORMAL'): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs });
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}; PRAGMA trusted_schema = OFF`);
  return database;
}

function migrate(path: string, database: DatabaseSync, migrations: readonly Migration[]): void {
  const id = pragma(database, 'application_id');
  const version = pragma(database, 'user_version');
  const newest = migrations.at(-1)?.version ?? 0;
  if (id !== applicationId && !(id === 0 && version === 0 && isEmpty(database))) {
    throw new StoreError('corrupt', `${path} is the database of another program`);
  }
  if (version > newest) throw new NewerDatabaseError(path, version, newest);
  for (const migration of migrations) {
    if (migration.version <= version) continue;
    database.exec('BEGIN IMMEDIATE');
    try {
      database.exec(migration.sql);
      database.exec(`PRAGMA user_version = ${migration.version}; PRAGMA application_id = ${applicationId}; COMMIT`);
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  }
}

function isEmpty(database: DatabaseSync): boolean {
  return database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
}

function check(path: string, database: DatabaseSync, table: string): void {
  const row = database.prepare(`PRAGMA quick_check(${table})`).get();
  const verdict = row ? Object.values(row)[0] : 'no answer';
  if (verdict !== 'ok') throw new StoreError('corrupt', `${path} is damaged (${table}: ${String(verdict)})`);
}

function pragma(database: DatabaseSync, name: string): number {
  const value = database.prepare(`PRAGMA ${name}`).get()?.[name];
  return typeof value === 'number' ? value : 0;
}

// Primary result codes of SQLite, https://sqlite.org/rescode.html
const resultCodes: Record<number, 'corrupt' | 'locked'> = { 5: 'locked', 6: 'locked', 11: 'corrupt', 26: 'corrupt' };

const advice = {
  corrupt: 'is damaged or not a database: move it away and start again, or put back a copy',
  locked: 'is locked by another program',
};

/** Runs database work and turns what SQLite says about the file itself into a `StoreError` that names it. */
export function guarded<Result>(path: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw explained(path, error);
  }
}

function explained(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return error;
  const code = resultCodes[error.errcode & 0xff];
  if (!code) return new Error(`${path}: ${error.message}`, { cause: error });
  return new StoreError(code, `${path} ${advice[code]} (${error.message})`);
}
