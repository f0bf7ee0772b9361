import { describe, expect, it } from 'vitest';
import { confidenceOf, type Evidence, isTrusted, sigmas } from './trust.ts';

const good: Evidence = {
  isStated: false,
  isTrusted: false,
  raises: 30,
  costDay: 90,
  costWeek: 900,
  reactiveDay: 100,
  reactiveWeek: 1_000,
  constantDay: 150,
  constantWeek: 1_500,
  spreadToReactive: 50,
  spreadToConstant: 200,
  lateShare: 0,
};

describe('trust', () => {
  it('is given to one who is cheaper than both references, and not by luck', () => {
    expect(sigmas(good)).toBe(2);
    expect(isTrusted(good)).toBe(true);
    expect(confidenceOf(good)).toBeCloseTo(0.968, 3);
  });

  it.each<[string, Partial<Evidence>]>([
    ['hardly cheaper', { costWeek: 980, spreadToReactive: 1 }],
    ['cheaper than the reactive part, not than a constant', { constantWeek: 900 }],
    ['dearer over the last day', { costDay: 101 }],
    ['cheaper by a single lucky hour', { spreadToReactive: 100 }],
    ['without raises to judge it by', { raises: 4 }],
  ])('is not given to one who is %s', (_, wrong) => {
    expect(isTrusted({ ...good, ...wrong })).toBe(false);
  });

  it('is kept a little longer than it is given', () => {
    const wavering = { ...good, costWeek: 985, costDay: 104, raises: 0 };
    expect(isTrusted(wavering)).toBe(false);
    expect(isTrusted({ ...wavering, isTrusted: true })).toBe(true);
    expect(isTrusted({ ...wavering, isTrusted: true, costDay: 106 })).toBe(false);
    expect(isTrusted({ ...wavering, isTrusted: true, costWeek: 995 })).toBe(false);
  });

  it('is there from the start for what an operator stated, until it is disproved', () => {
    const stated = { ...good, isStated: true, raises: 0, costWeek: 2_000 };
    expect(isTrusted(stated)).toBe(true);
    expect(isTrusted({ ...stated, raises: 30 })).toBe(false);
    expect(isTrusted({ ...stated, raises: 30, costWeek: 1_040 })).toBe(true);
  });
});
