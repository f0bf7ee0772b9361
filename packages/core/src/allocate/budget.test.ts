import { describe, expect, it } from 'vitest';
import { reasonSentence } from '../explain/sentences.ts';
import { noLimits, replicas, request, sized } from './allocate.fixture.ts';
import { allocate } from './allocate.ts';
import { affordableRateMicro } from './budget.ts';
import type { Budget } from './types.ts';

const hourMs = 3_600_000;
/** 10 USD for a window with ten hours left; a replica of `request` costs 0.07 an hour, 0.70 until then. */
const budget: Budget = {
  currency: 'USD',
  spentMicro: 0,
  limitMicro: 10_000_000,
  asOfMs: 0,
  windowEndsAtMs: 10 * hourMs,
  mode: 'stop-growing',
};

describe('the budget guard', () => {
  it.each<[string, Partial<Budget>, number, number, number]>([
    ['starts what the window can pay for', {}, 20, 0, 14],
    ['starts nothing when the budget is spent, and keeps what runs', { spentMicro: 10_000_000 }, 20, 3, 3],
    ['starts nothing when what runs is projected over, and keeps it', { spentMicro: 9_000_000 }, 20, 3, 3],
    ['starts nothing when overspent', { spentMicro: 11_000_000 }, 2, 0, 0],
    ['is bound by nothing when the window is over with money left', { asOfMs: 11 * hourMs }, 20, 0, 20],
    ['starts nothing when the window is over and spent', { asOfMs: 11 * hourMs, spentMicro: 10_000_000 }, 20, 1, 1],
    ['only warns where told so', { mode: 'warn', spentMicro: 11_000_000 }, 20, 0, 20],
  ])('%s', (_, change, wanted, current, granted) => {
    expect(replicas([request('a', wanted, current)], { ...noLimits, budget: { ...budget, ...change } })).toEqual([
      granted,
    ]);
  });

  it('lets start what costs nothing', () => {
    const limits = { ...noLimits, budget: { ...budget, spentMicro: 10_000_000 } };
    expect(replicas([sized('free', 3, { cpuMilli: 100 })], limits)).toEqual([3]);
  });

  it('gives the numbers', () => {
    const limits = { ...noLimits, budget: { ...budget, spentMicro: 9_000_000 } };
    const [reason] = allocate([request('a', 4, 2)], limits, null).grants[0]?.reasons ?? [];
    expect(reason).toEqual({
      code: 'grant-budget',
      stage: 'grant',
      data: {
        wanted: 4,
        granted: 2,
        currency: 'USD',
        spentMicro: 9_000_000,
        limitMicro: 10_000_000,
        projectedMicro: 10_400_000,
        windowEndsAtMs: 10 * hourMs,
      },
    });
    expect(reason && reasonSentence(reason)).toContain('9 USD of 10 USD spent, 10.4 USD by the end of the window');
  });

  it('warns only those that cost something, and only when it will not hold', () => {
    const requests = [request('a', 4), sized('free', 1, {}), request('idle', 0)];
    const codes = (change: Partial<Budget>) =>
      allocate(requests, { ...noLimits, budget: { ...budget, mode: 'warn', ...change } }, null).grants.map((grant) =>
        grant.reasons.map((reason) => reason.code),
      );
    expect(codes({ spentMicro: 8_000_000 })).toEqual([['grant-budget-warning'], [], []]);
    expect(codes({ spentMicro: 7_200_000 })).toEqual([[], [], []]);
  });

  it('is exact where floating point is not', () => {
    const large = { ...budget, limitMicro: Number.MAX_SAFE_INTEGER, windowEndsAtMs: hourMs };
    expect(affordableRateMicro({ ...large, spentMicro: 1 })).toBe(Number.MAX_SAFE_INTEGER - 1);
  });
});
