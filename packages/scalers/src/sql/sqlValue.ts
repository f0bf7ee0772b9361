import { SourceError } from '../contract/errors.ts';

/** Longest part of a value that is quoted. */
const quotedLength = 40;

/**
 * What a query gave, as a number: KEDA reads it into a Go float64, so that a text that is a number counts and NULL, no
 * row, a truth value or a time are errors.
 */
export function sqlValue(value: unknown, where: string): number {
  if (value === undefined) throw new SourceError('bad-answer', `${where}: the query gives no row`);
  if (value === null) throw new SourceError('bad-answer', `${where}: the query gives NULL; coalesce(…, 0) makes it 0`);
  const number = typeof value === 'number' ? value : typeof value === 'string' ? numberOf(value) : null;
  if (number !== null) return number;
  const shown = typeof value === 'string' ? `"${value.slice(0, quotedLength)}"` : `a value of type ${typeOf(value)}`;
  throw new SourceError('bad-answer', `${where}: the first column of the first row is ${shown} and no number`);
}

function numberOf(text: string): number | null {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text);
  const [, sign, word] = /^([+-]?)(nan|inf|infinity)$/i.exec(text) ?? [];
  if (word === undefined) return null;
  if (word.toLowerCase() === 'nan') return Number.NaN;
  return sign === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

function typeOf(value: unknown): string {
  if (value instanceof Date) return 'time';
  return Array.isArray(value) ? 'array' : typeof value;
}
