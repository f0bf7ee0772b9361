import type {
  DocumentStore,
  JournalRecord,
  JournalStore,
  LedgerStore,
  NodeLedgerRow,
  StateStore,
  Store,
  StoredDocument,
} from '@ebb/core';
import { keyText, type ObjectKey } from '@ebb/documents';

const done = Promise.resolve();

/**
 * The store of a rehearsal: documents are there, everything else goes by. Journal records are shown to `onRecords` once and
 * not kept, so that memory does not grow with the length of a run. There is no second leader, so epochs and expected
 * versions are not looked at.
 */
export class EphemeralStore implements Store {
  readonly #documents = new Map<string, StoredDocument>();
  #version = 0;
  readonly documents: DocumentStore;
  readonly journal: JournalStore;
  readonly ledger: LedgerStore;
  readonly state: StateStore = { save: () => done, load: async () => null, names: async () => [], drop: () => done };

  constructor(
    onRecords: (records: readonly JournalRecord[]) => void,
    onNodes: (rows: readonly NodeLedgerRow[]) => void = () => {},
  ) {
    this.ledger = {
      write: () => done,
      read: async () => [],
      writeNodes: (rows) => {
        onNodes(rows);
        return done;
      },
      readNodes: async () => [],
    };
    this.documents = {
      put: async ({ apiVersion, kind, key, document, origin, atMs }) => {
        const known = this.#documents.get(idOf(kind, key));
        const stored: StoredDocument = {
          apiVersion,
          kind,
          key,
          document,
          origin,
          resourceVersion: ++this.#version,
          generation: (known?.generation ?? 0) + 1,
          createdAtMs: known?.createdAtMs ?? atMs,
        };
        this.#documents.set(idOf(kind, key), stored);
        return stored;
      },
      get: async (kind, key) => this.#documents.get(idOf(kind, key)) ?? null,
      list: async (kind) => [...this.#documents.values()].filter((one) => kind === undefined || one.kind === kind),
      delete: async (kind, key) => {
        const known = this.#documents.get(idOf(kind, key)) ?? null;
        this.#documents.delete(idOf(kind, key));
        return known;
      },
    };
    this.journal = {
      append: (records) => {
        onRecords(records);
        return done;
      },
      read: async () => [],
      head: async () => ({ sequence: 0, segment: 0 }),
      trim: async () => 0,
    };
  }

  takeEpoch(): Promise<number> {
    return Promise.resolve(1);
  }

  close(): Promise<void> {
    return done;
  }
}

function idOf(kind: string, key: ObjectKey): string {
  return `${kind} ${keyText(key)}`;
}
