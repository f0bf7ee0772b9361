import type { Node } from './ast.ts';
import { loops } from './builtins/loops.ts';
import { builtins, unsupportedFunctions } from './builtins/table.ts';
import { unknown } from './natures.ts';
import type { Cursor } from './cursor.ts';
import { Refusal } from './problem.ts';
import type { Token } from './tokens.ts';

/**
 * The call of a function by its name, which has just been read; `args` holds what a pipe put in front. A value of the
 * same name hides a function, unless it is called as `::name`.
 */
export function parseCallNamed(cursor: Cursor, name: Token, args: Node[], isQualified: boolean): Node {
  const isHidden = !isQualified && cursor.names.has(name.text);
  const loop = isHidden ? undefined : loops.get(name.text);
  if (loop) {
    return {
      type: 'builtin',
      name: name.text,
      args: parseLoopArguments(cursor, name, args),
      at: name.at,
      nature: unknown,
    };
  }
  const reason = isHidden ? undefined : unsupportedFunctions.get(name.text);
  if (reason !== undefined) throw new Refusal(`${name.text} is not supported: ${reason}`, name.at, name.text);
  if (!isHidden && builtins.has(name.text)) {
    return { type: 'builtin', name: name.text, args: parseArguments(cursor, args), at: name.at, nature: unknown };
  }
  const callee: Node = { type: 'name', name: name.text, at: name.at, nature: unknown };
  return { type: 'call', callee, args: parseArguments(cursor, args), at: name.at, nature: unknown };
}

/** `(x, y)` after what a pipe put in front. */
export function parseArguments(cursor: Cursor, before: Node[]): Node[] {
  const args = [...before];
  cursor.expect('(');
  while (!cursor.is(')')) {
    if (args.length > before.length) {
      cursor.expect(',');
      if (cursor.is(')')) break;
    }
    args.push(cursor.expression());
  }
  cursor.expect(')');
  return args;
}

/** `(list, predicate, further)` of a function that goes through a list. */
function parseLoopArguments(cursor: Cursor, name: Token, before: Node[]): Node[] {
  const loop = loops.get(name.text);
  const args = [...before];
  cursor.expect('(');
  const shape: ('list' | 'predicate' | 'further')[] = [
    'list',
    'predicate',
    ...(loop?.further ? (['further'] as const) : []),
  ];
  for (const part of shape.slice(before.length)) {
    const isOptional = part === 'further' || (part === 'predicate' && loop?.predicate === 'optional');
    if (cursor.is(')')) {
      if (isOptional) break;
      throw new Refusal(
        `${name.text} needs ${part === 'list' ? 'a list' : 'a list and a predicate'}`,
        name.at,
        name.text,
      );
    }
    if (args.length > before.length) cursor.expect(',');
    args.push(part === 'predicate' ? parsePredicate(cursor) : cursor.expression());
  }
  cursor.skip(',');
  cursor.expect(')');
  return args;
}

/** `# > 1` or `{ let y = # * 2; y > 1 }`. */
function parsePredicate(cursor: Cursor): Node {
  const { at } = cursor.token;
  const isBraced = cursor.skip('{');
  cursor.predicates += 1;
  const body = isBraced ? cursor.sequence() : cursor.expression();
  cursor.predicates -= 1;
  if (isBraced) cursor.expect('}');
  else if (cursor.is(';'))
    throw new Refusal('a predicate of several parts stands in { and }', cursor.token.at, ';', ['{ … }']);
  return { type: 'predicate', body, at, nature: unknown };
}
