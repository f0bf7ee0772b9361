import type { LedgerRow, LedgerStore, NodeLedgerRow } from '@ebb/core';
import { ledgerRowOf, nodeRowOf } from '../ledgerRows.ts';
import type { GroupedWrites } from './groupedWrites.ts';
import { Conditions } from './rows.ts';

/** What ran, at what price. A row is known by its replica and beginning, a node's by the node; writing it again replaces it. */
export class PostgresLedgerStore implements LedgerStore {
  readonly #group: GroupedWrites;

  constructor(group: GroupedWrites) {
    this.#group = group;
  }

  async write(rows: LedgerRow[]): Promise<void> {
    await Promise.all(rows.map((row) => this.#group.write({ type: 'ledger', row })));
  }

  async read(range: { workload?: string; fromMs?: number; toMs?: number }): Promise<LedgerRow[]> {
    const where = overlapOf(range);
    where.add('workload = ?', range.workload);
    const rows = await this.#group.select(
      `SELECT replica, from_ms AS "fromMs", workload, class, node, to_ms AS "toMs",
              price_per_hour_micro AS "pricePerHourMicro", currency, capacity_type AS "capacityType"
       FROM ${this.#group.schema}.ledger ${where} ORDER BY from_ms, replica`,
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
    const where = overlapOf(range);
    const rows = await this.#group.select(
      `SELECT node, pool, instance_type AS "instanceType", capacity_type AS "capacityType", from_ms AS "fromMs",
              to_ms AS "toMs", price_per_hour_micro AS "pricePerHourMicro", currency, cpu_milli AS "cpuMilli",
              memory_bytes AS "memoryBytes", gpu_milli AS "gpuMilli"
       FROM ${this.#group.schema}.node_ledger ${where} ORDER BY from_ms, node`,
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
