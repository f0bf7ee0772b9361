import type { Path } from '../fields/rule.ts';
import { nearest } from '../nearest.ts';
import { describeValue } from '../parse/found.ts';
import { type Locator, pathText } from '../parse/place.ts';
import type { ProblemList } from '../parse/problemList.ts';
import type { ImportedField } from './imported.ts';
import { FieldError, isRecord } from './values.ts';

/** What becomes of a field: it has a new place (with a note: not in every respect), or a reason why it is ignored. */
export type Outcome = { becomes: string; note?: string } | { ignored: string };

/** Reads a field into the draft of a document. Throws `FieldError` for a value that is wrong. */
export type FieldRule<Draft> = (value: unknown, draft: Draft, path: Path) => Outcome;

/** Rules by dotted path; `*` stands for any key or index. What is below a rule's field is the rule's own. */
export type FieldRules<Draft> = Readonly<Record<string, FieldRule<Draft>>>;

export function ignored(reason: string): () => Outcome {
  return () => ({ ignored: reason });
}

export interface Walk<Draft> {
  rules: FieldRules<Draft>;
  draft: Draft;
  /** Such as `nodepool/gpu`. */
  object: string;
  /** The kind with its version, for fields that it does not have. */
  kindText: string;
  locator: Locator;
  /** Where the document stands in its text. */
  prefix: Path;
  /** Fields, by dotted path, whose values are not shown. */
  hidden?: readonly string[];
  fields: ImportedField[];
  problems: ProblemList;
  /** Told of each field that has a new place. */
  placed?: (becomes: string, from: Path) => void;
}

const maxShown = 48;

/** Applies the rules to every field of a document, so that each is in `fields` or in `problems`. */
export function walkFields<Draft>(value: unknown, path: Path, walk: Walk<Draft>): void {
  if (value === null || value === undefined) return;
  const rule = ruleAt(path, walk.rules);
  if (rule) {
    applyRule(rule, value, path, walk);
    return;
  }
  if (!isInner(path, walk.rules)) {
    tellUnknown(value, path, walk);
    return;
  }
  if (Array.isArray(value)) value.forEach((item, index) => walkFields(item, [...path, index], walk));
  else if (isRecord(value)) for (const [key, inner] of Object.entries(value)) walkFields(inner, [...path, key], walk);
  else tellWrong(`must hold fields, found ${describeValue(value)}`, path, walk);
}

function applyRule<Draft>(rule: FieldRule<Draft>, value: unknown, path: Path, walk: Walk<Draft>): void {
  try {
    const outcome = rule(value, walk.draft, path);
    addField(value, path, outcome, walk);
    if ('becomes' in outcome) walk.placed?.(outcome.becomes, path);
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    tellWrong(error.message, path, walk);
  }
}

function tellUnknown<Draft>(value: unknown, path: Path, walk: Walk<Draft>): void {
  const key = String(path.at(-1));
  const meant = nearest(key, siblings(path, walk.rules));
  const suggestion = meant === undefined ? '' : `; did you mean "${meant}"?`;
  addField(value, path, { ignored: `${walk.kindText} has no such field${suggestion}` }, walk);
}

function tellWrong<Draft>(message: string, path: Path, { locator, prefix, problems }: Walk<Draft>): void {
  const full = [...prefix, ...path];
  problems.add(() => ({
    severity: 'error',
    code: 'invalid-value',
    message: `${pathText(path)} ${message}`,
    file: locator.file,
    ...locator.place(full, 'value'),
    path: pathText(full),
  }));
}

function addField<Draft>(value: unknown, path: Path, outcome: Outcome, walk: Walk<Draft>): void {
  const { object, locator, prefix, fields, hidden = [] } = walk;
  fields.push({
    file: locator.file,
    ...locator.place([...prefix, ...path], 'value'),
    object,
    field: pathText(path),
    value: hidden.some((pattern) => matches(pattern.split('.'), path, true)) ? '***' : shownValue(value),
    ...resultOf(outcome),
  });
}

export function resultOf(outcome: Outcome): Pick<ImportedField, 'result' | 'becomes' | 'reason'> {
  if ('ignored' in outcome) return { result: 'ignored', becomes: null, reason: outcome.ignored };
  const { becomes, note } = outcome;
  return note === undefined
    ? { result: 'honoured', becomes, reason: null }
    : { result: 'approximated', becomes, reason: note };
}

/** A value in one short line. */
export function shownValue(value: unknown): string {
  const line = flowText(value).replace(/\s+/g, ' ');
  return line.length > maxShown ? `${line.slice(0, maxShown - 1)}…` : line;
}

/** As in YAML's flow style, without quotes. */
function flowText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flowText).join(', ')}]`;
  if (!isRecord(value)) return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  const entries = Object.entries(value).map(([key, inner]) => `${key}: ${flowText(inner)}`);
  return `{ ${entries.join(', ')} }`;
}

function ruleAt<Draft>(path: Path, rules: FieldRules<Draft>): FieldRule<Draft> | undefined {
  const exact = path.every((part) => !String(part).includes('.')) ? path.join('.') : '';
  if (Object.hasOwn(rules, exact)) return rules[exact];
  const found = Object.keys(rules).find((pattern) => matches(pattern.split('.'), path, false));
  return found === undefined ? undefined : rules[found];
}

function isInner<Draft>(path: Path, rules: FieldRules<Draft>): boolean {
  return Object.keys(rules).some((pattern) => {
    const parts = pattern.split('.');
    return parts.length > path.length && matches(parts.slice(0, path.length), path, false);
  });
}

function siblings<Draft>(path: Path, rules: FieldRules<Draft>): string[] {
  const parent = path.slice(0, -1);
  const names = Object.keys(rules).flatMap((pattern) => {
    const parts = pattern.split('.');
    const name = parts[parent.length];
    return name !== undefined && name !== '*' && matches(parts.slice(0, parent.length), parent, false) ? [name] : [];
  });
  return [...new Set(names)];
}

function matches(pattern: readonly string[], path: Path, below: boolean): boolean {
  if (below ? path.length < pattern.length : path.length !== pattern.length) return false;
  return pattern.every((part, index) => part === '*' || part === String(path[index]));
}
