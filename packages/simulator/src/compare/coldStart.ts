import type { Distribution, WorldModel } from '../contract/model.ts';
import { exp } from '../kernel/mathematics.ts';

/** Mean length of a cold start, ms, and whether every start takes just that. */
export function meanColdStart({ coldStart }: WorldModel): { ms: number; isFixed: boolean } {
  return {
    ms: coldStart.reduce((sum, { ms }) => sum + meanMs(ms), 0),
    isFixed: coldStart.every(({ ms }) => ms.type === 'fixed'),
  };
}

function meanMs(distribution: Distribution): number {
  switch (distribution.type) {
    case 'fixed':
      return distribution.ms;
    case 'uniform':
      return (distribution.fromMs + distribution.toMs) / 2;
    case 'lognormal':
      return distribution.medianMs * exp(distribution.sigma ** 2 / 2);
    case 'empirical':
      return distribution.ms.reduce((sum, ms) => sum + ms, 0) / Math.max(1, distribution.ms.length);
  }
}
