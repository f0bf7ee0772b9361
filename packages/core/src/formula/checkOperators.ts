import type { BinaryOperator } from './ast.ts';
import * as natures from './natures.ts';
import {
  any,
  bool,
  float,
  int,
  isComparable,
  isNumber,
  isUnknown,
  listOf,
  mayBe,
  type Nature,
  natureName,
  unknown,
} from './natures.ts';
import { withArticle } from './values.ts';

/** The type of what a unary operator gives, or what is wrong. */
export function unaryNature(operator: 'not' | '+' | '-', operand: Nature): Nature | string {
  if (operator === 'not') {
    if (operand.kind === 'bool' || isUnknown(operand)) return bool;
    return `"not" takes a bool, not ${withArticle(natureName(operand))}`;
  }
  if (isNumber(operand)) return operand;
  return isUnknown(operand) ? unknown : `"${operator}" takes a number, not ${withArticle(natureName(operand))}`;
}

/** The type of what a binary operator gives, or what is wrong. */
export function binaryNature(operator: BinaryOperator, left: Nature, right: Nature): Nature | string {
  switch (operator) {
    case '??':
      return coalesced(left, right);
    case 'in':
      return member(left, right);
    default:
      return (
        rules[operator](left, right) ??
        `"${operator}" does not work with ${withArticle(natureName(left))} and ${withArticle(natureName(right))}${hints[operator] ?? ''}`
      );
  }
}

type Rule = (left: Nature, right: Nature) => Nature | null;

const hints: Partial<Record<BinaryOperator, string>> = {
  '%': '; it takes ints, and int(…) makes one of a float',
  '..': '; it takes ints, and int(…) makes one of a float',
};

/** Both of one of the kinds, or not known and possibly of it. */
function both(kinds: Nature['kind'][], result: Nature): Rule {
  return (left, right) => {
    const fits = left.kind === right.kind && kinds.includes(left.kind);
    return fits || mayBe(left, right, ...kinds) ? result : null;
  };
}

/** Two numbers give an int when both are, else a float; strings may be added too. */
function arithmetic(...others: Nature['kind'][]): Rule {
  return (left, right) => {
    if (isNumber(left) && isNumber(right)) return left.kind === 'int' && right.kind === 'int' ? int : float;
    if (left.kind === right.kind && others.includes(left.kind)) return left;
    return mayBe(left, right, 'int', 'float', ...others) ? unknown : null;
  };
}

const toFloat: Rule = (left, right) =>
  (isNumber(left) && isNumber(right)) || mayBe(left, right, 'int', 'float') ? float : null;

const ordering: Rule = (left, right) => {
  const fits = (isNumber(left) && isNumber(right)) || (left.kind === 'string' && right.kind === 'string');
  return fits || mayBe(left, right, 'int', 'float', 'string') ? bool : null;
};

const equality: Rule = (left, right) => (isComparable(left, right) ? bool : null);

const rules: Record<Exclude<BinaryOperator, '??' | 'in'>, Rule> = {
  or: both(['bool'], bool),
  and: both(['bool'], bool),
  '==': equality,
  '!=': equality,
  '<': ordering,
  '>': ordering,
  '<=': ordering,
  '>=': ordering,
  matches: both(['string'], bool),
  contains: both(['string'], bool),
  startsWith: both(['string'], bool),
  endsWith: both(['string'], bool),
  '..': both(['int'], listOf(int)),
  '+': arithmetic('string'),
  '-': arithmetic(),
  '*': arithmetic(),
  '/': toFloat,
  '**': toFloat,
  '%': both(['int'], int),
};

function coalesced(left: Nature, right: Nature): Nature {
  if (left.kind === 'nil') return right;
  if (right.kind === 'nil') return left;
  return natures.isAssignable(right, left) ? left : unknown;
}

function member(left: Nature, right: Nature): Nature | string {
  if (right.kind === 'map') {
    if (isUnknown(left) || natures.isAssignable(left, right.anyKey ? any : natures.string)) return bool;
    return `a key of this map is a string, not ${withArticle(natureName(left))}`;
  }
  if (right.kind === 'list') {
    if (isComparable(left, right.element)) return bool;
    return `${withArticle(natureName(left))} is never in a ${natureName(right)}`;
  }
  if (isUnknown(right) || (isUnknown(left) && right.kind === 'string')) return bool;
  return `"in" looks into a list or a map, not into ${withArticle(natureName(right))}`;
}
