import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { LedgerRow, LedgerStore, NodeLedgerRow } from '@ebb/core';
import { guarded } from './database.ts';
import type { GroupCommit } from './groupCommit.ts';
import { ledgerRowOf, nodeRowOf } from '../ledgerRows.ts';

/** What ran, at what price. A row is known by its replica and beginning, a node's by the node; writing it again replaces it. */
export class SqliteLedgerStore implements LedgerStore {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #group: GroupCommit;
  readonly #write;
  readonly #writeNode;

  constructor(path: string, database: DatabaseSync, group: GroupCommit) {
    this.#path = path;
    this.#database = database;
    this.#group = group;
    this.#write = database.prepare(
      `INSERT OR REPLACE INTO ledger (replica, fromMs, workload, class, node, toMs, pricePerHourMicro, currency, capacityType)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#writeNode = database.prepare(
      `INSERT OR REPLACE INTO nodeLedger
         (node, pool, instanceType, capacityType, fromMs, toMs, pricePerHourMicro, currency, cpuMilli, memoryBytes, gpuMilli)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
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
    const overlap = overlapOf(range);
    const ofWorkload = range.workload === undefined ? [] : [range.workload];
    const conditions = [...ofWorkload.map(() => 'workload = ?'), ...overlap.conditions];
    return this.#select('ledger', conditions, [...ofWorkload, ...overlap.values], 'fromMs, replica').map(ledgerRowOf);
  }

  writeNodes(rows: NodeLedgerRow[]): Promise<void> {
    const own = structuredClone(rows);
    return this.#group.write(() => {
      for (const { allocatable, ...row } of own) {
        const { node, pool, instanceType, capacityType, fromMs, toMs, pricePerHourMicro, currency } = row;
        const { cpuMilli, memoryBytes, gpuMilli } = allocatable;
        const what = [node, pool, instanceType, capacityType, fromMs, toMs, pricePerHourMicro, currency];
        this.#writeNode.run(...what, cpuMilli, memoryBytes, gpuMilli);
      }
    });
  }

  async readNodes(range: { fromMs?: number; toMs?: number }): Promise<NodeLedgerRow[]> {
    const { conditions, values } = overlapOf(range);
    return this.#select('nodeLedger', conditions, values, 'fromMs, node').map(nodeRowOf);
  }

  #select(table: string, conditions: readonly string[], values: readonly SQLInputValue[], order: string) {
    this.#group.flush();
    const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
    const sql = `SELECT * FROM ${table} ${where} ORDER BY ${order}`;
    return guarded(this.#path, () => this.#database.prepare(sql).all(...values));
  }
}

/** Rows that are open or end within the span, and do not begin after it. */
function overlapOf({ fromMs, toMs }: { fromMs?: number; toMs?: number }): {
  conditions: string[];
  values: SQLInputValue[];
} {
  return {
    conditions: [
      ...(fromMs === undefined ? [] : ['(toMs IS NULL OR toMs >= ?)']),
      ...(toMs === undefined ? [] : ['fromMs <= ?']),
    ],
    values: [fromMs, toMs].filter((value) => value !== undefined),
  };
}
