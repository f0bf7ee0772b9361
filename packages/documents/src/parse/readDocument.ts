import type { z } from 'zod';
import { InvalidDocumentError } from '../invalidDocument.ts';
import type { KindDefinition } from '../kind.ts';
import { checkSchema } from './checkSchema.ts';
import { withoutText } from './place.ts';
import { ProblemList } from './problemList.ts';
import { presentForm } from './versions.ts';

/** Reads a value that is known to be of a kind. Throws `InvalidDocumentError` when it is not valid. */
export function readDocument<Schema extends z.ZodType>(
  kind: KindDefinition<string, Schema>,
  value: unknown,
): z.output<Schema> {
  const problems = new ProblemList();
  const read = checkSchema(
    kind.schema,
    presentForm(kind, value),
    withoutText('<document>'),
    problems,
    [],
    kind.secretFields,
  );
  if (read === null) throw new InvalidDocumentError(kind.kind, problems.shown());
  return read;
}
