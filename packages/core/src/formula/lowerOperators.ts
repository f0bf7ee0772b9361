import { add, divide, multiply, negate, raise, remainder, subtract } from './arithmetic.ts';
import type { BinaryNode, InSetNode, Node, UnaryNode } from './ast.ts';
import { equal, order } from './compare.ts';
import type { Frame, Thunk } from './frame.ts';
import { Fault } from './problem.ts';
import { compileRegex } from './regex.ts';
import { matches } from './regexMatch.ts';
import { FormulaMap, isList, isNil, toInt, typeName, type Value, withArticle } from './values.ts';

type Lower = (node: Node) => Thunk;
type Operation = (left: Value, right: Value, frame: Frame) => Value;

export function lowerUnary({ operator, operand, at }: UnaryNode, lower: Lower): Thunk {
  const thunk = lower(operand);
  switch (operator) {
    case '+':
      return thunk;
    case '-':
      return (frame) => {
        const value = thunk(frame);
        frame.at = at;
        return negate(value);
      };
    case 'not':
      return (frame) => !bool(thunk(frame), 'not', at, frame);
  }
}

export function lowerBinary(node: BinaryNode, lower: Lower): Thunk {
  switch (node.operator) {
    case '+':
      return numeric(
        node,
        lower,
        (left, right) => left + right,
        (left, right, frame) => {
          const sum = add(left, right);
          if (typeof sum === 'string') frame.look(sum);
          return sum;
        },
      );
    case '-':
      return numeric(node, lower, (left, right) => left - right, subtract);
    case '*':
      return numeric(node, lower, (left, right) => left * right, multiply);
    case '/':
      return numeric(node, lower, (left, right) => left / right, divide);
    case '<':
      return numeric(
        node,
        lower,
        (left, right) => left < right,
        (left, right) => order(left, right) < 0,
      );
    case '>':
      return numeric(
        node,
        lower,
        (left, right) => left > right,
        (left, right) => order(left, right) > 0,
      );
    case '<=':
      return numeric(
        node,
        lower,
        (left, right) => left <= right,
        (left, right) => order(left, right) <= 0,
      );
    case '>=':
      return numeric(
        node,
        lower,
        (left, right) => left >= right,
        (left, right) => order(left, right) >= 0,
      );
    case '**':
      return general(node, lower, raise);
    case '%':
      return general(node, lower, remainder);
    case '==':
      return equality(node, lower);
    case '!=': {
      const isEqual = equality(node, lower);
      return (frame) => !isEqual(frame);
    }
    case 'in':
      return general(node, lower, isIn);
    case '..':
      return general(node, lower, range);
    case 'matches':
      return pattern(node, lower);
    case 'contains':
      return text(node, lower, (left, right) => left.includes(right));
    case 'startsWith':
      return text(node, lower, (left, right) => left.startsWith(right));
    case 'endsWith':
      return text(node, lower, (left, right) => left.endsWith(right));
    case 'and':
      return logical(node, lower, false);
    case 'or':
      return logical(node, lower, true);
    case '??': {
      const [left, right] = [lower(node.left), lower(node.right)];
      return (frame) => {
        const value = left(frame);
        return isNil(value) ? right(frame) : value;
      };
    }
  }
}

/** `x in {1, 2}`: a value of another type cannot be asked for; nil stands for the zero value. */
export function lowerInSet({ of, left, members, at }: InSetNode, lower: Lower): Thunk {
  const thunk = lower(left);
  const kind = of === 'int' ? 'bigint' : 'string';
  return (frame) => {
    const value = thunk(frame);
    if (typeof value === kind) return members.has(value);
    if (value === null) return members.has(of === 'int' ? 0n : '');
    frame.at = at;
    throw new Fault(`${withArticle(of)} was expected on the left of "in", found ${withArticle(typeName(value))}`);
  };
}

/** An operator whose every case but that of two floats goes the long way. */
function numeric(
  { left, right, at }: BinaryNode,
  lower: Lower,
  floats: (left: number, right: number) => Value,
  values: Operation,
): Thunk {
  const one = lower(left);
  const other = lower(right);
  // A literal int beside a float is a float.
  if (right.type === 'literal' && typeof right.value === 'bigint') {
    const [int, float] = [right.value, Number(right.value)];
    return (frame) => {
      const value = one(frame);
      if (typeof value === 'number') return floats(value, float);
      return run(values, at, value, int, frame);
    };
  }
  return (frame) => {
    const first = one(frame);
    const second = other(frame);
    if (typeof first === 'number' && typeof second === 'number') return floats(first, second);
    return run(values, at, first, second, frame);
  };
}

function general({ left, right, at }: BinaryNode, lower: Lower, operation: Operation): Thunk {
  const one = lower(left);
  const other = lower(right);
  return (frame) => {
    const first = one(frame);
    const second = other(frame);
    return run(operation, at, first, second, frame);
  };
}

function run(operation: Operation, at: number, left: Value, right: Value, frame: Frame): Value {
  frame.at = at;
  if (typeof left === 'string') frame.look(left);
  return operation(left, right, frame);
}

/** Where both sides are taken to be ints, or strings, expr insists that they are. */
function equality(node: BinaryNode, lower: Lower): Thunk {
  const [left, right] = [node.left.nature.kind, node.right.nature.kind];
  if (left !== right || (left !== 'int' && left !== 'string')) return general(node, lower, equal);
  const wanted = left === 'int' ? 'bigint' : 'string';
  return general(node, lower, (first, second) => {
    if (typeof first === wanted && typeof second === wanted) return first === second;
    const found = typeof first === wanted ? second : first;
    throw new Fault(`"${node.operator}" between ${left}s, found ${withArticle(typeName(found))}`);
  });
}

function logical({ left, right, operator, at }: BinaryNode, lower: Lower, decisive: boolean): Thunk {
  const [one, other] = [lower(left), lower(right)];
  return (frame) => (bool(one(frame), operator, at, frame) === decisive ? decisive : other(frame));
}

function bool(value: Value, operator: string, at: number, frame: Frame): boolean {
  if (typeof value === 'boolean') return value;
  frame.at = at;
  throw new Fault(`"${operator}" takes a bool, not ${withArticle(typeName(value))}`);
}

function isIn(needle: Value, hay: Value, frame: Frame): boolean {
  if (hay === null) return false;
  if (hay instanceof FormulaMap) return hay.has(needle);
  if (!isList(hay)) throw new Fault(`"in" looks into a list or a map, not into ${withArticle(typeName(hay))}`);
  frame.step(hay.length);
  return hay.some((element) => equal(element, needle, frame));
}

function range(from: Value, to: Value, frame: Frame): Value {
  const [first, last] = [toInt(from), toInt(to)];
  const size = BigInt.asIntN(64, last - first + 1n);
  if (size <= 0n) return [];
  frame.grow(Number(size));
  return Array.from({ length: Number(size) }, (_, index) => first + BigInt(index));
}

/** An operator on two strings; false when either is nil. */
function text(node: BinaryNode, lower: Lower, holds: (left: string, right: string) => boolean): Thunk {
  return general(node, lower, (left, right) => {
    if (isNil(left) || isNil(right)) return false;
    return holds(string(left, node.operator), string(right, node.operator));
  });
}

function pattern(node: BinaryNode, lower: Lower): Thunk {
  const { right } = node;
  const constant = right.type === 'literal' && typeof right.value === 'string' ? compileRegex(right.value) : null;
  return general(node, lower, (left, expression, frame) => {
    if (isNil(left) || isNil(expression)) return false;
    if (constant) return matches(constant, string(left, 'matches'), frame);
    const text = string(expression, 'matches');
    frame.step(text.length);
    return matches(compileRegex(text), string(left, 'matches'), frame);
  });
}

function string(value: Value, operator: string): string {
  if (typeof value === 'string') return value;
  throw new Fault(`"${operator}" takes strings, not ${withArticle(typeName(value))}`);
}
