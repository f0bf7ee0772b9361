import { type Problem, problemText } from './problem.ts';

/** Thrown where a document that should have been checked is not right; carries what is wrong with it. */
export class InvalidDocumentError extends Error {
  readonly problems: Problem[];
  constructor(kind: string, problems: Problem[]) {
    super(`not a valid ${kind}:\n${problems.map(problemText).join('\n')}`);
    this.name = 'InvalidDocumentError';
    this.problems = problems;
  }
}
