import { add } from '../arithmetic.ts';
import type { Frame, Scope, Thunk } from '../frame.ts';
import { anyList, bool, declared, groups, int, isUnknown, listOf, type Nature, unknown } from '../natures.ts';
import { Fault } from '../problem.ts';
import { FormulaMap, isList, mapKey, nilList, typeName, type Value, withArticle } from '../values.ts';
import { sortedBy } from './lists.ts';

/** A function that goes through a list and computes a predicate for each element (`#`). */
export interface Loop {
  name: string;
  summary: string;
  /** A formula and its result; both are tested. */
  example: [formula: string, result: number];
  predicate: 'required' | 'optional';
  /** A third argument: the order to sort in, the value to begin with. */
  further?: 'order' | 'initial';
  /** Whether the predicate has to give a bool. */
  isTest: boolean;
  /** What besides `#` the predicate may use. */
  pointers: ('index' | 'acc')[];
  /** The type of the result; `predicate` is null when it was left out. */
  nature: (list: Nature, predicate: Nature | null) => Nature;
  run: (call: LoopCall) => Value;
}

/** A call in an evaluation: its list is in the scope. */
export interface LoopCall {
  frame: Frame;
  scope: Scope;
  /** The predicate for the element where the scope stands; the element itself when it was left out. */
  each: Thunk;
  further: Thunk | null;
  map: Thunk | null;
  throws: boolean;
  threshold: number;
}

/** The list a call goes through, as a scope of its own. */
export function enterLoop(name: string, value: Value, frame: Frame): Scope {
  if (!isList(value)) throw new Fault(`${name} takes a list, not ${withArticle(typeName(value))}`);
  return frame.enter(value);
}

/** Moves on through the list until `visit` gives something other than undefined. */
function go({ frame, scope }: LoopCall, visit: () => Value | undefined, step: 1 | -1 = 1): Value | undefined {
  for (; scope.index >= 0 && scope.index < scope.items.length; scope.index += step) {
    frame.step();
    const result = visit();
    if (result !== undefined) return result;
  }
  return undefined;
}

function test({ each, frame }: LoopCall): boolean {
  const value = each(frame);
  if (typeof value === 'boolean') return value;
  throw new Fault(`the predicate gives ${withArticle(typeName(value))}, not a bool`);
}

function here({ scope }: LoopCall): Value {
  return scope.items[scope.index] ?? null;
}

function kept(call: LoopCall): Value {
  return call.map ? call.map(call.frame) : here(call);
}

function find(call: LoopCall, step: 1 | -1): Value {
  if (step === -1) call.scope.index = call.scope.items.length - 1;
  const found = go(call, () => (test(call) ? kept(call) : undefined), step);
  if (found === undefined && call.throws) throw new Fault('no element fits, so there is none to take');
  return found ?? null;
}

function findIndex(call: LoopCall, step: 1 | -1): Value {
  if (step === -1) call.scope.index = call.scope.items.length - 1;
  return go(call, () => (test(call) ? BigInt(call.scope.index) : undefined), step) ?? null;
}

function elementOf(list: Nature): Nature {
  return list.kind === 'list' ? list.element : unknown;
}

const tests: Pick<Loop, 'predicate' | 'isTest' | 'pointers'> = { predicate: 'required', isTest: true, pointers: [] };

const all: Loop[] = [
  {
    ...tests,
    name: 'all',
    summary: 'whether the predicate holds for every element',
    example: ['all([a, b], # > 1) ? 1 : 0', 1],
    nature: () => bool,
    run: (call) => go(call, () => (test(call) ? undefined : false)) ?? true,
  },
  {
    ...tests,
    name: 'any',
    summary: 'whether the predicate holds for some element',
    example: ['any([a, b], # > 4) ? 1 : 0', 1],
    nature: () => bool,
    run: (call) => go(call, () => (test(call) ? true : undefined)) ?? false,
  },
  {
    ...tests,
    name: 'none',
    summary: 'whether the predicate holds for no element',
    example: ['none([a, b], # > 9) ? 1 : 0', 1],
    nature: () => bool,
    run: (call) => go(call, () => (test(call) ? false : undefined)) ?? true,
  },
  {
    ...tests,
    name: 'one',
    summary: 'whether the predicate holds for exactly one element',
    example: ['one([a, b], # > 4) ? 1 : 0', 1],
    nature: () => bool,
    run: (call) => {
      let count = 0;
      go(call, () => {
        if (test(call)) count += 1;
        return undefined;
      });
      return count === 1;
    },
  },
  {
    ...tests,
    name: 'filter',
    summary: 'the elements for which the predicate holds',
    example: ['sum(filter([a, b], # > 4))', 5],
    nature: (list) => (isUnknown(list) ? anyList : listOf(elementOf(list))),
    run: (call) => {
      const result: Value[] = [];
      go(call, () => {
        if (test(call)) result.push(kept(call));
        return undefined;
      });
      call.frame.grow(result.length);
      return result;
    },
  },
  {
    name: 'map',
    summary: 'what the predicate gives for each element; `#index` is the element’s place, from 0',
    example: ['sum(map([a, b], # * 2))', 16],
    predicate: 'required',
    isTest: false,
    pointers: ['index'],
    nature: (_list, predicate) => listOf(predicate ?? unknown),
    run: (call) => {
      const result: Value[] = [];
      go(call, () => {
        result.push(call.each(call.frame));
        return undefined;
      });
      call.frame.grow(result.length);
      return result;
    },
  },
  {
    ...tests,
    name: 'count',
    summary: 'for how many elements the predicate holds; without one, how many elements are true',
    example: ['count([a, b], # > 4)', 1],
    predicate: 'optional',
    nature: () => int,
    run: (call) => {
      let count = 0;
      go(call, () => {
        if (test(call)) count += 1;
        return count >= call.threshold ? true : undefined;
      });
      return BigInt(count);
    },
  },
  {
    name: 'sum',
    summary: 'the sum of the elements, or of what the predicate gives for each',
    example: ['sum([a, b], # * 2)', 16],
    predicate: 'optional',
    isTest: false,
    pointers: [],
    nature: (list, predicate) => {
      if (predicate) return declared(predicate);
      return isUnknown(list) ? unknown : elementOf(list);
    },
    run: (call) => {
      let sum: Value = 0n;
      go(call, () => {
        sum = add(call.each(call.frame), sum);
        return undefined;
      });
      return sum;
    },
  },
  {
    ...tests,
    name: 'find',
    summary: 'the first element for which the predicate holds; nil when there is none',
    example: ['find([a, b], # > 1) ?? 0', 3],
    nature: elementOf,
    run: (call) => find(call, 1),
  },
  {
    ...tests,
    name: 'findLast',
    summary: 'the last element for which the predicate holds; nil when there is none',
    example: ['findLast([a, b], # > 1) ?? 0', 5],
    nature: elementOf,
    run: (call) => find(call, -1),
  },
  {
    ...tests,
    name: 'findIndex',
    summary: 'the place of the first element for which the predicate holds; nil when there is none',
    example: ['findIndex([a, b], # > 4) ?? 0', 1],
    nature: () => int,
    run: (call) => findIndex(call, 1),
  },
  {
    ...tests,
    name: 'findLastIndex',
    summary: 'the place of the last element for which the predicate holds; nil when there is none',
    example: ['findLastIndex([a, b], # > 1) ?? 0', 1],
    nature: () => int,
    run: (call) => findIndex(call, -1),
  },
  {
    name: 'groupBy',
    summary: 'a map from what the predicate gives to the elements for which it gives that',
    example: ['len(groupBy([a, b, 7], # > 4)[true])', 2],
    predicate: 'required',
    isTest: false,
    pointers: [],
    nature: () => groups,
    run: (call) => {
      const found = new Map<Value, Value[]>();
      go(call, () => {
        const key = mapKey(call.each(call.frame));
        const group = found.get(key);
        if (group) group.push(here(call));
        else found.set(key, [here(call)]);
        return undefined;
      });
      return new FormulaMap(found, nilList, true);
    },
  },
  {
    name: 'sortBy',
    summary: 'the list sorted by what the predicate gives, "asc" (unless said otherwise) or "desc"',
    example: ['sortBy([a, b], -#)[0]', 5],
    predicate: 'required',
    further: 'order',
    isTest: false,
    pointers: [],
    nature: (list) => list,
    run: (call) => {
      const { frame, scope } = call;
      const direction = call.further ? call.further(frame) : 'asc';
      const pairs: { value: Value; key: Value }[] = [];
      go(call, () => {
        pairs.push({ value: here(call), key: call.each(frame) });
        return undefined;
      });
      const result = sortedBy(pairs, ({ key }) => key, direction);
      frame.grow(scope.items.length);
      return result.map(({ value }) => value);
    },
  },
  {
    name: 'reduce',
    summary:
      'one value out of all: the predicate gives the next `#acc` from `#acc` and `#`, beginning with the third argument or else the first element',
    example: ['reduce([a, b], #acc * #, 1)', 15],
    predicate: 'required',
    further: 'initial',
    isTest: false,
    pointers: ['index', 'acc'],
    nature: (_list, predicate) => predicate ?? unknown,
    run: (call) => {
      const { frame, scope } = call;
      if (call.further) {
        scope.accumulated = call.further(frame);
      } else {
        if (scope.items.length === 0) throw new Fault('reduce of an empty list needs a value to begin with');
        scope.accumulated = here(call);
        scope.index = 1;
      }
      go(call, () => {
        scope.accumulated = call.each(frame);
        return undefined;
      });
      return scope.accumulated;
    },
  },
];

export const loops: ReadonlyMap<string, Loop> = new Map(all.map((loop) => [loop.name, loop]));
