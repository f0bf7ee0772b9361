import { pathText } from '../../parse/place.ts';
import type { ProblemList } from '../../parse/problemList.ts';
import type { ImportedField } from '../imported.ts';
import type { ForeignDocument } from '../readTexts.ts';
import { FieldError } from '../values.ts';
import { type Outcome, resultOf } from '../walk.ts';

export interface Told {
  fields: ImportedField[];
  problems: ProblemList;
}

/** A place in a document and what is said of it. */
export interface At {
  foreign: ForeignDocument;
  path: (string | number)[];
  object: string;
  field: string;
  value: string;
}

/** Adds what becomes of it, or, where it cannot be read, a problem at its place. */
export function tell(at: At, { fields, problems }: Told, read: () => Outcome): void {
  const { locator, prefix } = at.foreign;
  const path = [...prefix, ...at.path];
  try {
    fields.push({
      file: locator.file,
      ...locator.place(path, 'value'),
      object: at.object,
      field: at.field,
      value: at.value,
      ...resultOf(read()),
    });
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    const { message } = error;
    problems.add(() => ({
      severity: 'error',
      code: 'invalid-value',
      message: `${at.field} ${message}`,
      file: locator.file,
      ...locator.place(path, 'value'),
      path: pathText(path),
    }));
  }
}
