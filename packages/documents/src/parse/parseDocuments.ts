import type { Path } from '../fields/rule.ts';
import { foreignOwner } from '../foreignKinds.ts';
import { type DocumentOf, isKindName, type KindName, kindNames, kindOf } from '../kinds.ts';
import { nearest } from '../nearest.ts';
import type { ObjectKey } from '../objectKey.ts';
import type { Problem } from '../problem.ts';
import type { ProblemCode } from '../problemCodes.ts';
import { checkSchema } from './checkSchema.ts';
import { describeValue, foundText, quoted } from './found.ts';
import { type Locator, type Place, parsePathText, pathText } from './place.ts';
import { ProblemList } from './problemList.ts';
import { olderVersion, ownsVersion, refusedVersion } from './versions.ts';
import { yamlDocuments } from './yamlDocuments.ts';

interface Refusal {
  code: ProblemCode;
  message: string;
}

interface ParsedAs<Name extends KindName> {
  kind: Name;
  apiVersion: string;
  key: ObjectKey;
  /**
   * As it was written, with aliases and merges filled in; of a cluster's own kinds in the present version and without
   * what only a cluster writes. What the `resolve` functions and a store take.
   */
  document: DocumentOf<Name>;
  file: string;
  /** Where the document begins. */
  line: number;
  column: number;
  /** Where a path such as `spec.serving.routes[0]` stands, for problems that are found later. */
  placeOf: (path: string) => Place;
}

/** A document that is right by itself; `kind` tells which. */
export type ParsedDocument = { [Name in KindName]: ParsedAs<Name> }[KindName];

export interface ParseResult {
  /** In the order of the text; those with errors are left out. */
  documents: ParsedDocument[];
  /** In the order of the text, at most 100 and a line that says so. */
  problems: Problem[];
}

/**
 * Reads a text of YAML documents (or JSON) of any accepted kind. Never throws for what the text contains: all that
 * is wrong comes back as problems with file, line and column. Warnings do not keep a document out.
 */
export function parseDocuments(text: string, options: { file: string }): ParseResult {
  const problems = new ProblemList();
  const documents: ParsedDocument[] = [];
  for (const { value, locator, isBroken } of yamlDocuments(text, options.file, problems)) {
    readRoot(value, locator, [], problems, isBroken ? [] : documents);
  }
  return { documents, problems: problems.shown() };
}

function readRoot(
  value: unknown,
  locator: Locator,
  prefix: Path,
  problems: ProblemList,
  documents: ParsedDocument[],
): void {
  const refuse = (path: Path, part: 'key' | 'value', rest: Refusal & Partial<Problem>): void => {
    const full = [...prefix, ...path];
    problems.add(() => ({
      severity: 'error',
      file: locator.file,
      ...locator.place(full, part),
      path: pathText(full),
      ...rest,
    }));
  };
  if (!isRecord(value)) {
    const message = `a document is a map with apiVersion, kind, metadata and spec, found ${describeValue(value)}`;
    refuse([], 'value', { code: 'not-a-document', message });
    return;
  }
  const { kind, apiVersion } = value;
  if (kind === 'List') {
    readList(value, locator, prefix, problems, documents, refuse);
    return;
  }
  if (isKindName(kind) && ownsVersion(kindOf(kind), apiVersion)) {
    readVersion(kind, value, locator, prefix, problems, documents, refuse);
    return;
  }
  const owner = foreignOwner(apiVersion);
  const relatives = kindNames.filter((name) => ownsVersion(kindOf(name), apiVersion));
  if (owner !== undefined && typeof kind === 'string' && nearest(kind, relatives) === undefined) {
    const message = `${kind} (${String(apiVersion)}, ${owner}) is not accepted yet; accepted are ${kindNames.join(', ')}`;
    refuse(['kind'], 'value', { code: 'foreign-kind', message, found: foundText(kind) });
    return;
  }
  if (!isKindName(kind)) {
    const missing = kind === undefined || kind === null;
    refuse(missing ? [] : ['kind'], 'value', {
      code: missing ? 'missing-field' : 'unknown-kind',
      message: missing
        ? 'missing field "kind"'
        : `unknown kind ${typeof kind === 'string' ? quoted(kind) : describeValue(kind)}`,
      found: missing ? undefined : foundText(kind),
      allowed: kindNames,
      suggestion: typeof kind === 'string' ? nearest(kind, kindNames) : undefined,
    });
    return;
  }
  readVersion(kind, value, locator, prefix, problems, documents, refuse);
}

/** Turns an older version into the present one first, or says why that cannot be. */
function readVersion(
  name: KindName,
  written: Record<string, unknown>,
  locator: Locator,
  prefix: Path,
  problems: ProblemList,
  documents: ParsedDocument[],
  refuse: (path: Path, part: 'key' | 'value', rest: Refusal) => void,
): void {
  const kind = kindOf(name);
  const refused = refusedVersion(kind, written);
  if (refused !== null) {
    refuse(['apiVersion'], 'value', { code: 'unsupported-version', message: refused });
    return;
  }
  const value = kind.normalize?.(written) ?? written;
  const older = olderVersion(kind, value);
  if (older?.schema && checkSchema(older.schema, value, locator, problems, prefix) === null) return;
  readKind(name, older?.convert(value) ?? value, locator, prefix, problems, documents);
  if (!older) return;
  const path = [...prefix, 'apiVersion'];
  problems.add(() => ({
    severity: 'warning',
    code: 'older-version',
    message: older.message,
    file: locator.file,
    ...locator.place(path, 'value'),
    path: pathText(path),
  }));
}

function readKind(
  name: KindName,
  value: Record<string, unknown>,
  locator: Locator,
  prefix: Path,
  problems: ProblemList,
  documents: ParsedDocument[],
): void {
  const kind = kindOf(name);
  const read = checkSchema(kind.schema, value, locator, problems, prefix);
  if (read === null) return;
  for (const { path, code, message } of kind.hints?.(read) ?? []) {
    const full = [...prefix, ...path];
    problems.add(() => ({
      severity: 'warning',
      code,
      message,
      file: locator.file,
      ...locator.place(full, 'value'),
      path: pathText(full),
    }));
  }
  const parsed = {
    kind: name,
    apiVersion: kind.apiVersion,
    key: kind.keyOf(read),
    document: value,
    file: locator.file,
    ...locator.place(prefix, 'value'),
    placeOf: (path: string) => locator.place([...prefix, ...parsePathText(path)], 'value'),
  };
  // The schema of this very kind has just accepted the value, which no type can tell.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  documents.push(parsed as unknown as ParsedDocument);
}

function readList(
  list: Record<string, unknown>,
  locator: Locator,
  prefix: Path,
  problems: ProblemList,
  documents: ParsedDocument[],
  refuse: (path: Path, part: 'key' | 'value', rest: Refusal) => void,
): void {
  if (!Array.isArray(list.items)) {
    refuse(['items'], 'value', {
      code: 'invalid-list',
      message: `items of a List must be a list, found ${describeValue(list.items)}`,
    });
    return;
  }
  for (const [index, item] of list.items.entries()) {
    readRoot(item, locator, [...prefix, 'items', index], problems, documents);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
