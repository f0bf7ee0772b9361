import type { Comparison, Row } from './comparison.ts';

export const causes = `Where differences come from: the gateway reports counts every 50 ms and the control plane looks at moving means once a
second, at moments that no two runs share; the operating system takes a while to start a process, longer while others are
started; a rehearsal has the median of each stage, a live start its own; timers of a loaded machine are late.`;

/** One policy, live beside rehearsed. */
export function tableOf({ policy, rows }: Comparison): string {
  const cells = rows.map((row) => [
    row.name,
    row.live === null ? '' : text(row.live, row.unit),
    row.rehearsal === null ? '' : text(row.rehearsal, row.unit),
    row.live === null ? text(row.difference, row.unit) : signed(row.difference, row.unit),
    row.mostDifference === null ? '' : text(row.mostDifference, row.unit),
    row.isWithin ? '' : 'BEYOND',
  ]);
  const head = [policy, 'live', 'rehearsal', 'difference', 'allowed', ''];
  const widths = head.map((title, column) => Math.max(title.length, ...cells.map((row) => (row[column] ?? '').length)));
  return [head, ...cells]
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function signed(value: number, unit: Row['unit']): string {
  return `${value < 0 ? '−' : '+'}${text(Math.abs(value), unit)}`;
}

function text(value: number, unit: Row['unit']): string {
  if (unit === '%') return `${(100 * value).toFixed(1)} %`;
  if (unit === 's') return `${value.toFixed(1)} s`;
  if (unit === 'ms') return `${value.toFixed(0)} ms`;
  return String(Math.round(10 * value) / 10);
}
