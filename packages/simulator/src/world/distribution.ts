import type { Distribution } from '../contract/model.ts';
import type { Draws } from '../kernel/draws.ts';
import { exp, normalQuantile } from '../kernel/mathematics.ts';

/** One draw of a distribution, whole microseconds from 0; takes exactly one number of `draws`. */
export function drawUs(distribution: Distribution, draws: Draws): number {
  return Math.max(0, Math.round(drawMs(distribution, draws.next()) * 1000));
}

function drawMs(distribution: Distribution, share: number): number {
  switch (distribution.type) {
    case 'fixed':
      return distribution.ms;
    case 'uniform':
      return distribution.fromMs + share * (distribution.toMs - distribution.fromMs);
    case 'lognormal':
      // Half a step off both ends: neither 0 nor 1 has a quantile.
      return (
        distribution.medianMs *
        exp(distribution.sigma * normalQuantile((share * 4503599627370496 + 0.5) / 4503599627370497))
      );
    case 'empirical':
      return distribution.ms[Math.floor(share * distribution.ms.length)] ?? 0;
  }
}
