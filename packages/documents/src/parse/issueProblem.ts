import type { z } from 'zod';
import type { IssueParams, Path } from '../fields/rule.ts';
import { nearest } from '../nearest.ts';
import type { ProblemCode } from '../problemCodes.ts';
import type { Problem, RelatedPlace } from '../problem.ts';
import { describeType, describeValue, foundText, quoted } from './found.ts';
import type { FlatIssue } from './issue.ts';
import { type Locator, pathText } from './place.ts';
import type { ProblemList } from './problemList.ts';
import { valueAt } from './valueAt.ts';
import { wanted, wantedValues } from './wanted.ts';

type Issue = z.core.$ZodIssue;

/** What a problem says, before it has a place. */
interface Finding {
  code: ProblemCode;
  message: string;
  /** Default: the issue's own path. */
  path?: Path;
  /** Default: the value. */
  at?: 'key' | 'value' | 'parent';
  found?: string;
  allowed?: string[];
  suggestion?: string;
  related?: Path[];
}

/** What the words and places of a problem are made from. */
export interface IssueContext {
  /** The value that was checked. */
  root: unknown;
  locator: Locator;
  /** Path of the value within its text. */
  prefix: Path;
  /** Where a field's name is known, by name. */
  homes: ReadonlyMap<string, string[]>;
  /** Whether the value at a path must not be shown. */
  isSecret: (path: Path) => boolean;
}

/** Puts issues into words and adds them with their places. */
export function issueProblems(issues: FlatIssue[], context: IssueContext, problems: ProblemList): void {
  for (const flat of issues) {
    if (flat.issue.code === 'unrecognized_keys') {
      const fields = fieldsOf(flat.issue);
      for (const key of flat.issue.keys) {
        problems.add(() => placed(unknownField(key, flat.path, fields, context.homes), flat, context));
      }
    } else {
      problems.add(() => placed(finding(flat, context), flat, context));
    }
  }
}

function placed(finding: Finding, flat: FlatIssue, { locator, prefix }: IssueContext): Problem {
  const path = finding.path ?? flat.path;
  const place =
    finding.at === 'parent' ? locator.place(path.slice(0, -1), 'key') : locator.place(path, finding.at ?? 'value');
  const related = (finding.related ?? []).map((other) => relatedPlace(other, locator, prefix));
  const { allowed, suggestion, found } = finding;
  return {
    severity: 'error',
    code: finding.code,
    message: [finding.message, ...related.map((other) => other.text)].join('; '),
    file: locator.file,
    ...place,
    path: pathText([...prefix, ...path]),
    ...(found === undefined ? {} : { found }),
    ...(allowed?.length ? { allowed } : {}),
    ...(suggestion === undefined ? {} : { suggestion }),
    ...(related.length > 0 ? { related: related.flatMap((other) => other.place ?? []) } : {}),
  };
}

function relatedPlace(path: Path, locator: Locator, prefix: Path): { text: string; place?: RelatedPlace } {
  const name = path.findLast((part) => typeof part === 'string') ?? pathText(path);
  if (!locator.isWritten(path)) return { text: `${name} is left at its default` };
  const place = locator.place(path, 'value');
  return {
    text: `${name} is at ${locator.file}:${place.line}:${place.column}`,
    place: { path: pathText([...prefix, ...path]), ...place },
  };
}

function unknownField(key: string, parent: Path, fields: string[], homes: ReadonlyMap<string, string[]>): Finding {
  const where = parent.length === 0 ? 'at the top of the document' : `in ${pathText(parent)}`;
  const suggestion = nearest(key, fields);
  return {
    code: 'unknown-field',
    message: `unknown field ${quoted(key)} ${where}${suggestion ? '' : homeHint(key, parent, homes)}`,
    path: [...parent, key],
    at: 'key',
    found: foundText(key),
    allowed: fields,
    suggestion,
  };
}

const depth = (home: string): number => home.split('.').length;

/** A right name in the wrong place is told its place: the one that is nearest to the top. */
function homeHint(key: string, parent: Path, homes: ReadonlyMap<string, string[]>): string {
  if (parent.length === 0 && key === 'status') return '; Ebb writes the status by itself';
  const [first, second] = (homes.get(key) ?? []).toSorted((left, right) => depth(left) - depth(right));
  if (first === undefined || (second !== undefined && depth(second) === depth(first))) return '';
  return `; it belongs in ${first}`;
}

function finding(flat: FlatIssue, { root, locator, isSecret }: IssueContext): Finding {
  const { issue, path } = flat;
  const input = valueAt(root, path);
  const subject = pathText(path) || 'the document';
  const params = paramsOf(issue);
  if (input === undefined && isMissing(issue)) return missingField(flat);
  const isHidden = isSecret(path) && issue.code !== 'invalid_key';
  if (issue.message !== '') return inOwnWords(issue, subject, path, isHidden ? undefined : input, params);
  if (input === null) {
    return {
      code: 'no-value',
      message: `${subject} has no value; leave it out, or write ${wanted(flat)}`,
      at: 'key',
      found: 'null',
    };
  }
  if (isHidden) return hiddenFinding(flat, subject, input);
  const found = foundText(input);
  switch (issue.code) {
    case 'invalid_value':
    case 'invalid_union': {
      const allowed = wantedValues(flat);
      if (typeof input === 'object' || allowed.length === 0 || flat.alternatives.length > 1) {
        const message = `${subject} must be ${wanted(flat)}, found ${describeValue(input)}`;
        return { code: 'invalid-value', message, found, suggestion: nearestValue(input, allowed) };
      }
      const suggestion = nearestValue(input, allowed) ?? (allowed.length === 1 ? allowed[0] : undefined);
      const message = `${subject} has the unknown value ${typeof input === 'string' ? quoted(input) : describeValue(input)}`;
      return { code: 'invalid-value', message, found, allowed, suggestion };
    }
    case 'invalid_key': {
      const key = String(path.at(-1));
      const reason = issue.issues.map((inner) => inner.message).find((text) => text !== '') ?? 'is not accepted';
      return {
        code: 'invalid-name',
        message: `${pathText(path.slice(0, -1))}: ${quoted(key)} ${reason}`,
        at: 'key',
        found: foundText(key),
      };
    }
    case 'too_small':
    case 'too_big':
      return { code: 'out-of-bounds', message: `${subject} ${bound(issue)}${sizeFound(issue, input)}`, found };
    case 'invalid_type':
      return {
        code: 'wrong-type',
        message: `${subject} must be ${wanted(flat)}, found ${describeValue(input)}${quotesHint(issue, input, locator.sourceOf(path))}`,
        found,
      };
    default:
      return { code: 'invalid-value', message: `${subject} is not accepted, found ${describeValue(input)}`, found };
  }
}

/** What is wrong with a secret value: what is wanted, and of what type the value is, but never the value. */
function hiddenFinding(flat: FlatIssue, subject: string, input: unknown): Finding {
  const { issue } = flat;
  if (issue.code === 'too_small' || issue.code === 'too_big') {
    return { code: 'out-of-bounds', message: `${subject} ${bound(issue)}` };
  }
  const isUnquoted = typeof input === 'number' || typeof input === 'boolean';
  const remedy =
    issue.code === 'invalid_type' && issue.expected === 'string' && isUnquoted ? '; write it in quotes' : '';
  const code = issue.code === 'invalid_type' ? 'wrong-type' : 'invalid-value';
  return { code, message: `${subject} must be ${wanted(flat)}, found ${describeType(input)}${remedy}` };
}

function missingField(flat: FlatIssue): Finding {
  const { path } = flat;
  const parent = pathText(path.slice(0, -1));
  const allowed = wantedValues(flat);
  const name = quoted(String(path.at(-1)));
  return {
    code: 'missing-field',
    message: `missing field ${name}${parent ? ` in ${parent}` : ''}`,
    at: 'parent',
    allowed,
    ...(allowed.length === 1 ? { suggestion: allowed[0] } : {}),
  };
}

/** An issue whose schema brought its message: a rule's stands alone, the others need to say where. */
function inOwnWords(issue: Issue, subject: string, path: Path, input: unknown, params: IssueParams): Finding {
  const base = params.depth === undefined ? [] : path.slice(0, path.length - params.depth);
  const { code = issue.code === 'invalid_type' ? 'wrong-type' : 'invalid-value', suggestion, allowed } = params;
  const related = params.related?.map((other) => [...base, ...other]);
  const rest = { code, found: foundText(input), suggestion, allowed, related };
  if (params.depth !== undefined) return { message: issue.message, ...rest };
  if (!/^(must|is|begins) /.test(issue.message)) return { message: `${subject}: ${issue.message}`, ...rest };
  const shown = issue.code !== 'invalid_type' && typeof input === 'string' ? ` ${quoted(input)}` : '';
  return { message: `${subject}${shown} ${issue.message}`, ...rest };
}

function bound(issue: Extract<Issue, { code: 'too_small' | 'too_big' }>): string {
  const isSmall = issue.code === 'too_small';
  const limit = isSmall ? issue.minimum : issue.maximum;
  if (isSmall && issue.origin !== 'number' && issue.origin !== 'int' && limit === 1) return 'must not be empty';
  if (issue.origin === 'string') return `must have at ${isSmall ? 'least' : 'most'} ${limit} characters`;
  if (issue.origin === 'array') return `must have at ${isSmall ? 'least' : 'most'} ${limit} elements`;
  if (!issue.inclusive) return `must be ${isSmall ? 'more' : 'less'} than ${limit}`;
  return `must be at ${isSmall ? 'least' : 'most'} ${limit}`;
}

function sizeFound(issue: Extract<Issue, { code: 'too_small' | 'too_big' }>, input: unknown): string {
  if (typeof input === 'number') return `, found ${input}`;
  const size = typeof input === 'string' || Array.isArray(input) ? input.length : 0;
  return issue.code === 'too_big' && size > 0 ? `, found ${size}` : '';
}

/** YAML reads 8080 as a number and "8080" as text; who meant the other needs to hear how to write it. */
function quotesHint(issue: Issue, input: unknown, source: string | undefined): string {
  if (issue.code !== 'invalid_type') return '';
  if (issue.expected === 'string' && (typeof input === 'number' || typeof input === 'boolean')) {
    return `; write it in quotes: "${source ?? String(input)}"`;
  }
  const wantsPlain = issue.expected === 'number' || issue.expected === 'int' || issue.expected === 'boolean';
  const plain = typeof input === 'string' && /^(-?\d+(\.\d+)?|true|false)$/.test(input);
  return wantsPlain && plain ? '; write it without quotes' : '';
}

function nearestValue(input: unknown, allowed: string[]): string | undefined {
  return typeof input === 'string' ? nearest(input, allowed) : undefined;
}

function isMissing(issue: Issue): boolean {
  return issue.code === 'invalid_type' || issue.code === 'invalid_value' || issue.code === 'invalid_union';
}

function fieldsOf(issue: Issue): string[] {
  const fields: unknown = 'fields' in issue ? issue.fields : undefined;
  return Array.isArray(fields) ? fields.map(String) : [];
}

function paramsOf(issue: Issue): IssueParams {
  return issue.code === 'custom' && issue.params ? (issue.params satisfies IssueParams) : {};
}
