import type { z } from 'zod';
import type { FlatIssue } from './issue.ts';

const typeNames: Record<string, string> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
};

/** What may stand there, in words: `a whole number`, `"auto" or a whole number`. */
export function wanted(flat: FlatIssue): string {
  const parts = flat.alternatives.length > 0 ? flat.alternatives.map(wantedByOne) : [wantedByOne(flat)];
  return [...new Set(parts)].join(' or ');
}

/** The fixed values that may stand there. */
export function wantedValues({ issue, alternatives }: FlatIssue): string[] {
  if (alternatives.length > 0) return alternatives.flatMap(wantedValues);
  if (issue.code === 'invalid_value') return issue.values.map(String);
  return issue.code === 'invalid_union' ? discriminators(issue) : [];
}

function wantedByOne(flat: FlatIssue): string {
  const values = wantedValues(flat);
  if (values.length > 0) return values.map((value) => `"${value}"`).join(' or ');
  const { issue } = flat;
  return (issue.code === 'invalid_type' ? typeNames[issue.expected] : undefined) ?? 'another value';
}

function discriminators(issue: z.core.$ZodIssueInvalidUnion): string[] {
  const options: unknown = 'options' in issue ? issue.options : undefined;
  return Array.isArray(options) ? options.map(String) : [];
}
