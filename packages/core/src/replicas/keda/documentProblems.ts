import { type ParsedDocument, type Problem, resolveScaledJob, resolveScaledObject } from '@ebb/documents';
import { kedaDecisionSpec, kedaFormulaProblems, scaledJobTargets } from './kedaSpec.ts';
import { TriggerTargetError } from './triggerTargets.ts';

/**
 * What is wrong with a document that only its decision shows: a formula that does not compile, a trigger whose metadata
 * does not say what it aims at. Empty for kinds that have neither. KEDA finds out about the second while it runs.
 */
export function decisionProblems(parsed: ParsedDocument): Problem[] {
  if (parsed.kind === 'ScaledObject') return scaledObjectProblems(parsed);
  if (parsed.kind !== 'ScaledJob') return [];
  const resolved = resolveScaledJob(parsed.document);
  return targetProblems(parsed, resolved.triggers, () => scaledJobTargets(resolved));
}

function scaledObjectProblems(parsed: ParsedDocument): Problem[] {
  const resolved = resolveScaledObject(parsed.document);
  const path = 'spec.advanced.scalingModifiers.formula';
  const inFormula = kedaFormulaProblems(resolved).map(
    ({ message, line, column, found, allowed, suggestion }): Problem => {
      const place = `${line > 1 ? `line ${line}, ` : ''}character ${column} of the formula`;
      return {
        ...problemAt(parsed, path, 'invalid-value', `${message} (${place})`),
        ...(found === '' ? {} : { found }),
        ...(allowed ? { allowed } : {}),
        ...(suggestion === undefined ? {} : { suggestion }),
      };
    },
  );
  return [...inFormula, ...targetProblems(parsed, resolved.triggers, () => kedaDecisionSpec(resolved))];
}

function targetProblems(
  parsed: ParsedDocument,
  triggers: readonly { name: string }[],
  resolve: () => unknown,
): Problem[] {
  try {
    resolve();
    return [];
  } catch (error) {
    if (!(error instanceof TriggerTargetError)) throw error;
    const index = triggers.findIndex(({ name }) => name === error.trigger);
    const path = `spec.triggers[${Math.max(0, index)}].metadata.${error.key}`;
    return [problemAt(parsed, path, 'missing-field', error.message)];
  }
}

function problemAt(parsed: ParsedDocument, path: string, code: string, message: string): Problem {
  const { line, column } = parsed.placeOf(path);
  return { severity: 'error', code, message, file: parsed.file, line, column, path };
}
