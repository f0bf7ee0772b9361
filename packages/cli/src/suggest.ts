import { nearest } from '@ebb/documents';

const shortestPrefix = 3;

/** ` Did you mean "x"?` for the nearest candidate or the only one that begins so; else nothing. To end a sentence with. */
export function didYouMean(input: string, candidates: readonly string[]): string {
  const begun = input.length >= shortestPrefix ? candidates.filter((name) => name.startsWith(input.toLowerCase())) : [];
  const found = nearest(input, candidates) ?? (begun.length === 1 ? begun[0] : undefined);
  return found === undefined || found === input ? '' : ` Did you mean "${found}"?`;
}
