import { CatalogueError } from './catalogueError.ts';

export interface CsvRecord {
  cells: string[];
  /** Where it begins, from 1. */
  line: number;
}

/** Records of a CSV text (RFC 4180: quotes, doubled quotes, line breaks within them). Empty lines are no records. */
export function readCsv(text: string, file: string): CsvRecord[] {
  const records: CsvRecord[] = [];
  let cells: string[] = [];
  let line = 1;
  let beganAt = 1;
  // A cell of any text up to a comma or line end, or one in quotes.
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  while (cell.lastIndex < text.length || cells.length > 0) {
    const match = cell.exec(text);
    if (!match) throw new CatalogueError(file, line, 'a quote in the wrong place, or one that is never closed');
    const [all, quoted, plain = '', end] = match;
    cells.push(quoted === undefined ? plain.trim() : quoted.replaceAll('""', '"'));
    line += all.split('\n').length - 1;
    if (end === ',') continue;
    if (cells.length > 1 || cells[0] !== '') records.push({ cells, line: beganAt });
    cells = [];
    beganAt = line;
  }
  return records;
}
