import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LedgerRow } from '../ports/ports.ts';
import { costOf, costOfKeeping, peakReplicas } from './cost.ts';

const row = (fromMs: number, toMs: number | null, pricePerHourMicro = 3_600_000): LedgerRow => ({
  replica: 'r',
  workload: 'w',
  class: 'default',
  node: 'local',
  currency: 'USD',
  fromMs,
  toMs,
  pricePerHourMicro,
});

describe('cost', () => {
  it('is price times time, open rows until now, rounded once', () => {
    expect(costOf([row(0, 1000), row(500, null)], 2000)).toEqual({ micro: 2500n, replicaMs: 2500 });
    expect(costOf([row(0, 1, 1_800_000), row(0, 1, 1_800_000)], 5).micro).toBe(1n);
    expect(costOf([row(0, 10_000)], 20_000, 4000)).toEqual({ micro: 6000n, replicaMs: 6000 });
  });

  it('adds up exactly however the time is cut', () => {
    fc.assert(
      fc.property(fc.nat(10_000_000), fc.nat(10_000), fc.nat(10_000), (price, a, b) => {
        const whole = costOf([row(0, a + b, price)], a + b);
        const cut = costOf([row(0, a, price), row(a, a + b, price)], a + b);
        expect(cut).toEqual(whole);
        expect(costOfKeeping(1, a + b, price)).toEqual(whole);
      }),
    );
  });
});

describe('peak', () => {
  it('counts what was open at one moment; a replacement is not two', () => {
    expect(peakReplicas([row(0, 10), row(10, 20), row(5, null)], 30)).toBe(2);
    expect(peakReplicas([], 30)).toBe(0);
  });
});
