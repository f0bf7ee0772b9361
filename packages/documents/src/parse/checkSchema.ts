import { z } from 'zod';
import type { Path } from '../fields/rule.ts';
import type { PathPattern } from '../kind.ts';
import { fieldHomes } from './fieldHomes.ts';
import { flattenIssue } from './issue.ts';
import { issueProblems } from './issueProblem.ts';
import { isWithin } from './pathPattern.ts';
import type { Locator } from './place.ts';
import type { ProblemList } from './problemList.ts';

/**
 * Checks a value against a schema. Gives the typed value with defaults, or null after adding every problem.
 * `prefix` is the value's own path within the text; what stands at `secretFields` is in no message.
 */
export function checkSchema<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  locator: Locator,
  problems: ProblemList,
  prefix: Path = [],
  secretFields: readonly PathPattern[] = [],
): z.output<Schema> | null {
  const result = schema.safeParse(value, { reportInput: true, error: describeLater });
  if (result.success) return result.data;
  const within: Locator = {
    file: locator.file,
    place: (path, part) => locator.place([...prefix, ...path], part),
    isWritten: (path) => locator.isWritten([...prefix, ...path]),
    sourceOf: (path) => locator.sourceOf([...prefix, ...path]),
    isPlain: (path) => locator.isPlain([...prefix, ...path]),
  };
  const isSecret = (path: Path): boolean => secretFields.some((pattern) => isWithin(path, pattern));
  for (const issue of result.error.issues) {
    issueProblems(
      flattenIssue(issue, []),
      { root: value, locator: within, prefix, homes: fieldHomes(schema), isSecret },
      problems,
    );
  }
  return null;
}

/**
 * Leaves the message empty, which tells issues without words of their own, and keeps the names of the fields that
 * the object has, because a finished issue no longer knows its schema.
 */
function describeLater(issue: z.core.$ZodRawIssue): string {
  if (issue.code === 'unrecognized_keys' && issue.inst instanceof z.ZodObject)
    issue.fields = Object.keys(issue.inst.shape);
  return '';
}
