import { clusterKind } from '../cluster/cluster.ts';
import type { Path } from '../fields/rule.ts';
import { nodePoolKind } from '../nodePool/nodePool.ts';
import { checkSchema } from '../parse/checkSchema.ts';
import { movedLocator } from '../parse/movedLocator.ts';
import type { Locator } from '../parse/place.ts';
import type { ProblemList } from '../parse/problemList.ts';
import type { ImportedDocument } from './imported.ts';

/** A document that is being made, with where its parts come from. */
export interface Draft {
  kind: ImportedDocument['kind'];
  document: Record<string, unknown>;
  notes: string[];
  locator: Locator;
  prefix: Path;
  origins: Record<string, Path>;
}

/** The documents that are right; what is wrong with the others is told where it comes from. */
export function finishDrafts(drafts: readonly Draft[], problems: ProblemList): ImportedDocument[] {
  return drafts.flatMap((draft): ImportedDocument[] => {
    const { kind, document, notes } = draft;
    const locator = movedLocator(draft.locator, draft.prefix, draft.origins);
    const schema = kind === 'Cluster' ? clusterKind.schema : nodePoolKind.schema;
    if (checkSchema(schema, document, locator, problems) === null) return [];
    // The schema of this very kind has just accepted it, which no type can tell.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return [{ kind, document, notes } as unknown as ImportedDocument];
  });
}
