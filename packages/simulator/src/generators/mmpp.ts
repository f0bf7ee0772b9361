import type { Trace } from '../contract/trace.ts';
import { type GeneratedLoad, generatedTrace } from './generatedTrace.ts';

/** One state of the load: its rate, and how long it lasts on average. */
export interface LoadState {
  ratePerSecond: number;
  meanSeconds: number;
}

/** Markov-modulated Poisson arrivals: states follow each other in a ring, each for an exponential time. */
export function mmpp(load: GeneratedLoad & { states: readonly LoadState[] }): Trace {
  const { states } = load;
  if (states.every(({ ratePerSecond }) => ratePerSecond <= 0)) {
    throw new RangeError('mmpp needs at least one state with a rate above 0');
  }
  const description = `Markov-modulated Poisson arrivals, ${states.map((one) => one.ratePerSecond).join(' / ')} a second`;
  return generatedTrace('mmpp', description, load, (draws) => {
    const stays = draws.fork('stays');
    let at = 0;
    let index = -1;
    let untilSeconds = 0;
    let rate = 0;
    return () => {
      for (;;) {
        // Without memory: at the begin of a state the next arrival is drawn anew.
        const next = rate > 0 ? at + draws.exponential(1 / rate) : Number.POSITIVE_INFINITY;
        if (next < untilSeconds) {
          at = next;
          return at;
        }
        at = untilSeconds;
        index = (index + 1) % states.length;
        const state = states[index] as LoadState;
        rate = state.ratePerSecond;
        untilSeconds += stays.exponential(state.meanSeconds);
      }
    };
  });
}
