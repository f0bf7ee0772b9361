import type { CostReport } from '@ebb/documents';

const columns = [
  'group',
  'currency',
  'cost_micro',
  'replica_seconds',
  'idle_share',
  'idle_micro',
  'always_on_micro',
  'requests',
  'on_demand_micro',
  'spot_micro',
  'reserved_micro',
];

/** The groups for a spreadsheet, in whole micro-units; an empty cell: not known. Their sum is the exact total. */
export function costCsv({ groups }: CostReport): string {
  const rows = groups.map(
    ({ name, currency, costMicro, replicaSeconds, idle, alwaysOnMicro, requests, capacityMicro }) => [
      name,
      currency,
      costMicro,
      replicaSeconds,
      idle?.share ?? '',
      idle?.costMicro ?? '',
      alwaysOnMicro ?? '',
      requests ?? '',
      capacityMicro['on-demand'] ?? 0,
      capacityMicro['spot'] ?? 0,
      capacityMicro['reserved'] ?? 0,
    ],
  );
  return [columns, ...rows].map((cells) => `${cells.map(cell).join(',')}\n`).join('');
}

function cell(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
