import { costOf, type NodeLedgerRow, peakReplicas } from '@ebb/core';
import type { MachinesOfRun } from '../contract/result.ts';

/** Keeps what machines of a rehearsal cost. */
export class MachineBooks {
  readonly #rows = new Map<string, NodeLedgerRow>();

  /** The ledger's rows as they are written: a node's later one replaces the one before. */
  wrote(rows: readonly NodeLedgerRow[]): void {
    for (const row of rows) this.#rows.set(row.node, row);
  }

  /** Until `endMs` (the engine's clock); null: nothing was rented. */
  result(endMs: number): MachinesOfRun | null {
    const rows = [...this.#rows.values()];
    const [first] = rows;
    if (!first) return null;
    const paid = (own: readonly NodeLedgerRow[]) => {
      const { micro, replicaMs } = costOf(own, endMs);
      return { bought: own.length, seconds: replicaMs / 1000, costMicro: String(micro) };
    };
    const kinds = [
      ...Map.groupBy(rows, ({ instanceType, capacityType }) => `${instanceType} ${capacityType}`).values(),
    ];
    return {
      currency: first.currency,
      ...paid(rows),
      most: peakReplicas(rows, endMs),
      kinds: kinds
        .flatMap((own) => {
          const [row] = own;
          if (!row) return [];
          const { instanceType, capacityType } = row;
          return [{ instanceType, capacityType, ...paid(own) }];
        })
        .sort((left, right) => Number(BigInt(right.costMicro) - BigInt(left.costMicro))),
    };
  }
}
