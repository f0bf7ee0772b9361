import type { LedgerRow, NodeLedgerRow } from '@ebb/core';
import { integer, integerOrNull, text } from './rows.ts';

const capacityTypes = ['on-demand', 'spot', 'reserved'] as const;

/** A row of the ledger, whatever the database. */
export function ledgerRowOf(row: Record<string, unknown>): LedgerRow {
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

/** A row of the ledger of nodes. */
export function nodeRowOf(row: Record<string, unknown>): NodeLedgerRow {
  return {
    node: text(row, 'node'),
    pool: text(row, 'pool'),
    instanceType: text(row, 'instanceType'),
    capacityType: capacityTypeOf(row),
    fromMs: integer(row, 'fromMs'),
    toMs: integerOrNull(row, 'toMs'),
    pricePerHourMicro: integer(row, 'pricePerHourMicro'),
    currency: text(row, 'currency'),
    allocatable: {
      cpuMilli: integer(row, 'cpuMilli'),
      memoryBytes: integer(row, 'memoryBytes'),
      gpuMilli: integer(row, 'gpuMilli'),
    },
  };
}

function capacityOf(row: Record<string, unknown>): Pick<LedgerRow, 'capacityType'> {
  return row['capacityType'] === null ? {} : { capacityType: capacityTypeOf(row) };
}

function capacityTypeOf({ capacityType }: Record<string, unknown>): NodeLedgerRow['capacityType'] {
  const found = capacityTypes.find((one) => one === capacityType);
  if (!found) throw new TypeError(`column capacityType holds ${String(capacityType)}`);
  return found;
}
