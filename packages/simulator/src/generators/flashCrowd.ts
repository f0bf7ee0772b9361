import type { Trace } from '../contract/trace.ts';
import { exp } from '../kernel/mathematics.ts';
import { type GeneratedLoad, generatedTrace, thinned } from './generatedTrace.ts';

export interface FlashCrowd extends GeneratedLoad {
  ratePerSecond: number;
  /** When the crowd comes, how long it takes to be there, and how long until half of it has left. */
  atSeconds: number;
  riseSeconds: number;
  halfLifeSeconds: number;
  /** The most, over the rate before. */
  peak: number;
}

const ln2 = 0.6931471805599453;

/** A steady load that a crowd joins all at once and leaves by and by. */
export function flashCrowd(load: FlashCrowd): Trace {
  const { ratePerSecond, atSeconds, riseSeconds, halfLifeSeconds, peak } = load;
  if (!(peak >= 1)) throw new RangeError(`the peak of a crowd is at least 1 times the rate, not ${peak}`);
  const rate = (at: number) => {
    if (at < atSeconds) return ratePerSecond;
    const passed = at - atSeconds;
    const crowd = passed < riseSeconds ? passed / riseSeconds : exp((-ln2 * (passed - riseSeconds)) / halfLifeSeconds);
    return ratePerSecond * (1 + (peak - 1) * crowd);
  };
  const description = `${ratePerSecond} a second, and ${peak} times that after ${atSeconds} s`;
  return generatedTrace('flash-crowd', description, load, thinned(ratePerSecond * peak, rate));
}
