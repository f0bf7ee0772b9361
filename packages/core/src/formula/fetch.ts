import { Fault } from './problem.ts';
import { FormulaMap, isList, type List, toInt, typeName, type Value, withArticle } from './values.ts';

/** `x[key]`: an index beyond the ends is a fault, a key that is not there gives nil. Indices below 0 count from the end. */
export function fetch(value: Value, key: Value): Value {
  if (isList(value)) {
    const index = toInt(key);
    const element = elementAt(value, index);
    if (element === undefined) throw new Fault(`index ${index} of a list of ${value.length}`);
    return element;
  }
  if (value instanceof FormulaMap) return value.get(key);
  if (typeof value === 'string')
    throw new Fault('taking a character out of a string is not supported; use a slice: [0:1]');
  throw new Fault(`${withArticle(typeName(value))} has no elements and no fields`);
}

/** `get(x, key)`: nil instead of a fault for what is not there. */
export function fetchOrNil(value: Value, key: Value): Value {
  if (isList(value)) return elementAt(value, toInt(key)) ?? null;
  return value instanceof FormulaMap || typeof value === 'string' ? fetch(value, key) : null;
}

function elementAt(list: List, index: bigint): Value | undefined {
  const length = BigInt(list.length);
  const position = index < 0n ? BigInt.asIntN(64, index + length) : index;
  return position >= 0n && position < length ? list[Number(position)] : undefined;
}

/** `x[from:to]` of a list or string; what lies beyond the ends is cut off. */
export function slice(value: Value, from: Value | undefined, to: Value | undefined): Value {
  if (typeof value === 'string') {
    if (!/^\p{ASCII}*$/u.test(value)) throw new Fault('a slice of a string that is not ASCII is not supported');
    const [start, end] = bounds(value.length, from, to);
    return value.slice(start, end);
  }
  if (!isList(value)) throw new Fault(`${withArticle(typeName(value))} cannot be sliced`);
  const [start, end] = bounds(value.length, from, to);
  return start === 0 && end === value.length ? value : value.slice(start, end);
}

function bounds(length: number, from: Value | undefined, to: Value | undefined): [start: number, end: number] {
  const place = (index: bigint) => {
    const position = index < 0n ? index + BigInt(length) : index;
    return Number(position < 0n ? 0n : position > BigInt(length) ? BigInt(length) : position);
  };
  const end = to === undefined ? length : place(toInt(to));
  return [Math.min(from === undefined ? 0 : place(toInt(from)), end), end];
}
