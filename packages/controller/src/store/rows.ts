import { StoreError } from '@ebb/core';

type Row = Record<string, unknown>;

/** A text column. What is not text was damaged or written by something else. */
export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw damaged(column, value);
  return value;
}

export function textOrNull(row: Row, column: string): string | null {
  return row[column] === null ? null : text(row, column);
}

export function integer(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw damaged(column, value);
  return value;
}

export function integerOrNull(row: Row, column: string): number | null {
  return row[column] === null ? null : integer(row, column);
}

export function bytesOrNull(row: Row, column: string): Uint8Array | null {
  const value = row[column];
  if (value === null || value instanceof Uint8Array) return value;
  throw damaged(column, value);
}

export function json(row: Row, column: string): unknown {
  return parseJson(column, text(row, column));
}

export function parseJson(column: string, written: string): unknown {
  try {
    return JSON.parse(written);
  } catch {
    throw damaged(column, written);
  }
}

function damaged(column: string, value: unknown): StoreError {
  return new StoreError('corrupt', `the database has ${JSON.stringify(value)?.slice(0, 40)} for ${column}`);
}
