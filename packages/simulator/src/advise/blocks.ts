import { Draws } from '../kernel/draws.ts';

const dayMs = 86_400_000;
const leastBlockMs = 600_000;
const mostBlocks = 28;
const fewestDays = 3;
const otherwise = 12;
const resamples = 1000;

/** Equal parts that a trace is cut into to see how much they differ: days where there are enough, else twelfths. */
export function blocksOf(spanMs: number): { count: number; ms: number; areDays: boolean } {
  const days = Math.round(spanMs / dayMs);
  const count =
    days >= fewestDays
      ? Math.round(days / Math.ceil(days / mostBlocks))
      : Math.max(1, Math.min(otherwise, Math.floor(spanMs / leastBlockMs)));
  const ms = spanMs / count;
  return { count, ms, areDays: Math.abs(ms / dayMs - 1) < 0.05 };
}

/** Sum of a curve of means over each block, in value × seconds; the last block takes what is left over. */
export function blockSums(values: Float64Array, bucketMs: number, blockMs: number, count: number): number[] {
  const sums = Array.from({ length: count }, () => 0);
  for (const [index, value] of values.entries()) {
    const block = Math.min(count - 1, Math.floor((index * bucketMs) / blockMs));
    sums[block] = (sums[block] ?? 0) + (value * bucketMs) / 1000;
  }
  return sums;
}

export interface Spread {
  /** Of the mean over the blocks, in 90 of 100 resamples. */
  low: number;
  high: number;
}

/** How far a figure may be off that is made from the blocks of a trace, by drawing as many blocks anew (Efron 1979). */
export function bootstrap(count: number, seed: number, figure: (blocks: readonly number[]) => number): Spread {
  const figures = resampled(count, seed, figure).sort((a, b) => a - b);
  const at = (share: number) => figures[Math.min(figures.length - 1, Math.floor(share * figures.length))] ?? 0;
  return { low: at(0.05), high: at(0.95) };
}

/** The figure of each resample, drawn with the seed. */
export function resampled<Figure>(
  count: number,
  seed: number,
  figure: (blocks: readonly number[]) => Figure,
): Figure[] {
  const draws = new Draws(seed, 'bootstrap');
  return Array.from({ length: resamples }, () =>
    figure(Array.from({ length: count }, () => Math.floor(draws.next() * count))),
  );
}
