import type { Value } from './values.ts';
import { isList } from './values.ts';

/**
 * What the checker knows about a value before it exists.
 *
 * expr tells two kinds of not knowing apart, and so must we: `unknown` (nothing was said) and `any` (a Go function
 * says that it returns anything). To `any` everything may be assigned, to `unknown` nothing, which decides the type of
 * `c ? x : y`. And what is known need not be true: `max(1, a)` is taken to be an int, since its first argument is one.
 */
export type Nature =
  | { kind: 'unknown' | 'any' | 'nil' | 'bool' | 'int' | 'float' | 'string' }
  | { kind: 'list'; element: Nature; strings: boolean }
  | { kind: 'map'; anyKey: boolean; element: Nature };

export const unknown: Nature = { kind: 'unknown' };
export const any: Nature = { kind: 'any' };
export const nil: Nature = { kind: 'nil' };
export const bool: Nature = { kind: 'bool' };
export const int: Nature = { kind: 'int' };
export const float: Nature = { kind: 'float' };
export const string: Nature = { kind: 'string' };
export const anyList: Nature = listOf(any);
/** What `split` gives: Go's []string, which is not the same type as a list of anything. */
export const stringList: Nature = { kind: 'list', element: string, strings: true };
export const mapOfAny: Nature = { kind: 'map', anyKey: false, element: any };
export const groups: Nature = { kind: 'map', anyKey: true, element: anyList };

export function listOf(element: Nature): Nature {
  return { kind: 'list', element, strings: false };
}

/** The nature as a Go type tells it: what is known about a list's elements is lost. */
export function typeOnly(nature: Nature): Nature {
  if (nature.kind === 'list') return nature.strings ? stringList : anyList;
  return nature;
}

/** The nature of a node that is known by its Go type only: what the rewriter puts in another one's place. */
export function declared(nature: Nature): Nature {
  return nature.kind === 'unknown' || nature.kind === 'nil' ? any : typeOnly(nature);
}

export function isUnknown(nature: Nature): boolean {
  return nature.kind === 'unknown' || nature.kind === 'any';
}

export function isNumber(nature: Nature): boolean {
  return nature.kind === 'int' || nature.kind === 'float';
}

export function isAssignable(nature: Nature, to: Nature): boolean {
  if (nature.kind === 'nil') return ['any', 'list', 'map'].includes(to.kind);
  if (nature.kind === 'unknown' || to.kind === 'unknown' || to.kind === 'nil') return false;
  if (to.kind === 'any') return true;
  if (nature.kind === 'list' && to.kind === 'list') return nature.strings === to.strings;
  if (nature.kind === 'map' && to.kind === 'map') return nature.anyKey === to.anyKey;
  return nature.kind === to.kind;
}

export function isComparable(left: Nature, right: Nature): boolean {
  if (isUnknown(left) || isUnknown(right) || left.kind === 'nil' || right.kind === 'nil') return true;
  if (isNumber(left) && isNumber(right)) return true;
  if (left.kind === 'list' && right.kind === 'list') return true;
  return isAssignable(left, right);
}

/** Whether one or both are not known, and the known one is of one of these kinds. */
export function mayBe(left: Nature, right: Nature, ...kinds: Nature['kind'][]): boolean {
  if (isUnknown(left)) return isUnknown(right) || kinds.includes(right.kind);
  return isUnknown(right) && kinds.includes(left.kind);
}

/** Whether Go sees one kind: it does not tell nil from a type it does not know. */
export function isSameKind(left: Nature, right: Nature): boolean {
  const kindOf = ({ kind }: Nature) => (kind === 'nil' ? 'unknown' : kind);
  return kindOf(left) === kindOf(right);
}

export function natureOf(value: Value): Nature {
  if (value === null) return nil;
  switch (typeof value) {
    case 'boolean':
      return bool;
    case 'number':
      return float;
    case 'bigint':
      return int;
    case 'string':
      return string;
    default:
      return isList(value) ? anyList : mapOfAny;
  }
}

/** As messages name it. */
export function natureName(nature: Nature): string {
  switch (nature.kind) {
    case 'unknown':
    case 'any':
      return 'any type';
    case 'list':
      return isUnknown(nature.element) ? 'list' : `list of ${natureName(nature.element)}`;
    default:
      return nature.kind;
  }
}
