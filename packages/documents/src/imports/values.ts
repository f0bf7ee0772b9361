import { formatDuration } from '../units/duration.ts';
import { parseGoDuration } from '../units/goDuration.ts';
import type { Parsed } from '../units/parsed.ts';
import { parseBytes, parseMilli } from '../units/quantity.ts';
import { describeValue } from '../parse/found.ts';

/** A field that cannot be read; its message goes behind the name of the field. */
export class FieldError extends Error {}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function textOf(value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new FieldError(`must be text, found ${describeValue(value)}`);
}

/** Text in a map of texts; numbers and booleans are taken as they are printed. */
export function mapOf(value: unknown): Record<string, string> {
  if (!isRecord(value)) throw new FieldError(`must be a map, found ${describeValue(value)}`);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plainText(inner)]));
}

/** Texts, numbers and booleans as text. */
export function plainText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new FieldError(`must be text, found ${describeValue(value)}`);
}

export function textsOf(value: unknown): string[] {
  if (!Array.isArray(value)) throw new FieldError(`must be a list, found ${describeValue(value)}`);
  return value.map(plainText);
}

/** A whole number from 0. */
export function countOf(value: unknown, max = 1_000_000): number {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 && number <= max) return number;
  throw new FieldError(`must be a whole number from 0 to ${max}, found ${describeValue(value)}`);
}

/** A share from 0 to 1. */
export function shareOf(value: unknown): number {
  const number = typeof value === 'string' && /^\d*\.?\d+$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && number >= 0 && number <= 1) return number;
  throw new FieldError(`must be a number from 0 to 1, found ${describeValue(value)}`);
}

/** One of the values, or an error that names them. */
export function oneOf<const Value extends string>(value: unknown, allowed: readonly Value[]): Value {
  const found = allowed.find((one) => one === value);
  if (found !== undefined) return found;
  throw new FieldError(`must be one of ${allowed.join(', ')}, found ${describeValue(value)}`);
}

/** A duration as Go writes it, in whole milliseconds. */
export function durationMsOf(value: unknown): number {
  return parsed(parseGoDuration(plainText(value)));
}

/** A duration as Go writes it, in the form of documents. */
export function durationOf(value: unknown): string {
  return formatDuration(durationMsOf(value));
}

/** A quantity of Kubernetes, checked and as it is written. */
export function quantityOf(value: unknown, unit: 'milli' | 'bytes'): string {
  const text = plainText(value);
  parsed((unit === 'milli' ? parseMilli : parseBytes)(text));
  return text;
}

export function parsed<T>(result: Parsed<T>): T {
  if ('value' in result) return result.value;
  throw new FieldError(`is not right: ${result.error}`);
}
