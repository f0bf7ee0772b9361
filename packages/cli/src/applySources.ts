import { ApiError, type ApplyOutcome } from '@ebb/client';
import type { Problem } from '@ebb/documents';
import type { EbbContext } from './context.ts';
import { refuseProblems } from './documents.ts';
import type { SourceText } from './files.ts';
import type { Session } from './session.ts';

/**
 * Applies the documents of all sources, each source with its own place for relative paths. More than one source is tried
 * out first, so that a late refusal does not leave the earlier ones applied. Throws after telling what was refused.
 */
export async function applySources(
  context: EbbContext,
  { client }: Session,
  sources: readonly SourceText[],
  options: { json: boolean; dryRun: boolean; relocate?: (problem: Problem) => Problem },
): Promise<ApplyOutcome[]> {
  const apply = async ({ text, path }: SourceText, dryRun: boolean) =>
    client.apply(text, {
      dryRun,
      // Standard input belongs to the folder it was piped from.
      origin: path ?? `${context.workingDirectory}/<stdin>`,
      contentType: text.trimStart().startsWith('{') ? 'application/json' : 'application/yaml',
    });
  try {
    if (sources.length > 1 && !options.dryRun) for (const source of sources) await apply(source, true);
    const outcomes: ApplyOutcome[] = [];
    for (const source of sources) outcomes.push(...(await apply(source, options.dryRun)).outcomes);
    return outcomes;
  } catch (error) {
    if (error instanceof ApiError && error.problems.length > 0) {
      const problems = options.relocate ? error.problems.map(options.relocate) : error.problems;
      refuseProblems(context, problems, { json: options.json, consequence: 'nothing was changed' });
    }
    throw error;
  }
}
