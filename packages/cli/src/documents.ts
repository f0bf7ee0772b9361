import { decisionProblems } from '@ebb/core';
import {
  checkBatch,
  type ParsedDocument,
  parseDocuments,
  placementProblems,
  placesOf,
  type Problem,
  problemText,
} from '@ebb/documents';
import { triggerProblems } from '@ebb/scalers';
import type { EbbContext } from './context.ts';
import { Failure } from './failure.ts';
import type { SourceText } from './files.ts';
import { countText } from './text/format.ts';

export interface CheckedDocuments {
  documents: ParsedDocument[];
  problems: Problem[];
}

export interface ReadOptions {
  /** Documents of other systems are left aside with a warning. Left out: they are, so that a folder of KEDA files will do. */
  allowForeign?: boolean;
  /** Whether the settings of triggers are checked too. Left out: they are. */
  checksTriggers?: boolean;
  /** What a workload that is placed elsewhere is: an error where documents are to be applied. Left out: a warning. */
  placedElsewhere?: Problem['severity'];
}

/** Reads all documents of all sources, and checks them one by one and against one another. Needs no running Ebb. */
export function readDocuments(
  sources: readonly SourceText[],
  { allowForeign = true, checksTriggers = true, placedElsewhere = 'warning' }: ReadOptions = {},
): CheckedDocuments {
  const results = sources.map(({ name, text }) => parseDocuments(text, { file: name, allowForeign }));
  const documents = results.flatMap((result) => result.documents);
  const own = results.flatMap((result) => result.problems);
  const ofTriggers = checksTriggers ? documents.flatMap((document) => triggerProblems(document, documents)) : [];
  return {
    documents,
    problems: [
      ...own,
      ...documents.flatMap(decisionProblems),
      ...ofTriggers,
      ...placementProblems(documents, placesOf(documents, false), placedElsewhere),
      ...checkBatch(documents),
    ],
  };
}

export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some(({ severity }) => severity === 'error');
}

/** Prints problems with their places on stderr, errors in red and hints in yellow. */
export function tellProblems(context: EbbContext, problems: readonly Problem[]): void {
  const { red, yellow, dim } = context.errorColors;
  for (const problem of problems) {
    const [first = '', ...rest] = problemText(problem).split('\n');
    const paint = problem.severity === 'error' ? red : yellow;
    const marked = first.replace(`: ${problem.severity}: `, () => `: ${paint(`${problem.severity}:`)} `);
    context.note(marked, ...rest.map((line) => dim(line)));
  }
}

/**
 * Tells what is wrong, and throws where something is. With `json` the problems go to stdout too. `consequence` says what
 * follows, such as `nothing was changed`.
 */
export function refuseProblems(
  context: EbbContext,
  problems: readonly Problem[],
  options: { json: boolean; consequence: string },
): void {
  tellProblems(context, problems);
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  if (errors === 0) return;
  if (options.json) context.json({ valid: false, problems });
  context.note(`${context.errorColors.red('ebb:')} ${countText(errors, 'error')}; ${options.consequence}.`);
  throw new Failure('usage', 'invalid documents', [], { silent: true });
}

/** The documents of the sources, or a failure with everything that is wrong with them. */
export function checkSources(
  context: EbbContext,
  sources: readonly SourceText[],
  json: boolean,
  options: ReadOptions = {},
): ParsedDocument[] {
  const { documents, problems } = readDocuments(sources, options);
  refuseProblems(context, problems, { json, consequence: 'nothing was changed' });
  return documents;
}
