import { Refusal } from './problem.ts';
import { unescape } from './stringLiterals.ts';

export interface Token {
  kind: 'name' | 'number' | 'string' | 'operator' | 'bracket' | 'end';
  /** A string's value without its quotes and escapes, else the text as it stands. */
  text: string;
  /** Offset of the first character, and of the one after the last. */
  at: number;
  end: number;
}

const wordOperators = new Set([
  'in',
  'or',
  'and',
  'matches',
  'contains',
  'startsWith',
  'endsWith',
  'let',
  'if',
  'else',
  'not',
]);

// Sticky expressions, one for each class of token. What is a letter, digit and space is what Go's unicode package says.
const space = /[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/uy;
const comment = /\/\/[^\n]*|\/\*[^]*?\*\//uy;
const word = /[\p{L}\p{Nd}_$]+/uy;
const string = /"(?:[^"\\\n]|\\[^])*"|'(?:[^'\\\n]|\\[^])*'/uy;
const rawString = /`(?:[^`]|``)*`/uy;
// Digits with underscores; a dot is part of a number unless another dot follows it (1..3 is a range).
const number =
  /0[xX][\da-fA-F_]*(?:\.(?!\.)[\da-fA-F_]*)?|0[oO][0-7_]*|0[bB][01_]*|(?:\d[\d_]*(?:\.(?!\.)[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?[\d_]*)?/uy;
const operator = /\?[.?]?|\|\|?|::?|\.\.?|[&!=*<>][&=*]?|##?|[,;%+\-^/]/uy;
const bracket = /[()[\]{}]/uy;

/** The tokens of a formula with an `end` token after the last, or a refusal. Linear in the length of the text. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const take = (expression: RegExp): string | null => {
    expression.lastIndex = at;
    return expression.exec(text)?.[0] ?? null;
  };
  const add = (kind: Token['kind'], raw: string, value = raw) => {
    tokens.push({ kind, text: value, at, end: at + raw.length });
    at += raw.length;
  };
  while (at < text.length) {
    const skipped = take(space) ?? take(comment);
    if (skipped !== null) {
      at += skipped.length;
      continue;
    }
    const first = text[at] ?? '';
    let raw: string | null;
    if (first === '"' || first === "'") {
      raw = take(string);
      if (raw === null) throw new Refusal('this string does not end', at, first);
      add('string', raw, unescape(raw.slice(1, -1), first, at + 1));
    } else if (first === '`') {
      raw = take(rawString);
      if (raw === null) throw new Refusal('this string does not end', at, first);
      add('string', raw, raw.slice(1, -1).replaceAll('``', '`'));
    } else if (text.startsWith('/*', at)) {
      throw new Refusal('this comment does not end', at, '/*');
    } else if (/[bB]/.test(first) && /["']/.test(text[at + 1] ?? '')) {
      throw new Refusal('byte strings are not supported', at, text.slice(at, at + 2));
    } else if ((raw = /[\d.]/.test(first) ? take(number) : null) !== null) {
      at += raw.length;
      const rest = take(word);
      at -= raw.length;
      if (rest !== null) throw new Refusal(`"${raw}${rest}" is not a number`, at, raw + rest);
      add('number', raw);
    } else if ((raw = take(word)) !== null) {
      add(wordOperators.has(raw) ? 'operator' : 'name', raw);
    } else if ((raw = take(bracket)) !== null) {
      add('bracket', raw);
    } else if ((raw = take(operator)) !== null) {
      add('operator', raw);
      // The name of a pointer is a name even where it is spelled like an operator or a number.
      const pointer = raw.startsWith('#') ? take(word) : null;
      if (pointer !== null) add('name', pointer);
    } else {
      const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
      throw new Refusal(`the character ${JSON.stringify(character)} has no meaning here`, at, character);
    }
  }
  tokens.push({ kind: 'end', text: '', at: text.length, end: text.length });
  return tokens;
}

/** How messages name a token. */
export function tokenName(token: Token): string {
  if (token.kind === 'end') return 'the end of the formula';
  return token.kind === 'string' ? `the string ${JSON.stringify(token.text)}` : `"${token.text}"`;
}
