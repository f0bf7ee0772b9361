import { literal, type Node } from './ast.ts';
import { unknown } from './natures.ts';
import { parseArguments } from './parseCall.ts';
import type { Cursor } from './cursor.ts';
import { Refusal } from './problem.ts';
import { tokenName } from './tokens.ts';

/** What follows an operand directly: `.name`, `?.name`, `[index]`, `?.[index]`, `[from:to]`. */
export function parsePostfix(cursor: Cursor, operand: Node): Node {
  let node = operand;
  for (;;) {
    const optional = cursor.is('?.');
    if (optional && cursor.following.text === '[' && cursor.following.kind === 'bracket') {
      cursor.next();
      node = parseIndex(cursor, node, true);
    } else if (optional || cursor.is('.')) {
      node = parseField(cursor, node, optional);
    } else if (cursor.is('[')) {
      node = parseIndex(cursor, node, false);
    } else {
      return node;
    }
  }
}

function parseField(cursor: Cursor, operand: Node, optional: boolean): Node {
  cursor.next();
  const name = cursor.next();
  // Words such as "in" and "not" may be names of fields.
  if (name.kind !== 'name' && !(name.kind === 'operator' && /^\p{L}+$/u.test(name.text))) {
    throw new Refusal(`the name of a field was expected, found ${tokenName(name)}`, name.at, name.text);
  }
  // `a?.b.c` gives up as a whole: the chain moves outwards over each field.
  const isChain = operand.type === 'chain';
  const object = isChain ? operand.inner : operand;
  let node: Node = {
    type: 'member',
    object,
    property: literal(name.text, name.at),
    optional,
    at: name.at,
    nature: unknown,
  };
  if (cursor.is('('))
    node = { type: 'call', callee: node, args: parseArguments(cursor, []), at: name.at, nature: unknown };
  return isChain || optional ? { type: 'chain', inner: node, at: name.at, nature: unknown } : node;
}

function parseIndex(cursor: Cursor, object: Node, optional: boolean): Node {
  const { at } = cursor.next();
  const from = cursor.is(':') ? null : cursor.expression();
  if (cursor.skip(':')) {
    const to = cursor.is(']') ? null : cursor.expression();
    cursor.expect(']');
    return { type: 'slice', object, from, to, at, nature: unknown };
  }
  cursor.expect(']');
  if (from === null) throw new Error('an index without a value');
  const node: Node = { type: 'member', object, property: from, optional, at, nature: unknown };
  return optional ? { type: 'chain', inner: node, at, nature: unknown } : node;
}
