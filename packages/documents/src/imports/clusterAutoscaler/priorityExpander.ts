import type { Path } from '../../fields/rule.ts';
import { ProblemList } from '../../parse/problemList.ts';
import { yamlDocuments } from '../../parse/yamlDocuments.ts';
import { FieldError, isRecord } from '../values.ts';
import { valueAt } from './args.ts';

const configMapName = 'cluster-autoscaler-priority-expander';
export const prioritiesPath: Path = ['data', 'priorities'];

const longestPattern = 200;
const largestWeight = 100;

/** Whether a document has the priorities of the priority expander. */
export function isPriorityMap(value: Record<string, unknown>): boolean {
  return value.kind === 'ConfigMap' && valueAt(value, ['metadata', 'name']) === configMapName;
}

/** Numbers and the patterns of names below them, the highest number first. */
export type Priorities = { priority: number; patterns: RegExp[] }[];

/** The text of the ConfigMap: numbers, each with a list of regular expressions. Throws `FieldError`. */
export function readPriorities(text: unknown): Priorities {
  if (typeof text !== 'string') throw new FieldError('must be text: numbers, each with a list of patterns');
  const problems = new ProblemList();
  const [found] = yamlDocuments(text, configMapName, problems);
  if (problems.count > 0 || !found || !isRecord(found.value)) {
    throw new FieldError('must be YAML: numbers, each with a list of patterns');
  }
  return Object.entries(found.value)
    .map(([key, patterns]) => ({ priority: priorityOf(key), patterns: patternsOf(patterns, key) }))
    .toSorted((left, right) => right.priority - left.priority);
}

function priorityOf(key: string): number {
  if (/^\d{1,9}$/.test(key)) return Number(key);
  throw new FieldError(`has the priority "${key}", which is not a whole number`);
}

function patternsOf(patterns: unknown, key: string): RegExp[] {
  if (!Array.isArray(patterns)) throw new FieldError(`needs a list of patterns at ${key}`);
  return patterns.map((pattern: unknown) => {
    try {
      if (typeof pattern === 'string' && pattern.length <= longestPattern) return new RegExp(pattern);
    } catch {
      // Told below.
    }
    throw new FieldError(`has at ${key} a pattern that cannot be read: ${JSON.stringify(pattern)?.slice(0, 60)}`);
  });
}

/** Weight of a pool: its priority, or, where those go beyond 100, their order; 0 where no pattern fits. */
export function weightOf(group: string, priorities: Priorities): number {
  const index = priorities.findIndex(({ patterns }) => patterns.some((pattern) => pattern.test(group)));
  const found = priorities[index];
  if (!found) return 0;
  const [highest] = priorities;
  if ((highest?.priority ?? 0) <= largestWeight) return found.priority;
  return Math.min(largestWeight, priorities.length - index);
}
