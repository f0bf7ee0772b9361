import type { Problem } from '../problem.ts';

/** Kept so that the ones shown are the first of the file and not the first found. */
const maxCollected = 1000;
export const maxProblems = 100;

/** Collects problems within a bound, and hands out the first of them in the order of the file. */
export class ProblemList {
  readonly #problems: Problem[] = [];
  #count = 0;

  /** Takes a function, because making a problem costs more than counting it. */
  add(make: () => Problem): void {
    this.#count += 1;
    if (this.#problems.length < maxCollected) this.#problems.push(make());
  }

  get count(): number {
    return this.#count;
  }

  /** At most `maxProblems`, and one more line that says how many are left out. */
  shown(): Problem[] {
    const sorted = this.#problems.toSorted((left, right) => left.line - right.line || left.column - right.column);
    const shown = sorted.slice(0, maxProblems);
    const last = shown.at(-1);
    if (last === undefined || this.#count <= maxProblems) return shown;
    const { file, line, column } = last;
    return [
      ...shown,
      {
        severity: 'error',
        code: 'too-many-problems',
        message: `${this.#count - maxProblems} more problems are not shown; these are the first ${maxProblems}`,
        file,
        line,
        column,
        path: '',
      },
    ];
  }
}
