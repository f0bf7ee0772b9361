import type { Json } from '../types.ts';

/** Readers of a stored memory: whatever stands there, the policy gets values of the type it expects. */
export type JsonObject = { [key: string]: Json };

/** The object, or an empty one. */
export function objectOf(json: Json | undefined): JsonObject {
  return json !== null && typeof json === 'object' && !Array.isArray(json) ? json : {};
}

export function numberOr<Otherwise>(json: Json | undefined, otherwise: Otherwise): number | Otherwise {
  return typeof json === 'number' && Number.isFinite(json) ? json : otherwise;
}

/** The finite numbers of a list. */
export function numbersOf(json: Json | undefined): number[] {
  return Array.isArray(json) ? json.filter((value): value is number => Number.isFinite(value)) : [];
}

/** Rows of exactly `width` numbers; other rows are left out. Every decision reads some dozens of them. */
export function rowsOf(json: Json | undefined, width: number): number[][] {
  const rows: number[][] = [];
  if (!Array.isArray(json)) return rows;
  for (const row of json) if (isRow(row, width)) rows.push(row.slice());
  return rows;
}

function isRow(json: Json, width: number): json is number[] {
  if (!Array.isArray(json) || json.length !== width) return false;
  for (const value of json) if (typeof value !== 'number' || !Number.isFinite(value)) return false;
  return true;
}

/** The members that are numbers. */
export function countsOf(json: Json | undefined): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [name, value] of Object.entries(objectOf(json))) {
    if (typeof value === 'number' && Number.isFinite(value)) counts[name] = value;
  }
  return counts;
}

/** Kept to nine decimals or twelve digits, so that a memory of many averages stays small. */
export function shortened(value: number): number {
  return Math.abs(value) < 1e6 ? Math.round(value * 1e9) / 1e9 : Number(value.toPrecision(12));
}
