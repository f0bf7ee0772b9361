import type { StoreConnection } from './connection.ts';

/** Reads may be long: the server gives up one of its own accord before this. */
const readMs = 65_000;

/** A value of a condition; numbers are integers. */
export type SqlValue = string | number;

/** Rows of one statement. `$1`, `$2`, … stand for the values, which travel as text and say their type in the statement. */
export async function selectRows(
  connection: StoreConnection,
  sql: string,
  values: readonly SqlValue[] = [],
): Promise<Record<string, unknown>[]> {
  const parameters = values.map(String);
  const rows = await connection.run((client) => client.unsafe(sql, parameters, { prepare: true }), readMs);
  return rows.map(withNumbers);
}

/** Integers of 64 bits come as text. Those of Ebb are safe integers; others stay what they are, and are refused by who reads them. */
export function withNumbers(row: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, isInteger(name, value) ? Number(value) : value]),
  );
}

const integerColumns = new Set([
  ...['sequence', 'segment', 'atMs', 'firstSequence', 'lastSequence', 'toMs', 'bytes', 'fromMs', 'pricePerHourMicro'],
  ...['cpuMilli', 'memoryBytes', 'gpuMilli', 'resourceVersion', 'generation', 'createdAtMs', 'epoch', 'version'],
]);

function isInteger(name: string, value: unknown): boolean {
  return integerColumns.has(name) && typeof value === 'string';
}

/** Conditions of a `WHERE` with their values, numbered in order. */
export class Conditions {
  readonly values: SqlValue[] = [];
  readonly #texts: string[] = [];

  /** `?` in the text stands for the value. */
  add(text: string, value: SqlValue | undefined): void {
    if (value === undefined) return;
    this.values.push(value);
    this.#texts.push(text.replace('?', `$${this.values.length}`));
  }

  toString(): string {
    return this.#texts.length > 0 ? `WHERE ${this.#texts.join(' AND ')}` : '';
  }
}
