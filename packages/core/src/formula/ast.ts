import { type Nature, unknown } from './natures.ts';
import type { Value } from './values.ts';

/**
 * The syntax tree. `at` is the offset that an error in the node points to (an operator's node points to the
 * operator). `nature` is the type that the checker found; until then it is unknown. Fields are written by the parser,
 * the checker and the rewriter, and by nobody after that.
 */
interface Base {
  at: number;
  nature: Nature;
}

export interface LiteralNode extends Base {
  type: 'literal';
  /** nil, bool, int, float, string, or a list of them that the rewriter folded. */
  value: Value;
}

export interface NameNode extends Base {
  type: 'name';
  name: string;
}

export interface UnaryNode extends Base {
  type: 'unary';
  operator: 'not' | '+' | '-';
  operand: Node;
}

export interface BinaryNode extends Base {
  type: 'binary';
  operator: BinaryOperator;
  left: Node;
  right: Node;
}

/** Left side of `in` against a set of literals: only values of the very type of its members may be asked for. */
export interface InSetNode extends Base {
  type: 'inSet';
  of: 'int' | 'string';
  left: Node;
  members: Set<Value>;
}

/** Where `?.` inside gives up and the whole becomes nil. */
export interface ChainNode extends Base {
  type: 'chain';
  inner: Node;
}

export interface MemberNode extends Base {
  type: 'member';
  object: Node;
  property: Node;
  optional: boolean;
}

export interface SliceNode extends Base {
  type: 'slice';
  object: Node;
  from: Node | null;
  to: Node | null;
}

/** A call of something that is not a built-in function; always a mistake, told by the checker. */
export interface CallNode extends Base {
  type: 'call';
  callee: Node;
  args: Node[];
}

export interface BuiltinNode extends Base {
  type: 'builtin';
  name: string;
  args: Node[];
  /** Set by the rewriter: what becomes of each element that is kept. */
  map?: Node;
  /** Set by the rewriter: nothing found is an error. */
  throws?: boolean;
  /** Set by the rewriter: counting may stop here. */
  threshold?: bigint;
}

export interface PredicateNode extends Base {
  type: 'predicate';
  body: Node;
}

/** `#`, `#index`, `#acc`. */
export interface PointerNode extends Base {
  type: 'pointer';
  name: string;
}

export interface LetNode extends Base {
  type: 'let';
  name: string;
  value: Node;
  body: Node;
}

export interface SequenceNode extends Base {
  type: 'sequence';
  nodes: Node[];
}

export interface ConditionalNode extends Base {
  type: 'conditional';
  condition: Node;
  yes: Node;
  no: Node;
}

export interface ListNode extends Base {
  type: 'list';
  nodes: Node[];
}

export interface MapNode extends Base {
  type: 'map';
  pairs: { key: Node; value: Node }[];
}

export type Node =
  | LiteralNode
  | NameNode
  | UnaryNode
  | BinaryNode
  | InSetNode
  | ChainNode
  | MemberNode
  | SliceNode
  | CallNode
  | BuiltinNode
  | PredicateNode
  | PointerNode
  | LetNode
  | SequenceNode
  | ConditionalNode
  | ListNode
  | MapNode;

export type BinaryOperator =
  | 'or'
  | 'and'
  | '=='
  | '!='
  | '<'
  | '>'
  | '<='
  | '>='
  | 'in'
  | 'matches'
  | 'contains'
  | 'startsWith'
  | 'endsWith'
  | '..'
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '**'
  | '??';

export function literal(value: Value, at: number): LiteralNode {
  return { type: 'literal', value, at, nature: unknown };
}

export function binary(operator: BinaryOperator, left: Node, right: Node, at: number): BinaryNode {
  return { type: 'binary', operator, left, right, at, nature: unknown };
}

/** The operands of a node, in the order in which they are evaluated. */
export function operands(node: Node): Node[] {
  switch (node.type) {
    case 'literal':
    case 'name':
    case 'pointer':
      return [];
    case 'unary':
      return [node.operand];
    case 'binary':
      return [node.left, node.right];
    case 'inSet':
      return [node.left];
    case 'chain':
      return [node.inner];
    case 'member':
      return [node.object, node.property];
    case 'slice':
      return [node.object, node.from, node.to].filter((part) => part !== null);
    case 'call':
      return [node.callee, ...node.args];
    case 'builtin':
      return node.args;
    case 'predicate':
      return [node.body];
    case 'let':
      return [node.value, node.body];
    case 'sequence':
    case 'list':
      return node.nodes;
    case 'conditional':
      return [node.condition, node.yes, node.no];
    case 'map':
      return node.pairs.flatMap(({ key, value }) => [key, value]);
  }
}

/** Puts another node in the place of each operand. */
export function replaceOperands(node: Node, change: (operand: Node) => Node): void {
  switch (node.type) {
    case 'literal':
    case 'name':
    case 'pointer':
      return;
    case 'unary':
      node.operand = change(node.operand);
      return;
    case 'binary':
      node.left = change(node.left);
      node.right = change(node.right);
      return;
    case 'inSet':
      node.left = change(node.left);
      return;
    case 'chain':
      node.inner = change(node.inner);
      return;
    case 'member':
      node.object = change(node.object);
      node.property = change(node.property);
      return;
    case 'slice':
      node.object = change(node.object);
      if (node.from) node.from = change(node.from);
      if (node.to) node.to = change(node.to);
      return;
    case 'call':
      node.callee = change(node.callee);
      node.args = node.args.map(change);
      return;
    case 'builtin':
      node.args = node.args.map(change);
      return;
    case 'predicate':
      node.body = change(node.body);
      return;
    case 'let':
      node.value = change(node.value);
      node.body = change(node.body);
      return;
    case 'sequence':
    case 'list':
      node.nodes = node.nodes.map(change);
      return;
    case 'conditional':
      node.condition = change(node.condition);
      node.yes = change(node.yes);
      node.no = change(node.no);
      return;
    case 'map':
      for (const pair of node.pairs) {
        pair.key = change(pair.key);
        pair.value = change(pair.value);
      }
  }
}
