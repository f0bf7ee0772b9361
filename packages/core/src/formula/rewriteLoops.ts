import { type BuiltinNode, binary, type Node, operands, type PredicateNode } from './ast.ts';
import { declared, unknown } from './natures.ts';
import type { Rule } from './rewrite.ts';
import { isList, type Value } from './values.ts';

interface LoopNode extends BuiltinNode {
  args: [list: Node, predicate: PredicateNode];
}

/** A call of this function with a list and a predicate. */
function isLoop(node: Node | undefined, name: string): node is LoopNode {
  return node?.type === 'builtin' && node.name === name && node.args.length === 2 && node.args[1]?.type === 'predicate';
}

function intValue(node: Node): bigint | null {
  return node.type === 'literal' && typeof node.value === 'bigint' ? node.value : null;
}

/** Another function in the node's place. */
function call(name: string, from: BuiltinNode, node: Node): BuiltinNode {
  const built: BuiltinNode = { type: 'builtin', name, args: from.args, at: node.at, nature: declared(node.nature) };
  if (from.map) built.map = from.map;
  return built;
}

/** `map(filter(xs, P), Q)` in one go, unless Q asks for the place in the filtered list. */
export function filterMap(node: Node): Node {
  if (!isLoop(node, 'map')) return node;
  const [inner, predicate] = node.args;
  if (!isLoop(inner, 'filter') || inner.map || usesIndex(predicate)) return node;
  return { ...call('filter', inner, node), map: predicate.body };
}

function usesIndex(node: Node): boolean {
  return (node.type === 'pointer' && node.name === 'index') || operands(node).some(usesIndex);
}

/** `len(filter(xs, P))` counts. */
export function filterLength(node: Node): Node {
  if (node.type !== 'builtin' || node.name !== 'len' || node.args.length !== 1) return node;
  const [inner] = node.args;
  if (!isLoop(inner, 'filter')) return node;
  return { type: 'builtin', name: 'count', args: inner.args, at: node.at, nature: declared(node.nature) };
}

/** `first(filter(xs, P))` and `filter(xs, P)[0]` stop at the first hit; likewise from the end. */
export function filterEnds(end: string, index: bigint, find: string): Rule {
  return (node) => {
    if (
      node.type === 'member' &&
      !node.optional &&
      intValue(node.property) === index &&
      isLoop(node.object, 'filter')
    ) {
      return { ...call(find, node.object, node), throws: true };
    }
    if (node.type !== 'builtin' || node.name !== end || node.args.length !== 1) return node;
    const [inner] = node.args;
    return isLoop(inner, 'filter') ? call(find, inner, node) : node;
  };
}

/** `all(xs, P) and all(xs, Q)` in one go; likewise `any` with `or`, and `none` with `and`. */
export function predicateCombination(node: Node): Node {
  if (node.type !== 'binary' || (node.operator !== 'and' && node.operator !== 'or')) return node;
  const { left, right, operator, at } = node;
  for (const [name, outer, inner] of combinations) {
    if (operator !== outer || !isLoop(left, name) || !isLoop(right, name)) continue;
    const [list, one] = left.args;
    const [otherList, other] = right.args;
    if (declared(list.nature).kind !== declared(otherList.nature).kind || !isSameText(list, otherList)) continue;
    const body = predicateCombination(binary(inner, one.body, other.body, at));
    const predicate: PredicateNode = { type: 'predicate', body, at, nature: unknown };
    return { type: 'builtin', name, args: [list, predicate], at, nature: declared(node.nature) };
  }
  return node;
}

const combinations = [
  ['all', 'and', 'and'],
  ['any', 'or', 'or'],
  ['none', 'and', 'or'],
] as const;

/** Whether two nodes were written alike. */
function isSameText(one: Node, other: Node): boolean {
  if (one.type !== other.type) return false;
  const [mine, theirs] = [operands(one), operands(other)];
  if (mine.length !== theirs.length || nameOf(one) !== nameOf(other)) return false;
  if (one.type === 'literal' && other.type === 'literal' && !isSameValue(one.value, other.value)) return false;
  return mine.every((part, index) => isSameText(part, theirs[index] ?? part));
}

function nameOf(node: Node): string {
  if ('operator' in node) return node.operator;
  if ('name' in node) return node.name;
  return node.type === 'slice'
    ? `${node.from !== null}:${node.to !== null}`
    : node.type === 'member'
      ? `${node.optional}`
      : '';
}

function isSameValue(one: Value, other: Value): boolean {
  if (!isList(one) || !isList(other)) return Object.is(one, other);
  return one.length === other.length && one.every((value, index) => isSameValue(value, other[index] ?? null));
}

/** `sum(map(xs, P))` adds what P gives. */
export function sumMap(node: Node): Node {
  if (node.type !== 'builtin' || node.name !== 'sum' || node.args.length !== 1) return node;
  const [inner] = node.args;
  if (!isLoop(inner, 'map')) return node;
  return { type: 'builtin', name: 'sum', args: inner.args, at: node.at, nature: declared(node.nature) };
}

/** `count(xs, P) > 0` and `>= 1` stop at the first hit. */
export function countAny(node: Node): Node {
  if (node.type !== 'binary' || !isLoop(node.left, 'count')) return node;
  const bound = intValue(node.right);
  if (!((node.operator === '>' && bound === 0n) || (node.operator === '>=' && bound === 1n))) return node;
  return { type: 'builtin', name: 'any', args: node.left.args, at: node.at, nature: declared(node.nature) };
}

/** A count that is compared with a constant stops where the comparison is decided. */
export function countThreshold(node: Node): Node {
  if (node.type !== 'binary' || !isLoop(node.left, 'count')) return node;
  const bound = intValue(node.right);
  if (bound === null || bound < 0n) return node;
  const threshold = node.operator === '>' || node.operator === '<=' ? bound + 1n : bound;
  if (['>', '>=', '<', '<='].includes(node.operator) && threshold > 1n) node.left.threshold = threshold;
  return node;
}
