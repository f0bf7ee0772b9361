import { add, divide, multiply, negate, raise, remainder, subtract } from './arithmetic.ts';
import { type BinaryNode, binary, type LiteralNode, literal, type Node, type UnaryNode } from './ast.ts';
import { declared, natureOf, unknown } from './natures.ts';
import { Refusal } from './problem.ts';
import { isList, type Value } from './values.ts';

/** Computes what is made of constants only, and shortens `and` and `or` with a constant on either side. */
export function fold(node: Node): Node {
  switch (node.type) {
    case 'unary':
      return foldUnary(node);
    case 'binary':
      return foldBinary(node);
    case 'list': {
      const values = node.nodes.map(scalar);
      return values.length > 0 && values.every((value) => value !== null) ? constant(values, node) : node;
    }
    case 'builtin': {
      const [inner, predicate] = node.args;
      if (node.name !== 'filter' || inner?.type !== 'builtin' || inner.name !== 'filter') return node;
      const [list, first] = inner.args;
      if (!list || first?.type !== 'predicate' || predicate?.type !== 'predicate') return node;
      const body = binary('and', first.body, predicate.body, node.at);
      const both: Node = { type: 'predicate', body, at: node.at, nature: unknown };
      return { type: 'builtin', name: 'filter', args: [list, both], at: node.at, nature: declared(node.nature) };
    }
    default:
      return node;
  }
}

/** The value of a literal that is neither nil nor a list; null for every other node. */
function scalar(node: Node): Value {
  return node.type === 'literal' && !isList(node.value) ? node.value : null;
}

function isNumber(value: Value): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

function constant(value: Value, node: Node): LiteralNode {
  return { ...literal(value, node.at), nature: natureOf(value) };
}

function foldUnary(node: UnaryNode): Node {
  const value = scalar(node.operand);
  if (node.operator === 'not') return typeof value === 'boolean' ? constant(!value, node) : node;
  if (!isNumber(value)) return node;
  return constant(node.operator === '-' ? negate(value) : value, node);
}

const operations: Partial<Record<BinaryNode['operator'], (left: Value, right: Value) => Value>> = {
  '+': add,
  '-': subtract,
  '*': multiply,
  '/': divide,
  '**': raise,
};

function foldBinary(node: BinaryNode): Node {
  const [left, right] = [scalar(node.left), scalar(node.right)];
  switch (node.operator) {
    case 'and':
      return foldLogical(node, true);
    case 'or':
      return foldLogical(node, false);
    case '==': {
      const isFolded = typeof left === typeof right && left !== null && typeof left !== 'number';
      return isFolded ? constant(left === right, node) : node;
    }
    case '%':
      if (typeof left !== 'bigint' || typeof right !== 'bigint') return node;
      if (right === 0n) throw new Refusal('"%" by zero', node.at, '0');
      return constant(remainder(left, right), node);
    default: {
      const operation = operations[node.operator];
      const areStrings = node.operator === '+' && typeof left === 'string' && typeof right === 'string';
      return operation && ((isNumber(left) && isNumber(right)) || areStrings)
        ? constant(operation(left, right), node)
        : node;
    }
  }
}

/** `neutral` on one side leaves the other; its opposite on either side is the result. */
function foldLogical(node: BinaryNode, neutral: boolean): Node {
  const [left, right] = [scalar(node.left), scalar(node.right)];
  if (left === neutral) return { ...node.right, at: node.at, nature: declared(node.nature) };
  if (right === neutral) return { ...node.left, at: node.at, nature: declared(node.nature) };
  return left === !neutral || right === !neutral ? constant(!neutral, node) : node;
}
