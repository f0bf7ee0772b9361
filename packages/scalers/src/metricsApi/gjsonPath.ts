import { SettingFault } from '../contract/parameter.ts';
import { globPattern } from './globPattern.ts';

/** One step of a path into JSON. */
export type Step =
  /** A name with `*` and `?`, or a position in a list. */
  | { kind: 'key'; text: string; pattern: RegExp | null }
  /** How many, or with steps behind it: the same of each. */
  | { kind: 'each' }
  /** Those of a list that fit: the first, or all of them. */
  | { kind: 'query'; query: Query; all: boolean };

export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=' | '%' | '!%';

export interface Query {
  /** What of each element is compared; empty: the element itself. */
  path: readonly Step[];
  /** Null: it only has to be there. */
  operator: Operator | null;
  /** What it is compared with, without quotes. */
  value: string;
  /** `~true` and the like: compares whether it is like true, false or null, or there at all (`*`). */
  likeness: 'true' | 'false' | 'null' | '*' | null;
}

/** Steps between pipes: each part is applied to what the one before gave as a whole. */
export type JsonPath = readonly (readonly Step[])[];

const maxDepth = 20;

/**
 * Reads a path in the syntax of GJSON (https://github.com/tidwall/gjson/blob/master/SYNTAX.md): names with `*`, `?` and
 * `\` before a character that is meant, positions, `#`, queries and pipes. Throws `SettingFault` for the rest: modifiers,
 * literals, several paths at once and JSON lines.
 */
export function parseJsonPath(text: string): JsonPath {
  return new PathReader(text).path();
}

class PathReader {
  readonly #text: string;
  readonly #depth: number;
  #at = 0;

  constructor(text: string, depth = 0) {
    if (depth > maxDepth) throw new SettingFault(`nests queries more than ${maxDepth} deep`);
    this.#text = text;
    this.#depth = depth;
  }

  path(): JsonPath {
    if (this.#text === '') throw new SettingFault('must not be empty');
    if (this.#text.startsWith('..')) throw unsupported('JSON lines (..)');
    const parts: Step[][] = [[]];
    for (;;) {
      parts.at(-1)?.push(this.#step());
      if (this.#at >= this.#text.length) return parts;
      if (this.#text[this.#at++] === '|') parts.push([]);
    }
  }

  #step(): Step {
    const next = this.#text[this.#at];
    if (next === '@') throw unsupported('modifiers (@…)');
    if (next === '!') throw unsupported('literals (!…)');
    if (next === '[' || next === '{') throw unsupported('several paths at once ([…] and {…})');
    if (next !== '#') return this.#key();
    const after = this.#text[this.#at + 1];
    if (after === '(' || after === '[') return this.#query(after === '(' ? ')' : ']');
    if (after === undefined || after === '.' || after === '|') {
      this.#at++;
      return { kind: 'each' };
    }
    return this.#key();
  }

  #key(): Step {
    let text = '';
    let isPattern = false;
    let glob = '';
    for (; this.#at < this.#text.length; this.#at++) {
      let character = this.#text[this.#at] ?? '';
      if (character === '.' || character === '|') break;
      if (character === '\\' && this.#at + 1 < this.#text.length) {
        this.#at++;
        character = this.#text[this.#at] ?? '';
        glob += `\\${character}`;
      } else {
        if (character === '*' || character === '?') isPattern = true;
        glob += character;
      }
      text += character;
    }
    return { kind: 'key', text, pattern: isPattern ? globPattern(glob) : null };
  }

  #query(closing: string): Step {
    const inner = this.#inside(closing);
    const all = this.#text[this.#at] === '#';
    if (all) this.#at++;
    const next = this.#text[this.#at];
    if (next !== undefined && next !== '.' && next !== '|')
      throw new SettingFault(`has "${next}" behind a query, where . or | belongs`);
    return { kind: 'query', query: parseQuery(inner, this.#depth + 1), all };
  }

  /** What is between the brackets of a query; brackets in it and in its texts are its own. */
  #inside(closing: string): string {
    const start = this.#at + 2;
    let depth = 1;
    let isQuoted = false;
    for (this.#at = start; this.#at < this.#text.length; this.#at++) {
      const character = this.#text[this.#at];
      if (character === '\\') this.#at++;
      else if (character === '"') isQuoted = !isQuoted;
      else if (!isQuoted && (character === '(' || character === '[')) depth++;
      else if (!isQuoted && (character === ')' || character === ']')) depth--;
      if (depth > 0) continue;
      if (character !== closing) break;
      return this.#text.slice(start, this.#at++);
    }
    throw new SettingFault(`has a query that is not closed with ${closing}`);
  }
}

function parseQuery(text: string, depth: number): Query {
  const [at, written] = findOperator(text);
  const pathText = (at < 0 ? text : text.slice(0, at)).trim();
  const path = pathText === '' ? [] : new PathReader(pathText, depth).path();
  if (path.length > 1) throw unsupported('pipes in a query');
  const given = at < 0 ? '' : text.slice(at + written.length).trim();
  const [, likeness] = /^~(true|false|null|\*)$/.exec(given) ?? [];
  if (given.startsWith('~') && likeness === undefined)
    throw new SettingFault('compares with ~, which true, false, null or * must follow');
  return {
    path: path[0] ?? [],
    operator: at < 0 ? null : written === '==' ? '=' : (written as Operator),
    value: given.startsWith('"') ? unquoted(given) : given,
    likeness: likeness === undefined ? null : (likeness as Query['likeness']),
  };
}

const operators = ['==', '!=', '!%', '<=', '>=', '=', '<', '>', '%'];

/** The first operator outside of brackets. */
function findOperator(text: string): [number, string] {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '\\') at++;
    else if (character === '(' || character === '[') depth++;
    else if (character === ')' || character === ']') depth--;
    else if (depth === 0) {
      const found = operators.find((operator) => text.startsWith(operator, at));
      if (found !== undefined) return [at, found];
    }
  }
  return [-1, ''];
}

function unquoted(text: string): string {
  const [, inner = ''] = /^"((?:[^"\\]|\\.)*)"?/s.exec(text) ?? [];
  try {
    return JSON.parse(`"${inner}"`) as string;
  } catch {
    return inner.replace(/\\(.)/gs, '$1');
  }
}

function unsupported(what: string): SettingFault {
  return new SettingFault(
    `uses ${what} of GJSON, which are not supported; names, positions, #, #(…), * and ? and | are`,
  );
}
