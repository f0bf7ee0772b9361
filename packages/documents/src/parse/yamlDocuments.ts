import { Composer, type Document, type YAMLError } from 'yaml';
import type { Problem } from '../problem.ts';
import type { ProblemCode } from '../problemCodes.ts';
import { boundedTokens, maxTextLength } from './boundedTokens.ts';
import { lineIndex } from './lineIndex.ts';
import type { Locator } from './place.ts';
import type { ProblemList } from './problemList.ts';
import { YamlRefusal, yamlTree } from './yamlTree.ts';

/** One mistake in the syntax drags others along; the first few tell it all. */
const maxSyntaxProblems = 5;

export interface YamlDocument {
  value: unknown;
  locator: Locator;
  /** It has problems already, such as a key that is there twice; the rest is still worth checking. */
  isBroken: boolean;
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

  const found: YamlDocument[] = [];
  const refusable = (step: () => void): void => {
    try {
      step();
    } catch (error) {
      if (!(error instanceof YamlRefusal)) throw error;
      report(error.offset, error.code, error.message);
    }
  };
  refusable(() => {
    // A text of nothing but errors has no document; one is made for it, so that they are not lost.
    for (const document of composer().compose(boundedTokens(text), true, text.length)) {
      if (reportSyntax(document, placeAt, report)) continue;
      refusable(() => {
        const before = problems.count;
        const tree = yamlTree(document.contents, report);
        if (tree.value === null) return;
        const place: Locator['place'] = (path, part) => placeAt(tree.offsetOf(path, part));
        const isBroken = problems.count > before;
        found.push({
          value: tree.value,
          isBroken,
          locator: { file, place, isWritten: tree.isWritten, sourceOf: tree.sourceOf },
        });
      });
    }
  });
  return found;
}

/** Duplicate keys are looked for in `yamlTree`: the library compares every pair, which takes hours on a large map. */
function composer(): Composer {
  return new Composer({ uniqueKeys: false, prettyErrors: false, version: '1.2' });
}

/** True when the document cannot be used. */
function reportSyntax(
  document: Document.Parsed,
  placeAt: ReturnType<typeof lineIndex>,
  report: (offset: number, code: ProblemCode, message: string) => void,
): boolean {
  const lines = new Set<number>();
  for (const error of [...document.errors, ...document.warnings]) {
    const [offset] = error.pos;
    const { line } = placeAt(offset);
    if (lines.has(line) || lines.size >= maxSyntaxProblems) continue;
    lines.add(line);
    report(offset, error.code === 'RESOURCE_EXHAUSTION' ? 'too-deep' : 'syntax', syntaxMessage(error));
    if (error.code === 'RESOURCE_EXHAUSTION') break;
  }
  return lines.size > 0;
}

function syntaxMessage(error: YAMLError): string {
  switch (error.code) {
    case 'TAB_AS_INDENT':
      return 'a tab stands where YAML wants spaces for indentation';
    case 'RESOURCE_EXHAUSTION':
      return 'lists and maps are nested too deeply to be read';
    case 'BLOCK_AS_IMPLICIT_KEY':
      return 'a second ": " in one line; put a value that contains ": " in quotes';
    case 'TAG_RESOLVE_FAILED':
      return `${lowerFirst(error.message)}; only plain YAML is read`;
    default:
      return `this is not YAML: ${syntaxDetail(error.message)}`;
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
