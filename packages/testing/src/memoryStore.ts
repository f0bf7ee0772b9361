import {
  type DocumentStore,
  type JournalRecord,
  type JournalStore,
  type LedgerRow,
  type LedgerStore,
  type NodeLedgerRow,
  type StateStore,
  type Store,
  StoreError,
  type StoredDocument,
} from '@ebb/core';
import { keyText, type ObjectKey } from '@ebb/documents';

export interface StoreFaults {
  /** Called before each operation, named `documents.put`, `journal.append` …; an error it returns is thrown. */
  fail?: (operation: string) => Error | null;
  /** Awaited before each operation: latency, on virtual time. */
  delay?: (operation: string) => Promise<void> | null;
}

/**
 * A Store in memory, with the rules of a real one: versions, epochs, order. Values are copied on the way in and out,
 * as a database would. It outlives the engines of a test, so that restarts can be played.
 */
export class MemoryStore implements Store {
  faults: StoreFaults = {};
  readonly documents: DocumentStore;
  readonly journal: JournalStore;
  readonly ledger: LedgerStore;
  readonly state: StateStore;
  /** Raw contents, for assertions. */
  readonly records: JournalRecord[] = [];
  readonly rows = new Map<string, LedgerRow>();
  readonly nodeRows = new Map<string, NodeLedgerRow>();
  readonly values = new Map<string, unknown>();
  #documents = new Map<string, StoredDocument>();
  #version = 0;
  #epoch = 0;

  constructor() {
    this.documents = this.#documentStore();
    this.journal = this.#journalStore();
    this.ledger = this.#ledgerStore();
    this.state = this.#stateStore();
  }

  readonly takeEpoch = async (): Promise<number> => {
    await this.#enter('takeEpoch');
    return ++this.#epoch;
  };

  readonly close = async (): Promise<void> => {
    await this.#enter('close');
  };

  async #enter(operation: string): Promise<void> {
    await this.faults.delay?.(operation);
    const error = this.faults.fail?.(operation);
    if (error) throw error;
  }

  #checkEpoch(epoch: number): void {
    if (epoch < this.#epoch) throw new StoreError('stale-epoch', `epoch ${epoch} was replaced by ${this.#epoch}`);
  }

  #checkVersion(name: string, found: StoredDocument | undefined, expectedVersion: number | undefined): void {
    if (expectedVersion === undefined || (found?.resourceVersion ?? 0) === expectedVersion) return;
    const now = found ? `is at version ${found.resourceVersion}` : 'does not exist';
    throw new StoreError('conflict', `${name} ${now}, expected version ${expectedVersion}`);
  }

  #documentStore(): DocumentStore {
    return {
      put: async ({ expectedVersion, atMs, epoch, ...input }) => {
        await this.#enter('documents.put');
        this.#checkEpoch(epoch);
        const id = documentId(input.kind, input.key);
        const found = this.#documents.get(id);
        this.#checkVersion(id, found, expectedVersion);
        const sameSpec = found && JSON.stringify(specOf(found.document)) === JSON.stringify(specOf(input.document));
        const stored: StoredDocument = structuredClone({
          ...input,
          resourceVersion: ++this.#version,
          generation: found ? found.generation + (sameSpec ? 0 : 1) : 1,
          createdAtMs: found?.createdAtMs ?? atMs,
        });
        this.#documents.set(id, stored);
        return structuredClone(stored);
      },
      get: async (kind, key) => {
        await this.#enter('documents.get');
        return structuredClone(this.#documents.get(documentId(kind, key)) ?? null);
      },
      list: async (kind) => {
        await this.#enter('documents.list');
        return structuredClone([...this.#documents.values()].filter((document) => !kind || document.kind === kind));
      },
      delete: async (kind, key, { expectedVersion, epoch }) => {
        await this.#enter('documents.delete');
        this.#checkEpoch(epoch);
        const id = documentId(kind, key);
        const found = this.#documents.get(id);
        if (!found) return null;
        this.#checkVersion(id, found, expectedVersion);
        this.#documents.delete(id);
        return structuredClone(found);
      },
    };
  }

  #journalStore(): JournalStore {
    return {
      append: async (given) => {
        // As they are now, and all or none.
        const records = structuredClone(given);
        await this.#enter('journal.append');
        let head = this.records.at(-1)?.sequence;
        for (const { sequence } of records) {
          if (head !== undefined && sequence !== head + 1) {
            throw new StoreError('corrupt', `journal record ${sequence} after ${head}`);
          }
          head = sequence;
        }
        this.records.push(...records);
      },
      read: async ({ fromSequence, workload, fromMs, toMs, kinds, limit, newestFirst }) => {
        await this.#enter('journal.read');
        const found = this.records.filter(
          (record) =>
            (fromSequence === undefined || record.sequence >= fromSequence) &&
            (workload === undefined || record.workload === workload) &&
            (fromMs === undefined || record.atMs >= fromMs) &&
            (toMs === undefined || record.atMs <= toMs) &&
            (kinds === undefined || kinds.includes(record.kind)),
        );
        if (newestFirst) found.reverse();
        return structuredClone(limit === undefined ? found : found.slice(0, limit));
      },
      head: async () => {
        await this.#enter('journal.head');
        const last = this.records.at(-1);
        return { sequence: last?.sequence ?? 0, segment: last?.segment ?? 0 };
      },
      trim: async ({ olderThanMs, maxBytes }) => {
        await this.#enter('journal.trim');
        return this.#trim(olderThanMs, maxBytes);
      },
    };
  }

  /** Whole segments, oldest first, never the last one. */
  #trim(olderThanMs: number, maxBytes: number): number {
    const segments = Map.groupBy(this.records, (record) => record.segment);
    const sizes = [...segments.values()].map((records) => JSON.stringify(records).length);
    let bytes = sizes.reduce((sum, size) => sum + size, 0);
    let dropped = 0;
    [...segments.values()].slice(0, -1).every((records, index) => {
      if ((records.at(-1)?.atMs ?? 0) >= olderThanMs && bytes <= maxBytes) return false;
      bytes -= sizes[index] ?? 0;
      dropped += records.length;
      return true;
    });
    this.records.splice(0, dropped);
    return dropped;
  }

  #ledgerStore(): LedgerStore {
    return {
      write: async (rows) => {
        await this.#enter('ledger.write');
        for (const row of rows) this.rows.set(`${row.replica} ${row.fromMs}`, structuredClone(row));
      },
      read: async ({ workload, ...span }) => {
        await this.#enter('ledger.read');
        const rows = overlapping(this.rows.values(), span);
        return structuredClone(rows.filter((row) => workload === undefined || row.workload === workload));
      },
      writeNodes: async (rows) => {
        await this.#enter('ledger.writeNodes');
        for (const row of rows) this.nodeRows.set(row.node, structuredClone(row));
      },
      readNodes: async (span) => {
        await this.#enter('ledger.readNodes');
        return structuredClone(overlapping(this.nodeRows.values(), span));
      },
    };
  }

  #stateStore(): StateStore {
    return {
      save: async (name, value, epoch) => {
        await this.#enter('state.save');
        this.#checkEpoch(epoch);
        this.values.set(name, JSON.parse(JSON.stringify(value)));
      },
      load: async (name) => {
        await this.#enter('state.load');
        return structuredClone(this.values.get(name) ?? null);
      },
      names: async (prefix) => {
        await this.#enter('state.names');
        return [...this.values.keys()].filter((name) => name.startsWith(prefix)).sort();
      },
      drop: async (name) => {
        await this.#enter('state.drop');
        this.values.delete(name);
      },
    };
  }
}

/** Rows that are open or end within the span, and do not begin after it; the oldest first. */
function overlapping<Row extends Pick<LedgerRow, 'fromMs' | 'toMs'>>(
  rows: Iterable<Row>,
  { fromMs, toMs }: { fromMs?: number; toMs?: number },
): Row[] {
  return [...rows]
    .filter(
      (row) =>
        (fromMs === undefined || row.toMs === null || row.toMs >= fromMs) && (toMs === undefined || row.fromMs <= toMs),
    )
    .sort((left, right) => left.fromMs - right.fromMs);
}

function documentId(kind: string, key: ObjectKey): string {
  return `${kind} ${keyText(key)}`;
}

function specOf(document: unknown): unknown {
  return typeof document === 'object' && document !== null && 'spec' in document ? document.spec : document;
}
