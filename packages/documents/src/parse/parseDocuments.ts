import { clarifaiSecrets, convertClarifai, isClarifai } from '../clarifai/clarifai.ts';
import { clarifaiSchema } from '../clarifai/schemas.ts';
import type { Path } from '../fields/rule.ts';
import { foreignOwner, leftAside } from '../foreignKinds.ts';
import { type DocumentOf, isKindName, type KindName, kindNames, kindOf } from '../kinds.ts';
import { nearest } from '../nearest.ts';
import type { ObjectKey } from '../objectKey.ts';
import type { Problem } from '../problem.ts';
import type { ProblemCode } from '../problemCodes.ts';
import { asWritten } from './asWritten.ts';
import { checkSchema } from './checkSchema.ts';
import { describeValue, foundText, quoted } from './found.ts';
import { lostIndentation } from './lostIndentation.ts';
import { movedLocator } from './movedLocator.ts';
import { type Locator, type Place, parsePathText, pathText } from './place.ts';
import { ProblemList } from './problemList.ts';
import { olderVersion, ownsVersion, refusedVersion } from './versions.ts';
import { yamlDocuments } from './yamlDocuments.ts';

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
  /**
   * Where a path such as `spec.serving.routes[0]` stands, for problems that are found later: its value, unless the key is
   * asked for. Where nothing is written, the nearest parent's key.
   */
  placeOf: (path: string, part?: 'key' | 'value') => Place;
}

/** A document that is right by itself; `kind` tells which. */
export type ParsedDocument = { [Name in KindName]: ParsedAs<Name> }[KindName];

export interface ParseResult {
  /** In the order of the text; those with errors are left out. */
  documents: ParsedDocument[];
  /** In the order of the text, at most 100 and a line that says so. */
  problems: Problem[];
}

export interface ParseOptions {
  file: string;
  /** Documents of other systems (a Deployment, a Service) are left aside with a warning. Left out: they are errors. */
  allowForeign?: boolean;
}

/** One document that is being read. */
interface Reading {
  locator: Locator;
  /** Where it stands in its text: within a List it is one of the items. */
  prefix: Path;
  allowForeign: boolean;
  problems: ProblemList;
  documents: ParsedDocument[];
  /** Of the text's document; dropped where they come from lost indentation. */
  duplicates: Problem[];
}

/**
 * Reads a text of YAML documents (or JSON) of any accepted kind. Never throws for what the text contains: all that
 * is wrong comes back as problems with file, line and column. Warnings do not keep a document out.
 */
export function parseDocuments(text: string, options: ParseOptions): ParseResult {
  const { file, allowForeign = false } = options;
  const problems = new ProblemList();
  const documents: ParsedDocument[] = [];
  for (const { value, locator, duplicates } of yamlDocuments(text, file, problems)) {
    const target = duplicates.length > 0 ? [] : documents;
    const reading = { locator, prefix: [], allowForeign, problems, documents: target, duplicates };
    readRoot(value, reading);
    for (const duplicate of reading.duplicates) problems.add(() => duplicate);
  }
  return { documents, problems: problems.shown() };
}

function readRoot(value: unknown, reading: Reading): void {
  if (!isRecord(value)) {
    const message = `a document is a map with apiVersion, kind, metadata and spec, found ${describeValue(value)}`;
    tell(reading, [], { code: 'not-a-document', message });
    return;
  }
  const { kind, apiVersion } = value;
  if (kind === 'List') {
    readList(value, reading);
    return;
  }
  if (isKindName(kind) && ownsVersion(kindOf(kind), apiVersion)) {
    readVersion(kind, value, reading);
    return;
  }
  if (isClarifai(value)) {
    readClarifai(value, reading);
    return;
  }
  const owner = foreignOwner(apiVersion);
  const relatives = kindNames.filter((name) => ownsVersion(kindOf(name), apiVersion));
  if (owner !== undefined && typeof kind === 'string' && nearest(kind, relatives) === undefined) {
    tellForeign(kind, String(apiVersion), owner, value, reading);
    return;
  }
  if (!isKindName(kind)) {
    const missing = kind === undefined || kind === null;
    tell(reading, missing ? [] : ['kind'], {
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
  readVersion(kind, value, reading);
}

function tellForeign(
  kind: string,
  apiVersion: string,
  owner: string,
  written: Record<string, unknown>,
  reading: Reading,
): void {
  if (reading.allowForeign) {
    const name = isRecord(written.metadata) ? written.metadata.name : undefined;
    const message = leftAside(kind, apiVersion, owner, name);
    tell(reading, ['kind'], { severity: 'warning', code: 'kind-not-used', message, found: foundText(kind) });
    return;
  }
  const message = `${kind} (${apiVersion}, ${owner}) is not accepted yet; accepted are ${kindNames.join(', ')}`;
  tell(reading, ['kind'], { code: 'foreign-kind', message, found: foundText(kind) });
}

/** Turns an older version into the present one first, or says why that cannot be. */
function readVersion(name: KindName, written: Record<string, unknown>, reading: Reading): void {
  const { locator, prefix, problems } = reading;
  const kind = kindOf(name);
  const refused = refusedVersion(kind, written);
  if (refused !== null) {
    tell(reading, ['apiVersion'], { code: 'unsupported-version', message: refused });
    return;
  }
  const lost = lostIndentation(olderVersion(kind, written)?.schema ?? kind.schema, written, locator, prefix);
  if (lost !== null) {
    reading.duplicates = [];
    problems.add(() => lost);
    return;
  }
  const text = asWritten(written, kind.textFields ?? [], locator, prefix, problems);
  const value = kind.normalize?.(text) ?? text;
  const older = olderVersion(kind, value);
  if (older?.schema && checkSchema(older.schema, value, locator, problems, prefix, kind.secretFields) === null) return;
  readKind(name, older?.convert(value) ?? value, reading);
  if (older) tell(reading, ['apiVersion'], { severity: 'warning', code: 'older-version', message: older.message });
}

function readKind(name: KindName, value: Record<string, unknown>, reading: Reading): void {
  const { locator, prefix, problems, documents } = reading;
  const kind = kindOf(name);
  const read = checkSchema(kind.schema, value, locator, problems, prefix, kind.secretFields);
  if (read === null) return;
  for (const { path, code, message } of kind.hints?.(read) ?? []) {
    tell(reading, path, { severity: 'warning', code, message });
  }
  const parsed = {
    kind: name,
    apiVersion: kind.apiVersion,
    key: kind.keyOf(read),
    document: value,
    file: locator.file,
    ...locator.place(prefix, 'value'),
    placeOf: (path: string, part: 'key' | 'value' = 'value') =>
      locator.place([...prefix, ...parsePathText(path)], part),
  };
  // The schema of this very kind has just accepted the value, which no type can tell.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  documents.push(parsed as unknown as ParsedDocument);
}

/** Files of Clarifai become documents of Ebb, each of whose parts knows where it comes from. */
function readClarifai(written: Record<string, unknown>, reading: Reading): void {
  const { locator, prefix, problems } = reading;
  const lost = lostIndentation(clarifaiSchema, written, locator, prefix);
  if (lost !== null) {
    problems.add(() => lost);
    return;
  }
  const file = checkSchema(clarifaiSchema, written, locator, problems, prefix, clarifaiSecrets);
  if (file === null) return;
  for (const { kind, document, hints, origins } of convertClarifai(file)) {
    for (const { path, code, message } of hints) tell(reading, path, { severity: 'warning', code, message });
    readKind(kind, document, { ...reading, prefix: [], locator: movedLocator(locator, prefix, origins) });
  }
}

function readList(list: Record<string, unknown>, reading: Reading): void {
  if (!Array.isArray(list.items)) {
    tell(reading, ['items'], {
      code: 'invalid-list',
      message: `items of a List must be a list, found ${describeValue(list.items)}`,
    });
    return;
  }
  for (const [index, item] of list.items.entries()) {
    const inner = { ...reading, prefix: [...reading.prefix, 'items', index] };
    readRoot(item, inner);
    reading.duplicates = inner.duplicates;
  }
}

/** Adds a problem of the document at a path within it. */
function tell(
  { locator, prefix, problems }: Reading,
  path: Path,
  problem: Partial<Problem> & { code: ProblemCode; message: string },
): void {
  const full = [...prefix, ...path];
  problems.add(() => ({
    severity: 'error',
    file: locator.file,
    ...locator.place(full, 'value'),
    path: pathText(full),
    ...problem,
  }));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
