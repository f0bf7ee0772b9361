import type { Store } from '@ebb/core';
import type { Log } from '../../log.ts';
import { integer } from '../rows.ts';
import { type ConnectionTimes, StoreConnection, type StoreHealth } from './connection.ts';
import { PostgresDocumentStore } from './documentStore.ts';
import { StoreAwayError } from './errors.ts';
import { GroupedWrites } from './groupedWrites.ts';
import { PostgresJournalStore } from './journalStore.ts';
import { PostgresLedgerStore } from './ledgerStore.ts';
import { migrate } from './migrate.ts';
import { migrations as allMigrations, type PostgresMigration } from './migrations.ts';
import { withNumbers } from './rows.ts';
import { type PostgresStoreSettings, quoted } from './settings.ts';
import { PostgresStateStore } from './stateStore.ts';

export interface PostgresStore extends Store {
  health(): StoreHealth;
}

export interface PostgresStoreOptions {
  readonly settings: PostgresStoreSettings;
  readonly log: Log;
  readonly times?: ConnectionTimes;
  readonly migrations?: readonly PostgresMigration[];
  /** How long a database that is away is waited for; left out: for ever. */
  readonly openWithinMs?: number;
  /** Called as soon as there is something to tell about the connection. */
  readonly onHealth?: (health: () => StoreHealth) => void;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
}

/** Who takes over waits so long for a database that is away, then gives up. */
const takeOverWithinMs = 20_000;
/** What was read ahead at take-over is kept no longer. */
const preloadedMs = 60_000;

/**
 * The store in a schema of a PostgreSQL database, which several processes may open: only the one that took the newest epoch writes.
 * What a promise has resolved for is committed. While the database is away every call fails soon and says so.
 * Waits for a database that cannot be reached yet; throws `StoreError`, `NewerSchemaError` and `DatabaseError` (a refused password, a
 * right that is missing) for one that cannot be used.
 */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<PostgresStore> {
  const { settings, log, times, migrations = allMigrations, openWithinMs = Infinity, signal } = options;
  const { schema } = settings;
  const connection = new StoreConnection(settings, log, times);
  options.onHealth?.(() => connection.health());
  try {
    await patiently(connection, openWithinMs, signal, () => migrate(connection, schema, migrations));
  } catch (error) {
    await connection.close();
    throw error;
  }
  const group = new GroupedWrites(connection, schema);
  const state = new PostgresStateStore(connection, group);
  let forget: NodeJS.Timeout | undefined;
  return {
    documents: new PostgresDocumentStore(connection, schema),
    journal: new PostgresJournalStore(group),
    ledger: new PostgresLedgerStore(group),
    state,
    async takeEpoch() {
      const epoch = await patiently(connection, takeOverWithinMs, signal, () => nextEpoch(connection, schema));
      group.setEpoch(epoch);
      await state.preload();
      clearTimeout(forget);
      forget = setTimeout(() => state.forgetPreloaded(), preloadedMs);
      forget.unref();
      return epoch;
    },
    health: () => connection.health(),
    async close() {
      clearTimeout(forget);
      await group.flush();
      await connection.close();
    },
  };
}

async function nextEpoch(connection: StoreConnection, schema: string): Promise<number> {
  const sql = `UPDATE ${quoted(schema)}.leader SET epoch = epoch + 1, last_write = 0 RETURNING epoch`;
  const [row] = await connection.run((client) => client.unsafe(sql));
  return integer(withNumbers(row ?? {}), 'epoch');
}

/** Tries again for as long as nothing but the absence of the database is in the way. */
async function patiently<Result>(
  connection: StoreConnection,
  withinMs: number,
  signal: AbortSignal | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  const beganMs = performance.now();
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const isOver = performance.now() - beganMs >= withinMs || signal?.aborted === true;
      if (!(error instanceof StoreAwayError) || isOver) throw error;
      await pause(connection.waitMs() + 1, signal);
    }
  }
}

function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, delayMs);
    signal?.addEventListener('abort', done);
  });
}
