import { padEnd, padStart, textWidth } from './width.ts';

export interface Column<Row> {
  title: string;
  align?: 'left' | 'right';
  value: (row: Row) => string;
}

/** Aligned columns, two spaces between, no trailing spaces; the head in capitals as kubectl has it. */
export function table<Row>(columns: Column<Row>[], rows: Row[]): string[] {
  const cells = [
    columns.map((column) => column.title.toUpperCase()),
    ...rows.map((row) => columns.map((c) => c.value(row))),
  ];
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => textWidth(line[index] ?? ''))));
  return cells.map((line) =>
    line
      .map((cell, index) => {
        const width = widths[index] ?? 0;
        return columns[index]?.align === 'right' ? padStart(cell, width) : padEnd(cell, width);
      })
      .join('  ')
      .trimEnd(),
  );
}
