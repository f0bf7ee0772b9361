import { Fault } from './problem.ts';

/**
 * What a formula computes with. An int is a bigint, always within 64 bits, and a float is a number, so that the two
 * never mix by accident: in expr 1 and 1.0 are of different types.
 */
export type Value = null | boolean | number | bigint | string | List | FormulaMap;

export interface List extends ReadonlyArray<Value> {}

export class FormulaMap {
  readonly entries: ReadonlyMap<Value, Value>;
  /** What a key that is not there gives. */
  readonly missing: Value;
  /** Whether keys other than strings may be asked for. */
  readonly anyKey: boolean;

  constructor(entries: ReadonlyMap<Value, Value>, missing: Value = null, anyKey = false) {
    this.entries = entries;
    this.missing = missing;
    this.anyKey = anyKey;
  }

  /** The value at a key. Go looks a nil key up as the key type's zero value: the empty string. */
  get(key: Value): Value {
    const wanted = this.key(key);
    return this.entries.has(wanted) ? (this.entries.get(wanted) ?? null) : this.missing;
  }

  has(key: Value): boolean {
    return this.entries.has(this.key(key));
  }

  private key(key: Value): Value {
    if (this.anyKey) return mapKey(key);
    if (key === null) return '';
    if (typeof key !== 'string') throw new Fault(`a key of this map is a string, not ${withArticle(typeName(key))}`);
    return key;
  }
}

/** A value that may be the key of a map, or a fault. */
export function mapKey(key: Value): Value {
  if (isList(key) || key instanceof FormulaMap) throw new Fault(`${withArticle(typeName(key))} cannot be a key`);
  if (typeof key === 'number' && Number.isNaN(key)) throw new Fault('NaN cannot be a key');
  return key;
}

/** The list that Go calls nil: it has no elements, and it counts as nil for `==` and `??`. */
export const nilList: List = Object.freeze([]);

export function isNil(value: Value): boolean {
  return value === null || value === nilList;
}

export function isList(value: Value): value is List {
  return Array.isArray(value);
}

/** The type's name as messages and `type()` give it. */
export function typeName(value: Value): string {
  if (value === null) return 'nil';
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'number':
      return 'float';
    case 'bigint':
      return 'int';
    case 'string':
      return 'string';
    default:
      return isList(value) ? 'list' : 'map';
  }
}

/** `an int`, `a float`, `nil`. */
export function withArticle(type: string): string {
  if (type === 'nil' || type.startsWith('any')) return type;
  return `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`;
}

/** Go's conversion of an int or float to int: floats are cut off; what does not fit is the smallest int, as on amd64. */
export function toInt(value: Value): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return intOf(value);
  throw new Fault(`${withArticle(typeName(value))} is not a number`);
}

const minInt = -(2n ** 63n);

export function intOf(value: number): bigint {
  // 2 ** 63 is the first float that does not fit; NaN fails both comparisons.
  return value < 2 ** 63 && value >= -(2 ** 63) ? BigInt(Math.trunc(value)) : minInt;
}

/** Go's conversion of an int or float to float. */
export function toFloat(value: Value): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  throw new Fault(`${withArticle(typeName(value))} is not a number`);
}

/** Wraps to 64 bits. */
export function int64(value: bigint): bigint {
  return BigInt.asIntN(64, value);
}
