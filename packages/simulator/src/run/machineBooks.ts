import type { NodeLedgerRow } from '@ebb/core';
import type { MachinesOfRun } from '../contract/result.ts';

const msPerHour = 3_600_000n;

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
    const lengthOf = ({ fromMs, toMs }: NodeLedgerRow) => Math.max(0, Math.min(toMs ?? endMs, endMs) - fromMs);
    const costOf = (own: readonly NodeLedgerRow[]) => {
      const priceMs = own.reduce((sum, row) => sum + BigInt(row.pricePerHourMicro) * BigInt(lengthOf(row)), 0n);
      return String((priceMs + msPerHour / 2n) / msPerHour);
    };
    const kinds = [
      ...Map.groupBy(rows, ({ instanceType, capacityType }) => `${instanceType} ${capacityType}`).values(),
    ];
    return {
      currency: first.currency,
      costMicro: costOf(rows),
      bought: rows.length,
      most: mostAtOnce(rows, endMs),
      seconds: rows.reduce((sum, row) => sum + lengthOf(row), 0) / 1000,
      kinds: kinds
        .flatMap((own) => {
          const [row] = own;
          if (!row) return [];
          const { instanceType, capacityType } = row;
          const seconds = own.reduce((sum, one) => sum + lengthOf(one), 0) / 1000;
          return [{ instanceType, capacityType, bought: own.length, seconds, costMicro: costOf(own) }];
        })
        .sort((left, right) => Number(BigInt(right.costMicro) - BigInt(left.costMicro))),
    };
  }
}

function mostAtOnce(rows: readonly NodeLedgerRow[], endMs: number): number {
  const changes = rows.flatMap(({ fromMs, toMs }) => [
    { atMs: fromMs, change: 1 },
    { atMs: toMs ?? endMs, change: -1 },
  ]);
  let count = 0;
  let most = 0;
  // One that ends makes room before one begins at the same moment.
  for (const { change } of changes.sort((left, right) => left.atMs - right.atMs || left.change - right.change)) {
    count += change;
    most = Math.max(most, count);
  }
  return most;
}
