import { maxStringLength } from './limits.ts';
import { power } from './power.ts';
import { Fault } from './problem.ts';
import { int64, toFloat, typeName, type Value, withArticle } from './values.ts';

/**
 * Arithmetic of Go's int (64 bits, wraps) and float64: two ints give an int, everything else a float. `/` and `**`
 * always give a float, so dividing by zero gives an infinity or NaN; `%` takes ints only.
 */
export function add(left: Value, right: Value): Value {
  if (typeof left === 'bigint' && typeof right === 'bigint') return int64(left + right);
  if (typeof left === 'string' && typeof right === 'string') return bounded(left + right);
  return toNumber(left, '+', right) + toNumber(right, '+', left);
}

export function subtract(left: Value, right: Value): Value {
  if (typeof left === 'bigint' && typeof right === 'bigint') return int64(left - right);
  return toNumber(left, '-', right) - toNumber(right, '-', left);
}

export function multiply(left: Value, right: Value): Value {
  if (typeof left === 'bigint' && typeof right === 'bigint') return int64(left * right);
  return toNumber(left, '*', right) * toNumber(right, '*', left);
}

export function divide(left: Value, right: Value): number {
  return toNumber(left, '/', right) / toNumber(right, '/', left);
}

export function remainder(left: Value, right: Value): bigint {
  if (typeof left !== 'bigint' || typeof right !== 'bigint') {
    throw new Fault(`"%" takes two ints, not ${withArticle(typeName(left))} and ${withArticle(typeName(right))}`);
  }
  if (right === 0n) throw new Fault('"%" by zero');
  return left % right;
}

export function raise(left: Value, right: Value): number {
  return power(toFloat(left), toFloat(right));
}

export function negate(value: Value): Value {
  if (typeof value === 'bigint') return int64(-value);
  if (typeof value === 'number') return -value;
  throw new Fault(`"-" takes a number, not ${withArticle(typeName(value))}`);
}

function toNumber(value: Value, operator: string, other: Value): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint' && (typeof other === 'number' || operator === '/')) return Number(value);
  throw new Fault(
    `"${operator}" does not work with ${withArticle(typeName(value))} and ${withArticle(typeName(other))}`,
  );
}

/** A new string within its bound. */
export function bounded(text: string): string {
  checkLength(text.length);
  return text;
}

/** Refuses a string that would be longer than its bound, before it is made. */
export function checkLength(characters: number): void {
  if (characters > maxStringLength) throw new Fault(`a string of more than ${maxStringLength} characters`);
}
