import type { Store } from '@ebb/core';
import { Counters } from './counters.ts';
import { guarded, openDatabase } from './database.ts';
import { SqliteDocumentStore } from './documentStore.ts';
import { GroupCommit } from './groupCommit.ts';
import { SqliteJournalStore } from './journalStore.ts';
import { SqliteLedgerStore } from './ledgerStore.ts';
import { SqliteStateStore } from './stateStore.ts';

/**
 * The embedded store: one SQLite file for the owner only. Documents and epochs are on the disk when their promise
 * resolves; journal, ledger and state are committed in groups, off the caller's path.
 * Throws `StoreError` (`corrupt`, `locked`) naming the file, and `NewerDatabaseError`.
 */
export async function openSqliteStore(path: string): Promise<Store> {
  const { durable, relaxed } = openDatabase(path);
  try {
    return guarded(path, () => {
      const counters = new Counters(durable);
      const group = new GroupCommit(path, relaxed);
      return {
        documents: new SqliteDocumentStore(path, durable, counters),
        journal: new SqliteJournalStore(path, relaxed, group),
        ledger: new SqliteLedgerStore(path, relaxed, group),
        state: new SqliteStateStore(path, relaxed, group, new Counters(relaxed)),
        takeEpoch: async () => guarded(path, () => counters.next('epoch')),
        close: async () => {
          if (!durable.isOpen) return;
          group.flush();
          relaxed.close();
          durable.close();
        },
      };
    });
  } catch (error) {
    relaxed.close();
    durable.close();
    throw error;
  }
}
