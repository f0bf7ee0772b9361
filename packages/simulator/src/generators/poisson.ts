import type { Trace } from '../contract/trace.ts';
import { type GeneratedLoad, generatedTrace } from './generatedTrace.ts';

/** Arrivals that know nothing of each other, at one rate. */
export function poisson(load: GeneratedLoad & { ratePerSecond: number }): Trace {
  return generatedTrace('poisson', `Poisson arrivals, ${load.ratePerSecond} a second`, load, (draws) => {
    let at = 0;
    return () => {
      at += draws.exponential(1 / load.ratePerSecond);
      return at;
    };
  });
}
