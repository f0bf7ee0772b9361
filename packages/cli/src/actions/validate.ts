import type { ValidateFlags } from '../commands/validate.ts';
import type { Problem } from '@ebb/documents';
import type { EbbContext } from '../context.ts';
import { hasErrors, readDocuments, refuseProblems } from '../documents.ts';
import type { ExitName } from '../exitCodes.ts';
import { readSources } from '../files.ts';
import { countText } from '../text/format.ts';

/** How many of the documents have no error: a problem belongs to the last document that begins before it. */
function fine(found: readonly { file: string; line: number }[], problems: readonly Problem[]): number {
  const faulty = problems
    .filter(({ severity }) => severity === 'error')
    .map((problem) => found.findLast(({ file, line }) => file === problem.file && line <= problem.line));
  return found.filter((document) => !faulty.includes(document)).length;
}

export async function validate(context: EbbContext, flags: ValidateFlags): Promise<ExitName> {
  const sources = await readSources(context, flags.file);
  const { documents, problems } = readDocuments(sources);
  const found = documents.map(({ kind, key, file, line }) => ({ kind, ...key, file, line }));
  if (flags.json) {
    const valid = !hasErrors(problems);
    context.json({ valid, documents: found, problems });
    return valid ? 'ok' : 'usage';
  }
  refuseProblems(context, problems, {
    json: false,
    consequence: `${countText(fine(found, problems), 'document')} fine`,
  });
  for (const { kind, name, file, line } of found)
    context.out(`${file}:${line}: ${kind.toLowerCase()}/${name} ${context.colors.green('valid')}`);
  if (found.length === 0) context.note('there is no document in it');
  return 'ok';
}
