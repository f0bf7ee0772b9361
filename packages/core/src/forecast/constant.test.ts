import { describe, expect, it } from 'vitest';
import { Constant } from './constant.ts';
import { hour, resolved } from './forecast.fixture.ts';

/** A replica too few costs 8 slots · 120 s / 2 s = 480 replica-seconds a second; half a replica 240. */
const chosenFor = (levels: [number, number][], using = resolved()) => {
  const constant = new Constant(undefined);
  constant.learn(new Map(levels), hour);
  constant.choose(using);
  return constant.replicas;
};

describe('constant count', () => {
  it('covers what is worth it and no more', () => {
    // One more replica for an hour costs 3 600 − t s, the half replica that t seconds of demand lack costs 240 · t s.
    expect(
      chosenFor([
        [1, hour - 20_000],
        [2, 20_000],
      ]),
    ).toBe(2);
    expect(
      chosenFor([
        [1, hour - 10_000],
        [2, 10_000],
      ]),
    ).toBe(1);
  });

  it('is 0 where late requests cost nothing', () => {
    expect(chosenFor([[4, hour]], resolved({ latePriceSeconds: 0 }))).toBe(0);
  });

  it('takes large counts to the next of a ladder, and goes on from its JSON', () => {
    const constant = new Constant(undefined);
    constant.learn(new Map([[100, hour]]), hour);
    constant.choose(resolved());
    const again = new Constant(constant.toJson());
    expect(again.replicas).toBe(constant.replicas);
    expect(constant.replicas).toBeGreaterThanOrEqual(100);
    expect(constant.replicas).toBeLessThanOrEqual(150);
    expect(again.toJson()).toEqual(constant.toJson());
  });
});
