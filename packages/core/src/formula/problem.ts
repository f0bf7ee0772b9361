/** One thing wrong with a formula, at the place it stands. */
export interface FormulaProblem {
  message: string;
  /** From 0, in UTF-16 units of the formula's text. */
  offset: number;
  /** From 1. */
  line: number;
  /** From 1, in UTF-16 units. */
  column: number;
  /** What stands there; empty at the end of the formula. */
  found: string;
  /** What may stand there. */
  allowed?: string[];
  /** The nearest valid name. */
  suggestion?: string;
}

/** A formula that cannot be computed: it does not compile, or its evaluation failed at this place. */
export class FormulaError extends Error {
  readonly offset: number;
  readonly line: number;
  readonly column: number;

  constructor(message: string, place: Place) {
    super(message);
    this.name = 'FormulaError';
    this.offset = place.offset;
    this.line = place.line;
    this.column = place.column;
  }
}

export interface Place {
  offset: number;
  line: number;
  column: number;
}

/** Line and column of an offset. */
export function placeOf(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return { offset, line, column: offset - (before.lastIndexOf('\n') + 1) + 1 };
}

/** Thrown while a formula is read; the compiler turns it into a problem. */
export class Refusal extends Error {
  readonly offset: number;
  readonly found: string;
  readonly allowed: string[] | undefined;

  constructor(message: string, offset: number, found = '', allowed?: string[]) {
    super(message);
    this.offset = offset;
    this.found = found;
    this.allowed = allowed;
  }
}

/** Thrown while a formula is evaluated; the evaluator adds the place. */
export class Fault extends Error {}
