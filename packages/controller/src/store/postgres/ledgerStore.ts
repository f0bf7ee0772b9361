import type { LedgerRow, LedgerStore, NodeLedgerRow } from '@ebb/core';
import { ledgerRowOf, nodeRowOf } from '../ledgerRows.ts';
import type { StoreConnection } from './connection.ts';
import type { GroupedWrites } from './groupedWrites.ts';
import { Conditions, selectRows } from './rows.ts';
import { quoted } from './settings.ts';

/** What ran, at what price. A row is known by its replica and beginning, a node's by the node; writing it again replaces it. */
export class PostgresLedgerStore implements LedgerStore {
  readonly #connection: StoreConnection;
  readonly #group: GroupedWrites;
  readonly #schema: string;

  constructor(connection: StoreConnection, group: GroupedWrites, schema: string) {
    this.#connection = connection;
    this.#group = group;
    this.#schema = quoted(schema);
  }

  async write(rows: LedgerRow[]): Promise<void> {
    await Promise.all(rows.map((row) => this.#group.write({ type: 'ledger', row })));
  }

  async read(range: { workload?: string; fromMs?: number; toMs?: number }): Promise<LedgerRow[]> {
    await this.#group.flush();
    const where = overlapOf(range);
    where.add('workload = ?', range.workload);
    const rows = await selectRows(
      this.#connection,
      `SELECT replica, from_ms AS "fromMs", workload, class, node, to_ms AS "toMs",
              price_per_hour_micro AS "pricePerHourMicro", currency, capacity_type AS "capacityType"
       FROM ${this.#schema}.ledger ${where} ORDER BY from_ms, replica`,
      where.values,
    );
    return rows.map(ledgerRowOf);
  }

  async writeNodes(rows: NodeLedgerRow[]): Promise<void> {
    await Promise.all(
      rows.map(({ allocatable, ...row }) => this.#group.write({ type: 'node', row: { ...row, ...allocatable } })),
    );
  }

  async readNodes(range: { fromMs?: number; toMs?: number }): Promise<NodeLedgerRow[]> {
    await this.#group.flush();
    const where = overlapOf(range);
    const rows = await selectRows(
      this.#connection,
      `SELECT node, pool, instance_type AS "instanceType", capacity_type AS "capacityType", from_ms AS "fromMs",
              to_ms AS "toMs", price_per_hour_micro AS "pricePerHourMicro", currency, cpu_milli AS "cpuMilli",
              memory_bytes AS "memoryBytes", gpu_milli AS "gpuMilli"
       FROM ${this.#schema}.node_ledger ${where} ORDER BY from_ms, node`,
      where.values,
    );
    return rows.map(nodeRowOf);
  }
}

/** Rows that are open or end within the span, and do not begin after it. */
function overlapOf({ fromMs, toMs }: { fromMs?: number; toMs?: number }): Conditions {
  const where = new Conditions();
  where.add('(to_ms IS NULL OR to_ms >= ?::bigint)', fromMs);
  where.add('from_ms <= ?::bigint', toMs);
  return where;
}
