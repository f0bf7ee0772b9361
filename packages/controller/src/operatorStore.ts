import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Store } from '@ebb/core';
import { type LiveClock, liveClock } from './clock.ts';
import { readClockFloor } from './clockFloor.ts';
import type { Log } from './log.ts';
import type { StoreHealth } from './store/postgres/connection.ts';
import { openPostgresStore } from './store/postgres/openPostgresStore.ts';
import type { PostgresStoreSettings } from './store/postgres/settings.ts';
import { openSqliteStore } from './store/sqlite/openSqliteStore.ts';

export interface OperatorStoreOptions {
  /** A database that several operators share; null: a file in the data directory, for one. */
  readonly postgres: PostgresStoreSettings | null;
  readonly dataDirectory: string;
  readonly log: Log;
  /** Ends the waiting for a database that is away. */
  readonly signal?: AbortSignal;
}

export interface OperatorStore {
  readonly store: Store;
  readonly clock: LiveClock;
}

/** What there is to tell of the store's connection: empty where all is well, or where the store is a file. */
export class StoreTold {
  #health: (() => StoreHealth) | null = null;

  follow(health: () => StoreHealth): void {
    this.#health = health;
  }

  text(): string {
    const { state, forMs, message } = this.#health?.() ?? { state: 'there', forMs: 0, message: '' };
    if (state === 'there') return '';
    const since = `for ${Math.round(forMs / 1000)} s`;
    return state === 'away' ? `the store is away ${since}: ${message}\n` : `the store is being connected to ${since}\n`;
  }
}

/**
 * The store of journal, ledger and state, and Ebb's time, which goes on from the latest moment that the store knows of: also where
 * another operator has written it since, on a machine whose clock is ahead.
 */
export async function openOperatorStore(options: OperatorStoreOptions, told: StoreTold): Promise<OperatorStore> {
  const opened = await open(options, told);
  try {
    const clock = liveClock(await readClockFloor(opened));
    const store: Store = {
      documents: opened.documents,
      journal: opened.journal,
      ledger: opened.ledger,
      state: opened.state,
      async takeEpoch() {
        const epoch = await opened.takeEpoch();
        clock.raise(await readClockFloor(opened));
        return epoch;
      },
      close: () => opened.close(),
    };
    return { store, clock };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

function open({ postgres, dataDirectory, log, signal }: OperatorStoreOptions, told: StoreTold): Promise<Store> {
  if (!postgres) {
    mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
    return openSqliteStore(join(dataDirectory, 'ebb.db'));
  }
  return openPostgresStore({
    settings: postgres,
    log,
    onHealth: (health) => told.follow(health),
    ...(signal ? { signal } : {}),
  });
}
