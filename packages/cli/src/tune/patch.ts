import type { Edit } from '@ebb/simulator';
import { type Document, isCollection, isMap, isNode, isScalar, parseAllDocuments, stringify, type YAMLMap } from 'yaml';
import { Failure } from '../failure.ts';
import type { SourceText } from '../files.ts';

export interface Patch {
  source: SourceText;
  /** The whole text of the file with the fields changed; comments, and documents that are not changed, stay as they are. */
  text: string;
}

/** The first of the sources that has the documents of the edits, with these. Null: nothing is to be edited. */
export function patched(sources: readonly SourceText[], edits: readonly Edit[]): Patch | null {
  for (const source of sources) {
    let { text } = source;
    for (const edit of edits) text = edited(text, edit, source.name);
    if (text !== source.text) return { source, text };
  }
  return null;
}

/** Puts one field into the text where it stands or belongs; only where that cannot be, the document is written anew. */
function edited(text: string, edit: Edit, file: string): string {
  const documents = parseAllDocuments(text);
  if (!Array.isArray(documents)) return text;
  const document = documents.find((one) => one.get('kind') === edit.kind);
  if (!document) return text;
  return inPlace(text, document, edit) ?? anew(documents, document, edit, file);
}

function inPlace(text: string, { contents }: Document.Parsed, { path, value }: Edit): string | null {
  let at: unknown = contents;
  for (const [depth, key] of path.entries()) {
    const next = isCollection(at) ? at.get(key, true) : undefined;
    if (next !== undefined) at = next;
    else return isMap(at) && typeof key === 'string' ? withField(text, at, path.slice(depth), value) : null;
  }
  if (typeof value === 'object' || !isScalar(at) || !at.range) return null;
  if (at.type === 'BLOCK_LITERAL' || at.type === 'BLOCK_FOLDED') return null;
  const [from, to] = at.range;
  // Nothing stands there: a place between the colon and what follows.
  if (from === to) return null;
  return text.slice(0, from) + stringify(value).trimEnd() + text.slice(to);
}

/** A field of its own line or lines behind the last of a map. */
function withField(text: string, map: YAMLMap, [key, ...rest]: Edit['path'], value: unknown): string | null {
  const first = map.items[0]?.key;
  const end = lastPlace(map);
  if (map.flow || !isScalar(first) || !first.range || end === null || key === undefined) return null;
  if (rest.some((each) => typeof each !== 'string')) return null;
  const indent = ' '.repeat(first.range[0] - (text.lastIndexOf('\n', first.range[0] - 1) + 1));
  const field = { [key]: rest.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) };
  const lines = stringify(field).trimEnd().split('\n');
  // A comment on the last line stays with it.
  const found = text.indexOf('\n', end - (text[end - 1] === '\n' ? 1 : 0));
  const at = found < 0 ? text.length : found;
  return `${text.slice(0, at)}\n${lines.map((line) => indent + line).join('\n')}${text.slice(at)}`;
}

/** Where the last value of a map ends; null: it cannot be told. */
function lastPlace(map: YAMLMap): number | null {
  const { value, key } = map.items.at(-1) ?? {};
  if (isMap(value) && !value.flow && value.items.length > 0) return lastPlace(value);
  if (isNode(value) && value.range) return value.range[1];
  return isNode(key) && key.range ? key.range[1] : null;
}

/** Comments stay; spaces are the writer's own. */
function anew(documents: Document.Parsed[], document: Document.Parsed, { path, value }: Edit, file: string): string {
  try {
    document.setIn(path, document.createNode(value));
  } catch (error) {
    throw new Failure(
      'failed',
      `${file}: ${path.join('.')} cannot be changed in place.`,
      [`change it by hand to ${JSON.stringify(value)}`],
      { cause: error },
    );
  }
  const texts = documents.map((one, index) => {
    if (index > 0 && one.directives) one.directives.docStart = true;
    return one.toString({ lineWidth: 0 });
  });
  return texts.join('');
}

const context = 2;
/** More lines than this are not compared: it takes the square of them. */
const mostLines = 3000;

/** Lines that differ, with two around them, in the manner of `diff -u`. */
export function diffLines(before: string, after: string, name: string): string[] {
  const a = before.split('\n');
  const b = after.split('\n');
  if (Math.max(a.length, b.length) > mostLines) return [`--- ${name} (too long to compare)`];
  const common = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  const at = (row: number, column: number) => common[row]?.[column] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const row = common[i];
      if (row) row[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const all: string[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    if (i < a.length && j < b.length && a[i] === b[j]) all.push(` ${a[((j++, i++))] ?? ''}`);
    else if (i < a.length && (j >= b.length || at(i + 1, j) >= at(i, j + 1))) all.push(`-${a[i++] ?? ''}`);
    else all.push(`+${b[j++] ?? ''}`);
  }
  const isNear = (index: number) =>
    all.slice(Math.max(0, index - context), index + context + 1).some((line) => !line.startsWith(' '));
  const lines = [`--- ${name}`, `+++ ${name}, tuned`];
  for (const [index, line] of all.entries()) {
    if (!isNear(index)) continue;
    if (index > 0 && !isNear(index - 1)) lines.push('@@');
    lines.push(line.trimEnd());
  }
  return lines;
}
