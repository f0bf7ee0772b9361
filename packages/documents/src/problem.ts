/** One thing wrong (or worth a hint) in a document, with the place it stands at. */
export interface Problem {
  severity: 'error' | 'warning';
  /** Stable and documented (`problemCodes`), such as `unknown-field`. */
  code: string;
  message: string;
  /** As the user named it; `<stdin>` or `<api>` where there is no file. */
  file: string;
  /** From 1. */
  line: number;
  column: number;
  /** Path inside the document, such as `spec.scaling.minReplicas`. */
  path: string;
  /** What stands there, as text. */
  found?: string;
  /** What may stand there. */
  allowed?: string[];
  /** The nearest valid name or value. */
  suggestion?: string;
  /** Other places that belong to it: `maxReplicas` where `minReplicas` is larger. */
  related?: RelatedPlace[];
}

export interface RelatedPlace {
  path: string;
  line: number;
  column: number;
  /** Left out: the problem's own file. */
  file?: string;
}

/** `file:line:column: severity: message` and the hints, as one to three lines without colours. */
export function problemText(problem: Problem): string {
  const place = `${problem.file}:${problem.line}:${problem.column}`;
  const lines = [`${place}: ${problem.severity}: ${problem.message}`];
  if (problem.allowed?.length) lines.push(`  allowed: ${problem.allowed.join(', ')}`);
  if (problem.suggestion) lines.push(`  did you mean "${problem.suggestion}"?`);
  return lines.join('\n');
}
