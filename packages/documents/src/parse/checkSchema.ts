import { z } from 'zod';
import type { Path } from '../fields/rule.ts';
import { fieldHomes } from './fieldHomes.ts';
import { flattenIssue } from './issue.ts';
import { issueProblems } from './issueProblem.ts';
import type { Locator } from './place.ts';
import type { ProblemList } from './problemList.ts';

/**
 * Checks a value against a schema. Gives the typed value with defaults, or null after adding every problem.
 * `prefix` is the value's own path within the text.
 */
export function checkSchema<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  locator: Locator,
  problems: ProblemList,
  prefix: Path = [],
): z.output<Schema> | null {
  const result = schema.safeParse(value, { reportInput: true, error: describeLater });
  if (result.success) return result.data;
  const within: Locator = {
    file: locator.file,
    place: (path, part) => locator.place([...prefix, ...path], part),
    isWritten: (path) => locator.isWritten([...prefix, ...path]),
    sourceOf: (path) => locator.sourceOf([...prefix, ...path]),
  };
  for (const issue of result.error.issues) {
    issueProblems(
      flattenIssue(issue, []),
      { root: value, locator: within, prefix, homes: fieldHomes(schema) },
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
