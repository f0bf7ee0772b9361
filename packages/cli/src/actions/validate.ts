import type { ValidateFlags } from '../commands/validate.ts';
import type { EbbContext } from '../context.ts';
import { hasErrors, readDocuments, refuseProblems } from '../documents.ts';
import type { ExitName } from '../exitCodes.ts';
import { readSources } from '../files.ts';
import { countText } from '../text/format.ts';

export async function validate(context: EbbContext, flags: ValidateFlags): Promise<ExitName> {
  const sources = await readSources(context, flags.file);
  const { documents, problems } = readDocuments(sources);
  const found = documents.map(({ kind, key, file, line }) => ({ kind, ...key, file, line }));
  if (flags.json) {
    const valid = !hasErrors(problems);
    context.json({ valid, documents: found, problems });
    return valid ? 'ok' : 'usage';
  }
  refuseProblems(context, problems, { json: false, consequence: `${countText(found.length, 'document')} fine` });
  for (const { kind, name, file, line } of found)
    context.out(`${file}:${line}: ${kind.toLowerCase()}/${name} ${context.colors.green('valid')}`);
  if (found.length === 0) context.note('there is no document in it');
  return 'ok';
}
