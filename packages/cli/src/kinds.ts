import { type KindName, kindNames, kindOf, shortNames } from '@ebb/documents';
import { Failure } from './failure.ts';
import { didYouMean } from './suggest.ts';

export interface Kind {
  /** As documents have it. */
  kind: KindName;
  singular: string;
  /** As the API's paths have it. */
  plural: string;
  short: string;
}

export const kinds: readonly Kind[] = kindNames.map((kind) => ({
  kind,
  singular: kind.toLowerCase(),
  plural: kindOf(kind).plural,
  short: shortNames[kind] ?? kind.toLowerCase(),
}));

/** The kind a word means: singular, plural or short, in any case. Throws a usage failure that names the nearest. */
export function findKind(word: string): Kind {
  const typed = word.toLowerCase();
  const found = kinds.find(({ singular, plural, short }) => [singular, plural, short].includes(typed));
  if (found) return found;
  const names = kinds.flatMap(({ singular, plural }) => [singular, plural]);
  throw new Failure('usage', `there is no kind "${word}".${didYouMean(word, names)}`, [
    `kinds: ${kinds.map(({ plural, short }) => `${plural} (${short})`).join(', ')}`,
  ]);
}
