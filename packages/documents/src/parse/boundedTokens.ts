import { type CST, Lexer, Parser } from 'yaml';
import { maxDepth, YamlRefusal } from './yamlTree.ts';

/** Larger files are refused before they are read. */
export const maxTextLength = 4 * 1024 * 1024;
/** Words and signs of one file: some 25,000 lines of ordinary documents. A file of only brackets runs into it. */
export const maxLexemes = 200_000;
/** Signs that belong nowhere; beyond these the text is not YAML at all. */
const maxStrayTokens = 20;
/** The parser keeps a few entries open besides one for each level. */
const stackAllowance = 8;

/**
 * The parser's tokens of a text, within bounds of depth and number: without them a few megabytes of brackets keep
 * the library busy for minutes, or end the process for lack of memory. Throws `YamlRefusal`.
 */
export function* boundedTokens(text: string): Generator<CST.Token> {
  const parser = new Parser();
  let lexemes = 0;
  let stray = 0;
  for (const lexeme of new Lexer().lex(text)) {
    lexemes += 1;
    if (lexemes > maxLexemes) {
      throw new YamlRefusal(parser.offset, 'too-large', `the file has more than ${maxLexemes} words and signs`);
    }
    for (const token of parser.next(lexeme)) {
      stray += token.type === 'error' ? 1 : 0;
      yield token;
    }
    if (stray > maxStrayTokens) break;
    if (parser.stack.length > maxDepth + stackAllowance) {
      throw new YamlRefusal(parser.offset, 'too-deep', `nested deeper than ${maxDepth} levels`);
    }
  }
  yield* parser.end();
}
