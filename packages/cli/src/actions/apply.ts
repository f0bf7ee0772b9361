import { applySources } from '../applySources.ts';
import type { ParsedDocument, Problem } from '@ebb/documents';
import type { ApplyFlags } from '../commands/apply.ts';
import type { EbbContext } from '../context.ts';
import { checkSources } from '../documents.ts';
import { readSources, type SourceText } from '../files.ts';
import { openSession } from '../session.ts';

export async function apply(context: EbbContext, flags: ApplyFlags): Promise<undefined> {
  const sources = await readSources(context, flags.file);
  const documents = checkSources(context, sources, flags.json ?? false, { placedElsewhere: 'error' });
  await applyTexts(context, flags, placesFirst(sources, documents));
}

/** Sources with clusters, then those with node pools, then the others, which may name them; else as given. */
function placesFirst(sources: readonly SourceText[], documents: readonly ParsedDocument[]): SourceText[] {
  const rank = ({ name }: SourceText): number => {
    const kinds = documents.filter(({ file }) => file === name).map(({ kind }) => kind);
    return kinds.includes('Cluster') ? 0 : kinds.includes('NodePool') ? 1 : 2;
  };
  return sources.toSorted((left, right) => rank(left) - rank(right));
}

/** Applies documents that are checked, and prints a line for each. `relocate` finds the place of what is refused. */
export async function applyTexts(
  context: EbbContext,
  flags: Omit<ApplyFlags, 'file'>,
  sources: readonly SourceText[],
  relocate?: (problem: Problem) => Problem,
): Promise<void> {
  const json = flags.json ?? false;
  const dryRun = flags.dryRun ?? false;
  const outcomes = await applySources(context, await openSession(context, flags), sources, {
    json,
    dryRun,
    ...(relocate ? { relocate } : {}),
  });
  if (json) {
    context.json({ dryRun, outcomes });
    return;
  }
  const { green, yellow, dim } = context.colors;
  const paint = { created: green, configured: yellow, unchanged: dim };
  for (const { kind, namespace, name, action } of outcomes) {
    const place = namespace === 'default' ? '' : ` in namespace ${namespace}`;
    context.out(`${kind.toLowerCase()}/${name}${place} ${paint[action](action)}${dryRun ? ' (dry run)' : ''}`);
  }
}
