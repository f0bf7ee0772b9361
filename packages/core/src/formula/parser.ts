import { binary, type BinaryOperator, type Node, operands } from './ast.ts';
import { Cursor, type Grammar, tooDeep } from './cursor.ts';
import { maxFormulaDepth, maxNodes } from './limits.ts';
import { unknown } from './natures.ts';
import { parseCallNamed } from './parseCall.ts';
import { parsePrimary } from './parsePrimary.ts';
import { binaryOperator, negatable, orderings } from './precedence.ts';
import { Refusal } from './problem.ts';
import type { Token } from './tokens.ts';

/** The tree of a whole formula; `sequence` allows `x; y` at the top. */
export function parse(text: string, names: ReadonlySet<string>, sequence: boolean): Node {
  const cursor = new Cursor(text, names, grammar);
  const node = sequence ? cursor.sequence() : cursor.expression();
  if (cursor.token.kind !== 'end') throw cursor.unexpected();
  checkSize(node);
  return node;
}

const grammar: Grammar = { expression: parseExpression, sequence: parseSequence };

/** `x; y; z`: the last one is the value. */
function parseSequence(cursor: Cursor): Node {
  const first = cursor.expression();
  const nodes = [first];
  while (cursor.skip(';')) {
    if (cursor.token.kind === 'end') break;
    nodes.push(cursor.expression());
  }
  return nodes.length === 1 ? first : { type: 'sequence', nodes, at: first.at, nature: unknown };
}

/** An expression of operators that bind at least as tightly as `strength`. */
function parseExpression(cursor: Cursor, strength: number): Node {
  if (strength === 0 && cursor.is('let')) return parseLet(cursor);
  if (strength === 0 && cursor.is('if')) return parseIf(cursor);
  const node = parseOperators(cursor, parsePrimary(cursor), strength);
  return strength === 0 ? parseTernary(cursor, node) : node;
}

function parseOperators(cursor: Cursor, first: Node, strength: number): Node {
  let node = first;
  let before = '';
  while (cursor.token.kind === 'operator') {
    const isNegated = cursor.is('not');
    const token = isNegated ? cursor.following : cursor.token;
    if (isNegated && !negatable.has(token.text)) {
      cursor.next();
      throw cursor.unexpected([...negatable]);
    }
    const found = binaryOperator(token.text);
    if (!found || found.strength < strength) break;
    if (isNegated) cursor.next();
    cursor.next();
    if (found.operator === '|') {
      const name = cursor.expectName('the name of a function');
      node = parseCallNamed(cursor, name, [node], false);
    } else {
      if (before === '??' && found.operator !== '??') {
        const text = `"${token.text}" beside "??" needs parentheses that say which comes first`;
        throw new Refusal(text, token.at, token.text);
      }
      if (orderings.has(found.operator)) node = parseComparisons(cursor, node, token, found.strength);
      else {
        const right = cursor.expression(found.operator === '**' ? found.strength : found.strength + 1);
        node = binary(found.operator, node, right, token.at);
        if (isNegated) node = { type: 'unary', operator: 'not', operand: node, at: token.at, nature: unknown };
      }
    }
    before = token.text;
  }
  return node;
}

/** `a < b <= c` is `a < b and b <= c`. */
function parseComparisons(cursor: Cursor, first: Node, firstToken: Token, strength: number): Node {
  let whole: Node | null = null;
  let left = first;
  let token = firstToken;
  for (;;) {
    const right = cursor.expression(strength + 1);
    const one = binary(token.text as BinaryOperator, left, right, token.at);
    whole = whole === null ? one : binary('and', whole, one, token.at);
    if (cursor.token.kind !== 'operator' || !orderings.has(cursor.token.text)) return whole;
    left = right;
    token = cursor.next();
  }
}

function parseTernary(cursor: Cursor, first: Node): Node {
  let node = first;
  while (cursor.is('?')) {
    const { at } = cursor.next();
    // `a ?: b` gives a where it is true.
    let yes = node;
    if (!cursor.is(':')) yes = cursor.expression();
    cursor.expect(':');
    const no = cursor.expression();
    node = { type: 'conditional', condition: node, yes, no, at, nature: unknown };
  }
  return node;
}

function parseLet(cursor: Cursor): Node {
  cursor.expect('let');
  const { text: name, at } = cursor.expectName('the name of a variable');
  cursor.expect('=');
  const value = cursor.expression();
  cursor.expect(';');
  return { type: 'let', name, value, body: cursor.sequence(), at, nature: unknown };
}

function parseIf(cursor: Cursor): Node {
  const { at } = cursor.next();
  const condition = cursor.expression();
  const yes = parseBlock(cursor);
  cursor.expect('else');
  const no = cursor.is('if') ? cursor.nested(() => parseIf(cursor)) : parseBlock(cursor);
  return { type: 'conditional', condition, yes, no, at, nature: unknown };
}

function parseBlock(cursor: Cursor): Node {
  cursor.expect('{');
  const body = cursor.sequence();
  cursor.expect('}');
  return body;
}

/** Chains of operators grow a deep tree without nested text: what walks the tree later must not run out of stack. */
function checkSize(root: Node): void {
  let level = [root];
  let count = 0;
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > maxFormulaDepth) throw new Refusal(tooDeep, level[0]?.at ?? 0);
    count += level.length;
    if (count > maxNodes) throw new Refusal(`longer than ${maxNodes} operators and operands`, 0);
    level = level.flatMap(operands);
  }
}
