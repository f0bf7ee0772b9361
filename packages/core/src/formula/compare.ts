import type { Frame } from './frame.ts';
import { Fault } from './problem.ts';
import { FormulaMap, isList, isNil, typeName, type Value, withArticle } from './values.ts';

/** Negative, zero or positive as left is before, equal to or after right; NaN when a float is NaN. */
export function order(left: Value, right: Value): number {
  if (typeof left === 'number' && typeof right === 'number') return orderFloats(left, right);
  if (typeof left === 'bigint' && typeof right === 'bigint') return left < right ? -1 : left > right ? 1 : 0;
  if (typeof left === 'string' && typeof right === 'string') return orderStrings(left, right);
  // An int beside a float is compared as a float, although that may round it.
  if (typeof left === 'bigint' && typeof right === 'number') return orderFloats(Number(left), right);
  if (typeof left === 'number' && typeof right === 'bigint') return orderFloats(left, Number(right));
  throw new Fault(`${withArticle(typeName(left))} and ${withArticle(typeName(right))} have no order`);
}

export function isLess(left: Value, right: Value): boolean {
  return order(left, right) < 0;
}

function orderFloats(left: number, right: number): number {
  return left < right ? -1 : left > right ? 1 : left === right ? 0 : Number.NaN;
}

/** By code points, as Go's comparison of UTF-8 is; JavaScript's own is by UTF-16 units. */
function orderStrings(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    if (left.charCodeAt(index) === right.charCodeAt(index)) continue;
    return surrogatesLast(left.charCodeAt(index)) - surrogatesLast(right.charCodeAt(index));
  }
  return left.length - right.length;
}

function surrogatesLast(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** `==`: numbers by value whatever their type, lists element by element, nil with the empty list that Go calls nil. */
export function equal(left: Value, right: Value, frame: Frame): boolean {
  if (typeof left === 'number' || typeof left === 'bigint') {
    if (typeof left === typeof right) return left === right;
    return (typeof right === 'number' || typeof right === 'bigint') && Number(left) === Number(right);
  }
  if (isList(left) && isList(right)) {
    if (left.length !== right.length) return false;
    frame.step(left.length);
    return left.every((value, index) => equal(value, right[index] ?? null, frame));
  }
  if (left instanceof FormulaMap && right instanceof FormulaMap) throw new Fault('comparing maps is not supported');
  return left === right || (isNil(left) && isNil(right));
}

/** Go sorts up to this many elements by insertion, which also says where NaN and the like end up. */
const fewElements = 12;

/** A sorted copy. Equal elements keep their order (Go promises that for up to 12 elements only). */
export function sorted<T>(items: readonly T[], less: (left: T, right: T) => boolean): T[] {
  const copy = [...items];
  if (copy.length > fewElements)
    return copy.sort((left, right) => (less(left, right) ? -1 : less(right, left) ? 1 : 0));
  for (let end = 1; end < copy.length; end += 1) {
    for (let at = end; at > 0; at -= 1) {
      const [before, here] = [copy[at - 1] as T, copy[at] as T];
      if (!less(here, before)) break;
      copy[at - 1] = here;
      copy[at] = before;
    }
  }
  return copy;
}
