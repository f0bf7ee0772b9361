import { applySources } from '../applySources.ts';
import type { ApplyFlags } from '../commands/apply.ts';
import type { EbbContext } from '../context.ts';
import { checkSources } from '../documents.ts';
import { readSources } from '../files.ts';
import { openSession } from '../session.ts';

export async function apply(context: EbbContext, flags: ApplyFlags): Promise<undefined> {
  const json = flags.json ?? false;
  const dryRun = flags.dryRun ?? false;
  const sources = await readSources(context, flags.file);
  checkSources(context, sources, json);
  const outcomes = await applySources(context, await openSession(context, flags), sources, { json, dryRun });
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
