import type { Node } from './ast.ts';
import { maxFormulaDepth } from './limits.ts';
import { Refusal } from './problem.ts';
import { type Token, tokenize, tokenName } from './tokens.ts';

/** The two rules of the grammar that all the others lead back to. */
export interface Grammar {
  expression(cursor: Cursor, strength: number): Node;
  sequence(cursor: Cursor): Node;
}

export const tooDeep = `nested more than ${maxFormulaDepth} levels deep`;

/** Where the parser stands in the tokens of one formula. */
export class Cursor {
  /** Names of the values that the formula is about; a function of the same name is hidden by them. */
  readonly names: ReadonlySet<string>;
  /** Predicates around the place: in one, `#` and a leading dot mean the element. */
  predicates = 0;
  private readonly grammar: Grammar;
  private readonly tokens: Token[];
  private index = 0;
  private depth = 0;

  constructor(text: string, names: ReadonlySet<string>, grammar: Grammar) {
    this.names = names;
    this.grammar = grammar;
    this.tokens = tokenize(text);
  }

  /** An expression of operators that bind at least as tightly as `strength`. */
  expression(strength = 0): Node {
    return this.nested(() => this.grammar.expression(this, strength));
  }

  /** `x; y; z` */
  sequence(): Node {
    return this.grammar.sequence(this);
  }

  get token(): Token {
    const token = this.tokens[this.index];
    if (token === undefined) throw new Error('read beyond the last token');
    return token;
  }

  get following(): Token {
    return this.tokens[this.index + 1] ?? this.token;
  }

  /** The token at the cursor, which moves on; it stays on the end. */
  next(): Token {
    const token = this.token;
    if (token.kind !== 'end') this.index += 1;
    return token;
  }

  /** Whether this operator or bracket stands at the cursor. */
  is(text: string): boolean {
    const { token } = this;
    return token.text === text && (token.kind === 'operator' || token.kind === 'bracket');
  }

  /** Moves over this operator or bracket if it stands here. */
  skip(text: string): boolean {
    if (!this.is(text)) return false;
    this.index += 1;
    return true;
  }

  expect(...texts: string[]): void {
    if (texts.some((text) => this.skip(text))) return;
    throw this.unexpected(texts);
  }

  expectName(what: string): Token {
    if (this.token.kind === 'name') return this.next();
    throw new Refusal(`${what} was expected, found ${tokenName(this.token)}`, this.token.at, this.token.text);
  }

  unexpected(allowed?: string[]): Refusal {
    const wanted = allowed ? `${allowed.map((text) => `"${text}"`).join(' or ')} was expected, found ` : 'unexpected ';
    return new Refusal(`${wanted}${tokenName(this.token)}`, this.token.at, this.token.text, allowed);
  }

  /** Parses something that may contain itself, within the bound of nesting. */
  nested<T>(parse: () => T): T {
    this.depth += 1;
    if (this.depth > maxFormulaDepth) throw new Refusal(tooDeep, this.token.at);
    const result = parse();
    this.depth -= 1;
    return result;
  }
}
