import type { Trace } from '../contract/trace.ts';
import { type GeneratedLoad, generatedTrace, thinned } from './generatedTrace.ts';

const daySeconds = 86_400;

export interface DiurnalLoad extends GeneratedLoad {
  /** Mean over a day. */
  ratePerSecond: number;
  /** The most, over the mean; the least is as far below it, and never under nothing. */
  peak: number;
  /** Length of a day; left out: 24 hours. */
  daySeconds?: number;
}

/** Poisson arrivals that swell and ebb by the day: nothing happens at midnight, the most at noon. */
export function diurnal(load: DiurnalLoad): Trace {
  const { ratePerSecond, peak } = load;
  if (!(peak >= 1 && peak <= 2)) throw new RangeError(`the peak of a day is 1 to 2 times its mean, not ${peak}`);
  const day = load.daySeconds ?? daySeconds;
  const rate = (at: number) => ratePerSecond * (1 + (peak - 1) * wave(at / day));
  const description = `${ratePerSecond} a second on average, ${peak} times that at noon`;
  return generatedTrace('diurnal', description, load, thinned(ratePerSecond * peak, rate));
}

/** A cosine's shape from parabolas, −1 at whole numbers and 1 in between: plain arithmetic, and near enough. */
function wave(turns: number): number {
  const phase = turns - Math.floor(turns);
  const rising = phase < 0.5 ? 4 * phase - 1 : 3 - 4 * phase;
  return rising * (2 - Math.abs(rising));
}
