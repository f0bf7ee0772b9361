import { literal, type Node } from './ast.ts';
import { unknown } from './natures.ts';
import { numberValue } from './numberLiterals.ts';
import { parseCallNamed } from './parseCall.ts';
import type { Cursor } from './cursor.ts';
import { parsePostfix } from './parsePostfix.ts';
import { unaryOperator } from './precedence.ts';
import { tokenName } from './tokens.ts';
import { Refusal } from './problem.ts';

/** An operand with what follows it directly: fields, indices, slices. */
export function parsePrimary(cursor: Cursor): Node {
  const { token } = cursor;
  if (token.kind === 'operator') {
    const unary = unaryOperator(token.text);
    if (unary) {
      cursor.next();
      const operand = cursor.expression(unary.strength);
      return parsePostfix(cursor, { type: 'unary', operator: unary.operator, operand, at: token.at, nature: unknown });
    }
    if (cursor.predicates > 0 && (token.text === '#' || token.text === '.'))
      return parsePostfix(cursor, parsePointer(cursor));
    if (token.text === '#')
      throw new Refusal('"#" means the element of a list, inside a function such as filter', token.at, '#');
    if (cursor.skip('::')) {
      const name = cursor.expectName('the name of a function');
      return parsePostfix(cursor, parseCallNamed(cursor, name, [], true));
    }
  }
  if (cursor.skip('(')) {
    const node = cursor.sequence();
    cursor.expect(')');
    return parsePostfix(cursor, node);
  }
  return parseOperand(cursor);
}

function parsePointer(cursor: Cursor): Node {
  const { at } = cursor.token;
  let name = '';
  // A leading dot stays: it is the field of the element, read as what follows the operand.
  if (cursor.skip('#') && cursor.token.kind === 'name') name = cursor.next().text;
  return { type: 'pointer', name, at, nature: unknown };
}

function parseOperand(cursor: Cursor): Node {
  const { token } = cursor;
  switch (token.kind) {
    case 'number':
      cursor.next();
      return literal(numberValue(token), token.at);
    case 'string':
      cursor.next();
      return parsePostfix(cursor, literal(token.text, token.at));
    case 'name': {
      cursor.next();
      if (token.text === 'true' || token.text === 'false') return literal(token.text === 'true', token.at);
      if (token.text === 'nil') return literal(null, token.at);
      if (cursor.is('(')) return parsePostfix(cursor, parseCallNamed(cursor, token, [], false));
      return parsePostfix(cursor, { type: 'name', name: token.text, at: token.at, nature: unknown });
    }
    default:
      if (cursor.is('[')) return parsePostfix(cursor, parseList(cursor));
      if (cursor.is('{')) return parsePostfix(cursor, parseMap(cursor));
      throw new Refusal(`a value was expected, found ${tokenName(token)}`, token.at, token.text);
  }
}

function parseList(cursor: Cursor): Node {
  const { at } = cursor.next();
  const nodes: Node[] = [];
  while (!cursor.is(']')) {
    if (nodes.length > 0) {
      cursor.expect(',');
      if (cursor.is(']')) break;
    }
    nodes.push(cursor.expression());
  }
  cursor.expect(']');
  return { type: 'list', nodes, at, nature: unknown };
}

function parseMap(cursor: Cursor): Node {
  const { at } = cursor.next();
  const pairs: { key: Node; value: Node }[] = [];
  while (!cursor.is('}')) {
    if (pairs.length > 0) {
      cursor.expect(',');
      if (cursor.is('}')) break;
    }
    const key = parseKey(cursor);
    cursor.expect(':');
    pairs.push({ key, value: cursor.expression() });
  }
  cursor.expect('}');
  return { type: 'map', pairs, at, nature: unknown };
}

function parseKey(cursor: Cursor): Node {
  const { token } = cursor;
  if (cursor.is('(')) return cursor.expression();
  if (token.kind === 'name' || token.kind === 'number' || token.kind === 'string') {
    cursor.next();
    return literal(token.text, token.at);
  }
  throw new Refusal(`the key of a map was expected, found ${tokenName(token)}`, token.at, token.text, [
    'a name',
    'a string',
    '(an expression)',
  ]);
}
