import type { z } from 'zod';
import type { Path } from '../fields/rule.ts';

type Issue = z.core.$ZodIssue;

/** An issue with its path from the document's root; of a union, the alternatives that were tried. */
export interface FlatIssue {
  issue: Issue;
  path: Path;
  /** What each alternative of a union wanted, where none was clearly meant. */
  alternatives: FlatIssue[];
}

/**
 * Looks into unions: where one alternative fits the shape of what was written (a map for a map), its own issues
 * count, because "neither A nor B" helps nobody who wrote an A with a spelling mistake.
 */
export function flattenIssue(issue: Issue, base: Path): FlatIssue[] {
  const path = [...base, ...issue.path.map((part) => (typeof part === 'number' ? part : String(part)))];
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [{ issue, path, alternatives: [] }];
  const branches = issue.errors.map((branch) => branch.flatMap((inner) => flattenIssue(inner, path)));
  const fitting = branches.filter((branch) => !branch.some((inner) => isWrongType(inner, path)));
  const fewest = fitting.toSorted((left, right) => left.length - right.length)[0];
  return fewest ?? [{ issue, path, alternatives: branches.flat() }];
}

/** The value as a whole is of another type, or none of the fixed values. */
function isWrongType({ issue, path }: FlatIssue, at: Path): boolean {
  return path.length === at.length && (issue.code === 'invalid_type' || issue.code === 'invalid_value');
}
