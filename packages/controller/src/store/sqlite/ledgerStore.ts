import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { LedgerRow, LedgerStore } from '@ebb/core';
import { guarded } from './database.ts';
import type { GroupCommit } from './groupCommit.ts';
import { integer, integerOrNull, text } from './rows.ts';

const capacityTypes = ['on-demand', 'spot', 'reserved'] as const;

/** What ran, at what price. A row is known by its replica and beginning; writing it again replaces it. */
export class SqliteLedgerStore implements LedgerStore {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #group: GroupCommit;
  readonly #write;

  constructor(path: string, database: DatabaseSync, group: GroupCommit) {
    this.#path = path;
    this.#database = database;
    this.#group = group;
    this.#write = database.prepare(
      `INSERT OR REPLACE INTO ledger (replica, fromMs, workload, class, node, toMs, pricePerHourMicro, currency, capacityType)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
  }

  write(rows: LedgerRow[]): Promise<void> {
    const own = rows.map((row) => ({ ...row }));
    return this.#group.write(() => {
      for (const row of own) {
        const { replica, fromMs, workload, node, toMs, pricePerHourMicro, currency, capacityType = null } = row;
        this.#write.run(replica, fromMs, workload, row.class, node, toMs, pricePerHourMicro, currency, capacityType);
      }
    });
  }

  async read(range: { workload?: string; fromMs?: number; toMs?: number }): Promise<LedgerRow[]> {
    this.#group.flush();
    const conditions: string[] = [];
    const values: SQLInputValue[] = [];
    if (range.workload !== undefined) {
      conditions.push('workload = ?');
      values.push(range.workload);
    }
    if (range.fromMs !== undefined) {
      conditions.push('(toMs IS NULL OR toMs >= ?)');
      values.push(range.fromMs);
    }
    if (range.toMs !== undefined) {
      conditions.push('fromMs <= ?');
      values.push(range.toMs);
    }
    const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
    const sql = `SELECT * FROM ledger ${where} ORDER BY fromMs, replica`;
    return guarded(this.#path, () =>
      this.#database
        .prepare(sql)
        .all(...values)
        .map(rowOf),
    );
  }
}

function rowOf(row: Record<string, unknown>): LedgerRow {
  return {
    replica: text(row, 'replica'),
    workload: text(row, 'workload'),
    class: text(row, 'class'),
    node: text(row, 'node'),
    fromMs: integer(row, 'fromMs'),
    toMs: integerOrNull(row, 'toMs'),
    pricePerHourMicro: integer(row, 'pricePerHourMicro'),
    currency: text(row, 'currency'),
    ...capacityOf(row),
  };
}

function capacityOf(row: Record<string, unknown>): Pick<LedgerRow, 'capacityType'> {
  const { capacityType } = row;
  if (capacityType === null) return {};
  const found = capacityTypes.find((one) => one === capacityType);
  if (!found) throw new TypeError(`column capacityType holds ${String(capacityType)}`);
  return { capacityType: found };
}
