import { Failure } from '../failure.ts';

const mostSeeds = 1000;

/** `1`, `1..3`, `1,5,7..9`: whole numbers from 0, each once. */
export function seedsOf(text: string): number[] {
  const seeds = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^(\d{1,15})(?:\.\.(\d{1,15}))?$/.exec(part.trim());
    const first = Number(match?.[1]);
    const last = match?.[2] === undefined ? first : Number(match[2]);
    if (!match || last < first) {
      throw new Failure('usage', `--seed is a list of whole numbers such as 1, 1..3 or 1,5, not "${text}".`);
    }
    if (last - first >= mostSeeds) throw new Failure('usage', `--seed: at most ${mostSeeds} seeds.`);
    for (let seed = first; seed <= last; seed++) seeds.add(seed);
  }
  return [...seeds];
}
