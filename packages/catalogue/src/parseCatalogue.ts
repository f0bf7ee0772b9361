import type { Offering } from '@ebb/core';
import { CatalogueError } from './catalogueError.ts';
import { readCsv } from './csv.ts';
import { readJsonRecords } from './jsonRecords.ts';
import { meant, offeringsOfRow, type Row, type RowColumn, rowColumns } from './offeringRow.ts';

const columnNames = Object.keys(rowColumns) as RowColumn[];

/**
 * Offerings of a price file: CSV with a head, or JSON (a name ending in `.json`) with the same names as fields. Nothing is
 * taken of a file with an error in it. Throws a `CatalogueError` with the line.
 */
export function parseCatalogue(text: string, file: string): Offering[] {
  const rows = /\.json$/i.test(file) ? jsonRows(text, file) : csvRows(text, file);
  const offerings: Offering[] = [];
  const lines = new Map<string, number>();
  for (const { row, line } of rows) {
    for (const offering of atLine(file, line, () => offeringsOfRow(row))) {
      const before = lines.get(offering.id);
      if (before !== undefined) throw new CatalogueError(file, line, `${offering.id} is in line ${before} already`);
      lines.set(offering.id, line);
      offerings.push(offering);
    }
  }
  if (offerings.length === 0) throw new CatalogueError(file, 1, 'has no offering');
  return offerings;
}

function csvRows(text: string, file: string): { row: Row; line: number }[] {
  const [head, ...records] = readCsv(text.replace(/^\uFEFF/, ''), file);
  if (!head) throw new CatalogueError(file, 1, `is empty; expected a head with ${columnNames.join(', ')}`);
  const names = head.cells.map((name) => columnOf(name, file, head.line));
  for (const name of columnNames) {
    if (rowColumns[name] && !names.includes(name)) throw new CatalogueError(file, head.line, `has no column ${name}`);
  }
  return records.map(({ cells, line }) => {
    if (cells.length !== names.length) {
      throw new CatalogueError(file, line, `${cells.length} cells where the head has ${names.length}`);
    }
    return { row: Object.fromEntries(names.map((name, at) => [name, cells[at]])) as Row, line };
  });
}

function jsonRows(text: string, file: string): { row: Row; line: number }[] {
  return readJsonRecords(text, file).map(({ value, line }) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new CatalogueError(file, line, 'an offering must be an object');
    }
    const row: Row = {};
    for (const [name, field] of Object.entries(value)) {
      const column = columnOf(name, file, line);
      if (field === null) continue;
      if (typeof field !== 'string' && typeof field !== 'number') {
        throw new CatalogueError(file, line, `${name} must be text or a number, found ${JSON.stringify(field)}`);
      }
      row[column] = String(field);
    }
    return { row, line };
  });
}

function columnOf(name: string, file: string, line: number): RowColumn {
  const found = columnNames.find((one) => one === name);
  if (found) return found;
  const allowed = columnNames.join(', ');
  throw new CatalogueError(file, line, `unknown column "${name}"${meant(name, columnNames)}\n  allowed: ${allowed}`);
}

function atLine<Result>(file: string, line: number, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw new CatalogueError(file, line, error instanceof Error ? error.message : String(error));
  }
}
