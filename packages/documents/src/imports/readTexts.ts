import type { Path } from '../fields/rule.ts';
import type { Locator } from '../parse/place.ts';
import type { ProblemList } from '../parse/problemList.ts';
import { yamlDocuments } from '../parse/yamlDocuments.ts';
import type { ImportSource } from './imported.ts';
import { isRecord } from './values.ts';

/** A map of a text, or an item of a `List` in it. */
export interface ForeignDocument {
  value: Record<string, unknown>;
  locator: Locator;
  prefix: Path;
}

/** Every document of the texts; what is no YAML is told in `problems`. */
export function foreignDocuments(sources: readonly ImportSource[], problems: ProblemList): ForeignDocument[] {
  return sources.flatMap(({ name, text }) =>
    yamlDocuments(text, name, problems).flatMap(({ value, locator, duplicates }): ForeignDocument[] => {
      for (const duplicate of duplicates) problems.add(() => duplicate);
      if (!isRecord(value) || duplicates.length > 0) return [];
      if (value.kind !== 'List' || !Array.isArray(value.items)) return [{ value, locator, prefix: [] }];
      return value.items.flatMap((item: unknown, index) =>
        isRecord(item) ? [{ value: item, locator, prefix: ['items', index] }] : [],
      );
    }),
  );
}
