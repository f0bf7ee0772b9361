import { type ParsedDocument, type Problem, resolveScaledObject } from '@ebb/documents';
import { kedaFormulaProblems } from './kedaSpec.ts';

const path = 'spec.advanced.scalingModifiers.formula';

/**
 * What is wrong with a document that only its decision shows: a formula that does not compile, as KEDA's admission would
 * refuse it. Empty for kinds that have none. What is wrong with triggers, their scalers tell.
 */
export function decisionProblems(parsed: ParsedDocument): Problem[] {
  if (parsed.kind !== 'ScaledObject') return [];
  const { file } = parsed;
  return kedaFormulaProblems(resolveScaledObject(parsed.document)).map(
    ({ message, line, column, found, allowed, suggestion }) => {
      const place = `${line > 1 ? `line ${line}, ` : ''}character ${column} of the formula`;
      return {
        severity: 'error',
        code: 'invalid-value',
        message: `${message} (${place})`,
        file,
        ...parsed.placeOf(path),
        path,
        ...(found === '' ? {} : { found }),
        ...(allowed ? { allowed } : {}),
        ...(suggestion === undefined ? {} : { suggestion }),
      };
    },
  );
}
