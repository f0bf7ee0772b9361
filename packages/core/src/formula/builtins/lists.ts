import { equal, isLess, sorted } from '../compare.ts';
import { fetch, fetchOrNil } from '../fetch.ts';
import type { Frame } from '../frame.ts';
import { any, anyList, int, isUnknown, type Nature, natureName, string, stringList, typeOnly } from '../natures.ts';
import { Fault } from '../problem.ts';
import { FormulaMap, isList, type List, nilList, typeName, type Value, withArticle } from '../values.ts';
import { type Builtin, isListNature, isMapNature, listArgument, Mismatch, overloads, takes } from './builtin.ts';

const isSized: [(nature: Nature) => boolean, string] = [
  ({ kind }) => kind === 'list' || kind === 'map' || kind === 'string',
  'a list, a map or a string',
];
const isInt: [(nature: Nature) => boolean, string] = [({ kind }) => kind === 'int', 'an int'];

/** What `first` and `last` give: of a known list, its elements' type. */
function elementOf([nature = any]: Nature[]): Nature {
  const known = typeOnly(nature);
  return known.kind === 'list' ? known.element : any;
}

function mapArgument(name: string, value: Value | undefined): FormulaMap {
  if (value instanceof FormulaMap) return value;
  throw new Fault(`${name} takes a map, not ${withArticle(typeName(value ?? null))}`);
}

function flatten(list: List, frame: Frame, flat: Value[] = []): Value[] {
  for (const element of list) {
    frame.step();
    if (isList(element)) flatten(element, frame, flat);
    else flat.push(element);
  }
  return flat;
}

function isDescending(direction: Value): boolean {
  if (direction === 'asc' || direction === 'desc') return direction === 'desc';
  throw new Fault(
    `the order is "asc" or "desc", not ${typeof direction === 'string' ? JSON.stringify(direction) : typeName(direction)}`,
  );
}

/** The items sorted by their keys. */
export function sortedBy<T>(items: readonly T[], keyOf: (item: T) => Value, direction: Value): T[] {
  const descending = isDescending(direction);
  return sorted(items, (left, right) =>
    descending ? isLess(keyOf(right), keyOf(left)) : isLess(keyOf(left), keyOf(right)),
  );
}

/** `get(x, key)`: what the index or key gives, nil when there is nothing. */
function checkGet(args: Nature[]): Nature | Mismatch {
  const [base = any, key = any] = args;
  if (args.length !== 2) return new Mismatch(`get takes 2 arguments, not ${args.length}`);
  if (isUnknown(base)) return { kind: 'unknown' };
  if (base.kind === 'list') {
    if (key.kind === 'int' || isUnknown(key)) return base.element;
    return new Mismatch(`an index of a list is an int, not ${withArticle(natureName(key))}`, 1);
  }
  if (base.kind === 'map') {
    if (base.anyKey || key.kind === 'string' || isUnknown(key)) return base.element;
    return new Mismatch(`a key of this map is a string, not ${withArticle(natureName(key))}`, 1);
  }
  return new Mismatch(`get takes a list or a map, not ${withArticle(natureName(base))}`, 0);
}

export const listFunctions: Builtin[] = [
  {
    name: 'len',
    summary: 'how many elements a list or map has, or characters a string',
    example: ['len([a, b])', 2],
    check: takes('len', [isSized], () => int),
    run: ([value = null]) => {
      if (typeof value === 'string') return BigInt([...value].length);
      if (isList(value)) return BigInt(value.length);
      return BigInt(mapArgument('len', value).entries.size);
    },
  },
  {
    name: 'first',
    summary: 'the first element of a list; nil when it is empty',
    example: ['first([a, b])', 3],
    check: takes('first', [isListNature], elementOf),
    run: ([value = null]) => firstOrLast(value, 0),
  },
  {
    name: 'last',
    summary: 'the last element of a list; nil when it is empty',
    example: ['last([a, b])', 5],
    check: takes('last', [isListNature], elementOf),
    run: ([value = null]) => firstOrLast(value, -1),
  },
  {
    name: 'get',
    summary: 'the element at an index or key; nil when there is none',
    example: ['get([a, b], 7) ?? 1', 1],
    check: checkGet,
    run: ([value = null, key = null]) => fetchOrNil(value, key),
  },
  {
    name: 'take',
    summary: 'the first few elements of a list',
    example: ['sum(take([a, b, 9], 2))', 8],
    check: takes('take', [isListNature, isInt], ([nature = any]) => (isUnknown(nature) ? any : typeOnly(nature))),
    run: ([value, number = null]) => {
      const list = listArgument('take', value);
      if (typeof number !== 'bigint') throw new Fault(`take takes an int, not ${withArticle(typeName(number))}`);
      if (number < 0n) throw new Fault('take takes a number that is not negative');
      return number >= BigInt(list.length) ? list : list.slice(0, Number(number));
    },
  },
  {
    name: 'keys',
    summary: 'the keys of a map, in the order they were written (in expr: in any order)',
    example: ['len(keys({x: a}))', 1],
    check: takes('keys', [isMapNature], () => anyList),
    run: ([value]) => [...mapArgument('keys', value).entries.keys()],
  },
  {
    name: 'values',
    summary: 'the values of a map, in the order they were written (in expr: in any order)',
    example: ['sum(values({x: a, y: b}))', 8],
    check: takes('values', [isMapNature], () => anyList),
    run: ([value]) => [...mapArgument('values', value).entries.values()],
  },
  {
    name: 'reverse',
    summary: 'the list from its end to its beginning',
    example: ['reverse([a, b])[0]', 5],
    check: takes('reverse', [isListNature], () => anyList),
    run: ([value], frame) => {
      const list = listArgument('reverse', value);
      frame.grow(list.length);
      return [...list].reverse();
    },
  },
  {
    name: 'uniq',
    summary: 'the list without elements that are equal to an earlier one',
    example: ['len(uniq([a, b, a]))', 2],
    check: takes('uniq', [isListNature], () => anyList),
    run: ([value], frame) => {
      const kept: Value[] = [];
      for (const element of listArgument('uniq', value)) {
        frame.step(kept.length);
        if (!kept.some((other) => equal(element, other, frame))) kept.push(element);
      }
      return kept;
    },
  },
  {
    name: 'concat',
    summary: 'the elements of several lists in one',
    example: ['len(concat([a], [b, 1]))', 3],
    check: (args) => {
      if (args.length === 0) return new Mismatch('concat takes lists, found nothing');
      const wrong = args.findIndex((nature) => !isUnknown(nature) && nature.kind !== 'list');
      return wrong < 0
        ? anyList
        : new Mismatch(`concat takes lists, not ${withArticle(natureName(args[wrong] ?? any))}`, wrong);
    },
    run: (args, frame) => {
      const lists = args.map((value) => listArgument('concat', value));
      frame.grow(lists.reduce((sum, list) => sum + list.length, 0));
      const all = lists.flatMap((list) => [...list]);
      return all.length === 0 ? nilList : all;
    },
  },
  {
    name: 'flatten',
    summary: 'the elements of a list and of all lists in it, in one list',
    example: ['sum(flatten([[a], [b, [1]]]))', 9],
    check: takes('flatten', [isListNature], () => anyList),
    run: ([value], frame) => {
      const flat = flatten(listArgument('flatten', value), frame);
      frame.grow(flat.length);
      return flat;
    },
  },
  {
    name: 'sort',
    summary: 'the list sorted, "asc" (unless said otherwise) or "desc"',
    example: ['sort([a, b], "desc")[0]', 5],
    check: overloads('sort', [[anyList, string], [stringList, string], [anyList], [stringList]], anyList),
    run: ([value = null, direction = 'asc'], frame) => {
      // What is not a list has no elements to sort.
      const result = sortedBy(isList(value) ? value : nilList, (element) => element, direction);
      frame.grow(result.length);
      return isList(value) ? result : nilList;
    },
  },
];

/** Nil of everything that has no elements. */
function firstOrLast(value: Value, index: number): Value {
  if (typeof value === 'string') return fetch(value, 0n);
  return isList(value) ? (value.at(index) ?? null) : null;
}
