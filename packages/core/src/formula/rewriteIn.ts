import { binary, type Node } from './ast.ts';
import { declared } from './natures.ts';
import type { Value } from './values.ts';

/** `x in [1, 2]` and `x in ["a", "b"]` look into a set, which knows values of its own type only. */
export function inList(node: Node): Node {
  if (node.type !== 'binary' || node.operator !== 'in' || node.right.type !== 'list') return node;
  const values = node.right.nodes.map((element) => (element.type === 'literal' ? element.value : null));
  if (values.length === 0) return node;
  if (node.left.nature.kind === 'int' && values.every((value) => typeof value === 'bigint'))
    return inSet(node, 'int', values);
  return values.every((value) => typeof value === 'string') ? inSet(node, 'string', values) : node;
}

function inSet(node: Node & { type: 'binary' }, of: 'int' | 'string', values: Value[]): Node {
  return { type: 'inSet', of, left: node.left, members: new Set(values), at: node.at, nature: declared(node.nature) };
}

/** `x in 1..9` with an int x compares with the two ends. */
export function inRange(node: Node): Node {
  if (node.type !== 'binary' || node.operator !== 'in' || node.left.nature.kind !== 'int') return node;
  const { left, right, at } = node;
  if (right.type !== 'binary' || right.operator !== '..' || !isInt(right.left) || !isInt(right.right)) return node;
  const within = binary('and', binary('>=', left, right.left, at), binary('<=', left, right.right, at), at);
  within.nature = declared(node.nature);
  return within;
}

function isInt(node: Node): boolean {
  return node.type === 'literal' && typeof node.value === 'bigint';
}
