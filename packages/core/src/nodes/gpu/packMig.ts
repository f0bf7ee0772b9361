import type { GpuUse } from './gpuUse.ts';
import { type MigCard, type MigProfile, migProfile } from './migCards.ts';
import { fitsCard, type MigInstance } from './migLayout.ts';
import { isServed } from './migRelayout.ts';
import type { Steps } from './steps.ts';

interface Cut {
  gpu: number;
  use: GpuUse;
  inUse: readonly MigInstance[];
  /** Part of the key of what is known of it. */
  state: string;
  wanted: Record<string, number>;
}

/**
 * Chooses a card for each wanted instance. First try: largest profile first, where an idle instance of it is there; then
 * where the compute that no profile of the mix could use grows least; then where least is left over. Then by backtracking,
 * complete unless the steps run out. With `relayout` idle instances may go and others be made; without, only those
 * that are there serve. Returns what each card is to have free, by its position, `full` or `undecided`.
 */
export function packMig(
  gpus: readonly { gpu: number; use: GpuUse }[],
  card: MigCard,
  wanted: readonly string[],
  options: { relayout: boolean; steps: Steps },
): ReadonlyMap<number, Readonly<Record<string, number>>> | 'full' | 'undecided' {
  const { relayout, steps } = options;
  const cards: Cut[] = gpus
    .filter(({ use }) => !use.whole && use.shares.length === 0)
    .map(({ gpu, use }) => ({
      gpu,
      use,
      inUse: use.instances.filter((one) => one.inUse),
      state: stateOf(use),
      wanted: {},
    }));
  const profiles = wanted.flatMap((name) => migProfile(card, name) ?? []);
  if (profiles.length < wanted.length) return 'full';
  profiles.sort(largestFirst);
  const kinds = [...new Set(profiles)];

  const known = new Map<string, boolean>();
  const fits = (cut: Cut, more: string | null): boolean => {
    const counts = more === null ? cut.wanted : { ...cut.wanted, [more]: (cut.wanted[more] ?? 0) + 1 };
    const key = `${cut.state}|${kinds.map(({ name }) => counts[name] ?? 0).join(' ')}`;
    let answer = known.get(key);
    if (answer === undefined) {
      answer = relayout ? fitsCard(card, counts, cut.inUse) : isServed(cut.use.instances, counts);
      known.set(key, answer);
    }
    return answer;
  };
  const freeCompute = (cut: Cut): number => {
    const used = cut.inUse.reduce((sum, { profile }) => sum + (migProfile(card, profile)?.computeSlices ?? 0), 0);
    return kinds.reduce(
      (left, one) => left - one.computeSlices * (cut.wanted[one.name] ?? 0),
      card.computeSlices - used,
    );
  };
  const fragment = (cut: Cut): number => {
    const unusable = kinds.filter(({ name }) => !fits(cut, name)).length;
    return (freeCompute(cut) * unusable) / kinds.length;
  };
  const ranked = ({ name, computeSlices }: MigProfile) =>
    cards
      .filter((cut) => fits(cut, name))
      .map((cut) => {
        const after = { ...cut, wanted: { ...cut.wanted, [name]: (cut.wanted[name] ?? 0) + 1 } };
        const isIdle = isServed(cut.use.instances, { [name]: after.wanted[name] ?? 0 });
        const growth = fragment(after) - fragment(cut);
        return { cut, isIdle, growth, left: freeCompute(cut) - computeSlices };
      })
      .sort(
        (a, b) =>
          Number(b.isIdle) - Number(a.isIdle) || a.growth - b.growth || a.left - b.left || a.cut.gpu - b.cut.gpu,
      );

  const place = (index: number): boolean => {
    const profile = profiles[index];
    if (!profile) return true;
    const { name } = profile;
    const tried = new Set<string>();
    for (const { cut } of ranked(profile)) {
      const state = `${cut.state}|${kinds.map((kind) => cut.wanted[kind.name] ?? 0).join(' ')}`;
      if (tried.has(state)) continue;
      tried.add(state);
      if (!steps.take()) return false;
      cut.wanted[name] = (cut.wanted[name] ?? 0) + 1;
      if (place(index + 1)) return true;
      cut.wanted[name] = (cut.wanted[name] ?? 0) - 1;
    }
    return false;
  };
  if (!place(0)) return steps.areOver ? 'undecided' : 'full';
  return new Map(cards.map(({ gpu, wanted: counts }) => [gpu, counts]));
}

function stateOf({ instances }: GpuUse): string {
  return instances
    .map(({ profile, start, inUse }) => `${profile}@${start}${inUse ? '!' : ''}`)
    .sort()
    .join(' ');
}

function largestFirst(left: MigProfile, right: MigProfile): number {
  return (
    right.memorySlices - left.memorySlices ||
    right.computeSlices - left.computeSlices ||
    (left.name < right.name ? -1 : left.name > right.name ? 1 : 0)
  );
}
