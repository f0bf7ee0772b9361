import { binary, type BuiltinNode, literal, type Node, type PredicateNode } from './ast.ts';
import { declared, int } from './natures.ts';
import { int64 } from './values.ts';

/** `sum(1..9)`, also of `#` with a constant, and `reduce(1..9, # + #acc)`, by the formula for a series. */
export function sumRange(node: Node): Node {
  if (node.type !== 'builtin' || (node.name !== 'sum' && node.name !== 'reduce')) return node;
  const range = constantRange(node.args[0]);
  if (!range || range.to < range.from) return node;
  const count = int64(range.to - range.from + 1n);
  const sum = int64(int64(count * int64(range.from + range.to)) / 2n);
  const total = node.name === 'sum' ? ofSum(node, sum, count) : ofReduce(node, sum);
  return total === null ? node : { ...literal(int64(total), node.at), nature: int };
}

function constantRange(node: Node | undefined): { from: bigint; to: bigint } | null {
  if (node?.type !== 'binary' || node.operator !== '..') return null;
  const [from, to] = [intValue(node.left), intValue(node.right)];
  return from === null || to === null ? null : { from, to };
}

function intValue(node: Node | undefined): bigint | null {
  return node?.type === 'literal' && typeof node.value === 'bigint' ? node.value : null;
}

function isPointer(node: Node, name: string): boolean {
  return node.type === 'pointer' && node.name === name;
}

function ofSum(node: BuiltinNode, sum: bigint, count: bigint): bigint | null {
  const [, predicate] = node.args;
  if (!predicate) return sum;
  const body = predicate.type === 'predicate' ? predicate.body : predicate;
  if (isPointer(body, '')) return sum;
  if (body.type !== 'binary') return null;
  const isFirst = isPointer(body.left, '');
  const factor = isFirst ? intValue(body.right) : isPointer(body.right, '') ? intValue(body.left) : null;
  if (factor === null) return null;
  switch (body.operator) {
    case '*':
      return factor * sum;
    case '+':
      return sum + count * factor;
    case '-':
      return isFirst ? sum - count * factor : count * factor - sum;
    default:
      return null;
  }
}

function ofReduce(node: BuiltinNode, sum: bigint): bigint | null {
  const [, predicate, initial] = node.args;
  if (predicate?.type !== 'predicate' || !isSumming(predicate)) return null;
  if (!initial) return sum;
  const first = intValue(initial);
  return first === null ? null : first + sum;
}

function isSumming({ body }: PredicateNode): boolean {
  if (body.type !== 'binary' || body.operator !== '+') return false;
  const isSum = (one: Node, other: Node) => isPointer(one, '') && isPointer(other, 'acc');
  return isSum(body.left, body.right) || isSum(body.right, body.left);
}

/** `sum([a, b, c])` is `a + (b + c)`. */
export function sumOfList(node: Node): Node {
  if (node.type !== 'builtin' || node.name !== 'sum' || node.args.length !== 1) return node;
  const [list] = node.args;
  if (list?.type !== 'list' || list.nodes.length < 2) return node;
  const sum = list.nodes.reduceRight((rest, element) => binary('+', element, rest, node.at));
  sum.nature = declared(node.nature);
  return sum;
}
