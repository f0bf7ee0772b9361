import { z } from 'zod';
import type { ProblemCode } from '../problemCodes.ts';

export type Path = (string | number)[];

/** What a rule or a field says beside its message; it travels as `params` of a zod issue. */
export interface IssueParams {
  /** Stable code of the problem. */
  code?: ProblemCode;
  suggestion?: string;
  allowed?: string[];
  /** Other places that belong to the problem, relative to the object that the rule stands on. */
  related?: Path[];
  /** Length of the issue's own path, so that `related` can be made absolute. */
  depth?: number;
}

export type Report = (path: Path, message: string, params: IssueParams & { code: ProblemCode }) => void;

/**
 * A rule between the fields of one object or list. It runs as soon as the fields it reads (dotted paths, `*` for
 * every element) are right by themselves, whatever else is wrong: a person gets to see all that is wrong at once.
 * A rule that names no fields reads the whole value.
 */
export function rule<T>(reads: readonly string[], check: (value: T, report: Report) => void): z.core.$ZodCheck<T> {
  const paths = reads.map((path) => path.split('.'));
  return z.superRefine<T>(
    (value, context) => {
      check(value, (path, message, params) => {
        context.addIssue({ code: 'custom', path, message, params: { ...params, depth: path.length } });
      });
    },
    {
      when: ({ value, issues }) =>
        typeof value === 'object' &&
        value !== null &&
        !issues.some(
          (issue) =>
            issue.code !== 'unrecognized_keys' &&
            (paths.length === 0 || paths.some((path) => overlap(path, issue.path ?? []))),
        ),
    },
  );
}

/** True when one path leads to or through the other. */
function overlap(left: readonly string[], right: readonly PropertyKey[]): boolean {
  const shared = Math.min(left.length, right.length);
  for (let index = 0; index < shared; index += 1) {
    if (left[index] !== '*' && left[index] !== String(right[index])) return false;
  }
  return true;
}

/** Reports every element whose name already stood earlier in the list. */
export function reportDuplicates(
  names: readonly string[],
  label: string,
  pathOf: (index: number) => Path,
  report: Report,
): void {
  const first = new Map<string, number>();
  for (const [index, name] of names.entries()) {
    const earlier = first.get(name);
    if (earlier === undefined) first.set(name, index);
    else
      report(pathOf(index), `${label} "${name}" is there twice`, {
        code: 'duplicate-name',
        related: [pathOf(earlier)],
      });
  }
}
