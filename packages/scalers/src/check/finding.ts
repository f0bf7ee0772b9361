import { type ParsedDocument, pathText, type Problem, type ProblemCode } from '@ebb/documents';

/** What is wrong with a document, before it has a place. */
export interface Finding {
  severity: Problem['severity'];
  code: ProblemCode;
  message: string;
  /** From the root of the document. */
  path: (string | number)[];
  /** Whether the key or the value is pointed at. Left out: the value. */
  part?: 'key' | 'value';
  suggestion?: string | undefined;
  allowed?: string[] | undefined;
}

/** The problem of a finding, at its place in the document's file. */
export function problemOf(parsed: ParsedDocument, { path, part, suggestion, allowed, ...rest }: Finding): Problem {
  const text = pathText(path);
  return {
    ...rest,
    file: parsed.file,
    ...parsed.placeOf(text, part),
    path: text,
    ...(allowed?.length ? { allowed } : {}),
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}
