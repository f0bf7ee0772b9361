import { Composer, type Document, type YAMLError } from 'yaml';
import type { Problem } from '../problem.ts';
import type { ProblemCode } from '../problemCodes.ts';
import { boundedTokens, maxTextLength } from './boundedTokens.ts';
import { lineIndex } from './lineIndex.ts';
import { type LostLine, lostListIndentation } from './lostListIndentation.ts';
import type { Locator, Place } from './place.ts';
import type { ProblemList } from './problemList.ts';
import { mayHoldSecret } from './secretText.ts';
import { YamlRefusal, yamlTree } from './yamlTree.ts';

/** One mistake in the syntax drags others along; the first few tell it all. */
const maxSyntaxProblems = 5;
/** More errors than these are of a text that is no YAML at all. */
const maxErrors = 1000;
/** Keys that are there twice, of one document. */
const maxDuplicates = 1000;
/** How far around the first error in the syntax the lines are looked at for lost indentation. */
const maxLostDistance = 10_000;
const maxLostContext = 100_000;

export interface YamlDocument {
  value: unknown;
  locator: Locator;
  /** Keys that are there twice: the document cannot be used, and the rest of it is still worth checking. */
  duplicates: Problem[];
}

/** What the parts of one text are read with. */
interface Source {
  text: string;
  file: string;
  placeAt: (offset: number) => Place;
  report: (offset: number, code: ProblemCode, message: string) => void;
  /** Problems may not quote the text. */
  isSecret: boolean;
}

/** Splits a YAML or JSON text into plain values that know their places. Empty documents are left out. */
export function yamlDocuments(source: string, file: string, problems: ProblemList): YamlDocument[] {
  const text = source.startsWith('\uFEFF') ? source.slice(1) : source;
  const placeAt = lineIndex(text);
  const report = (offset: number, code: ProblemCode, message: string): void =>
    problems.add((): Problem => ({ severity: 'error', code, message, file, ...placeAt(offset), path: '' }));

  if (text.length > maxTextLength) {
    report(0, 'too-large', `the file has ${text.length} characters; at most ${maxTextLength} are read`);
    return [];
  }
  if (text.includes('\0')) {
    report(text.indexOf('\0'), 'not-text', 'the file is not text: it contains a NUL character');
    return [];
  }

  const isSecret = mayHoldSecret(text);
  const from: Source = { text, file, placeAt, report, isSecret };
  const found: YamlDocument[] = [];
  const refusable = (step: () => void): void => {
    try {
      step();
    } catch (error) {
      if (!(error instanceof YamlRefusal)) throw error;
      const isQuoted = error.code === 'unknown-anchor' || error.code === 'recursive-alias';
      const message = isSecret && isQuoted ? 'a value that begins with * needs quotes' : error.message;
      report(error.offset, error.code, message);
    }
  };
  refusable(() => {
    // A text of nothing but errors has no document; one is made for it, so that they are not lost.
    for (const document of composer().compose(boundedTokens(text), true, text.length)) {
      if (reportSyntax(document, from)) continue;
      refusable(() => {
        const duplicates: Problem[] = [];
        const tree = yamlTree(document.contents, (offset, code, message, first) => {
          if (duplicates.length < maxDuplicates) duplicates.push(duplicateKey(offset, code, message, first, from));
        });
        if (tree.value === null) return;
        const { isWritten, sourceOf, isPlain } = tree;
        const place: Locator['place'] = (path, part) => placeAt(tree.offsetOf(path, part));
        found.push({ value: tree.value, duplicates, locator: { file, place, isWritten, sourceOf, isPlain } });
      });
    }
  });
  return found;
}

function duplicateKey(offset: number, code: ProblemCode, text: string, first: number, from: Source): Problem {
  const { file, placeAt } = from;
  const other = placeAt(first);
  const message = `${text}; the first one is at ${file}:${other.line}:${other.column}`;
  return { severity: 'error', code, message, file, ...placeAt(offset), path: '', related: [{ path: '', ...other }] };
}

/** Duplicate keys are looked for in `yamlTree`: the library compares every pair, which takes hours on a large map. */
function composer(): Composer {
  return new Composer({ uniqueKeys: false, prettyErrors: false, version: '1.2' });
}

/** True when the document cannot be used. */
function reportSyntax(document: Document.Parsed, from: Source): boolean {
  const { placeAt, report, isSecret } = from;
  const lines = new Set<number>();
  const errors = [...document.errors, ...document.warnings].slice(0, maxErrors);
  const lost = lostLine(document, errors, from.text);
  if (lost !== null) {
    report(lost.offset, 'lost-indentation', lost.message);
    return true;
  }
  for (const error of errors) {
    const [offset] = error.pos;
    const { line } = placeAt(offset);
    if (lines.has(line) || lines.size >= maxSyntaxProblems) continue;
    lines.add(line);
    report(offset, error.code === 'RESOURCE_EXHAUSTION' ? 'too-deep' : 'syntax', syntaxMessage(error, isSecret));
    if (error.code === 'RESOURCE_EXHAUSTION') break;
  }
  return lines.size > 0;
}

/** Where the errors come from spaces that are lost before a list or what belongs to its elements. */
function lostLine(document: Document.Parsed, errors: readonly YAMLError[], text: string): LostLine | null {
  const offsets = errors.map(({ pos: [offset] }) => offset);
  const [first] = offsets;
  if (first === undefined || errors.some(({ code }) => code === 'RESOURCE_EXHAUSTION')) return null;
  const start = text.lastIndexOf('\n', first - 1) + 1;
  const last = Math.min(Math.max(...offsets), first + maxLostDistance);
  const end = text.indexOf('\n', last + 1);
  return lostListIndentation(
    text,
    Math.max(document.range[0], first - maxLostContext),
    start,
    end < 0 ? text.length : end,
  );
}

function syntaxMessage(error: YAMLError, isSecret: boolean): string {
  switch (error.code) {
    case 'TAB_AS_INDENT':
      return 'a tab stands where YAML wants spaces for indentation';
    case 'RESOURCE_EXHAUSTION':
      return 'lists and maps are nested too deeply to be read';
    case 'BLOCK_AS_IMPLICIT_KEY':
      return 'a second ": " in one line; put a value that contains ": " in quotes';
    case 'TAG_RESOLVE_FAILED':
      if (isSecret) return 'only plain YAML is read: a value that begins with ! needs quotes';
      return `${lowerFirst(error.message)}; only plain YAML is read`;
    default:
      return isSecret ? 'this is not YAML' : `this is not YAML: ${syntaxDetail(error.message)}`;
  }
}

/** The library's words for lines that stand too far left or right, in the words of who sees only the lines. */
function syntaxDetail(message: string): string {
  const isIndentation = /without - indicator|items must start at the same column/.test(message);
  return isIndentation ? 'this line is indented neither like the line above nor like its parent' : lowerFirst(message);
}

function lowerFirst(text: string): string {
  const short = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  return short.slice(0, 1).toLowerCase() + short.slice(1);
}
