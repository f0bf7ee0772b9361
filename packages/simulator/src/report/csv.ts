import type { Comparison, ComparisonRow } from '../compare/comparison.ts';

const columns: readonly (readonly [name: string, of: (row: ComparisonRow) => string | number | boolean | null])[] = [
  ['trace', ({ trace }) => trace],
  ['policy', ({ policy }) => policy],
  ['seed', ({ seed }) => seed],
  ['requests', ({ requests }) => requests],
  ['served', ({ served }) => served],
  ['on_time_share', ({ onTimeShare }) => onTimeShare],
  ['qualifies', ({ qualifies }) => qualifies],
  ['replica_seconds', ({ replicaSeconds }) => replicaSeconds],
  ['replica_hours', ({ replicaSeconds }) => replicaSeconds / 3600],
  ['ratio_to_bound', ({ ratio }) => ratio],
  ['priced_score', ({ pricedScore }) => pricedScore],
  ['wait_p50_ms', ({ waitMs }) => waitMs.p50],
  ['wait_p95_ms', ({ waitMs }) => waitMs.p95],
  ['wait_p99_ms', ({ waitMs }) => waitMs.p99],
  ['wait_max_ms', ({ waitMs }) => waitMs.max],
  ['cold_starts', ({ coldStarts }) => coldStarts],
  ['most_replicas', ({ mostReplicas }) => mostReplicas],
  ['cost', ({ costMicro }) => (costMicro === null ? null : moneyOf(costMicro))],
  ['currency', ({ currency }) => currency],
  ['digest', ({ digest }) => digest],
];

/** Every run as a row (RFC 4180), numbers in full; nothing where there is no value. */
export function comparisonCsv({ rows }: Pick<Comparison, 'rows'>): string {
  const lines = [columns.map(([name]) => name), ...rows.map((row) => columns.map(([, of]) => field(of(row))))];
  return lines.map((line) => `${line.join(',')}\r\n`).join('');
}

function field(value: string | number | boolean | null): string {
  const text = value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function moneyOf(micro: string): string {
  const digits = micro.padStart(7, '0');
  return `${digits.slice(0, -6)}.${digits.slice(-6)}`;
}
