import { describe, expect, it } from 'vitest';
import { minute, reading, second } from './algorithms.fixture.ts';
import {
  addToBudget,
  budgetFromJson,
  budgetState,
  budgetToJson,
  emptyBudget,
  lateName,
  takeBudgetReadings,
  timedName,
} from './sloBudget.ts';
import { objectOf } from './storedJson.ts';

const objective = { share: 0.99, windowMs: 60 * minute };
const start = 1_000 * minute;

/** A hundred times a minute, of which some are late. */
function spent(lateOf: (minuteNumber: number) => number, minutes = 60) {
  const budget = emptyBudget(objective);
  for (let i = 1; i <= minutes; i++) addToBudget(budget, 'default', start + i * minute, 100, lateOf(i));
  return { budget, state: budgetState(budget, objective, start + minutes * minute) };
}

describe('the budget', () => {
  it.each([
    ['nothing late', () => 0, 1, 'plenty'],
    ['half of what is allowed', (i: number) => i % 2, 0.5, 'plenty'],
    ['all that is allowed', () => 1, 0, 'spent'],
    ['twice that', () => 2, 0, 'spent'],
    ['a burst at the end', (i: number) => (i > 56 ? 10 : 0), 0.35, 'burning'],
    ['a burst that is over', (i: number) => (i > 40 && i <= 44 ? 10 : 0), 0.35, 'steady'],
  ] as const)('%s', (_name, lateOf, left, verdict) => {
    const { state } = spent(lateOf);
    expect(state.left).toBeCloseTo(left, 1);
    expect(state.verdict).toBe(verdict);
  });

  it('says nothing before one that is late is not all of it', () => {
    expect(spent(() => 100, 1).state.verdict).toBe('burning');
    const budget = emptyBudget(objective);
    addToBudget(budget, 'default', start, 99, 99);
    expect(budgetState(budget, objective, start + 1).verdict).toBe('steady');
  });

  it('forgets what is older than its window', () => {
    const { budget } = spent((i) => (i < 10 ? 50 : 0));
    for (let i = 61; i <= 80; i++) addToBudget(budget, 'default', start + i * minute, 100, 0);
    expect(budgetState(budget, objective, start + 80 * minute)).toMatchObject({ left: 1, late: 0, verdict: 'plenty' });
    expect(budget.buckets.length).toBeLessThanOrEqual(49 * 3);
  });

  it('is the same after it was stored, and empty for another window', () => {
    const { budget, state } = spent((i) => i % 3);
    const stored = objectOf(JSON.parse(JSON.stringify(budgetToJson(budget))));
    const again = budgetFromJson(stored, objective, ['default']);
    expect(budgetState(again, objective, start + 60 * minute)).toEqual(state);
    const other = { ...objective, windowMs: 2 * objective.windowMs };
    expect(budgetFromJson(stored, other, ['default']).buckets).toEqual([]);
  });
});

describe('readings', () => {
  it('count once, each class by itself, and only with a usable number', () => {
    const budget = emptyBudget(objective);
    const readings = [
      reading(timedName('ttft'), start, 10, { class: 'a' }),
      reading(lateName('ttft'), start, 4, { class: 'a' }),
      reading(timedName('ttft'), start, 20, { class: 'b' }),
      reading(timedName('other'), start, 500, { class: 'a' }),
      reading(timedName('ttft'), start + second, null, { class: 'a', state: 'missing' }),
    ];
    takeBudgetReadings(budget, 'ttft', readings, start + second);
    takeBudgetReadings(budget, 'ttft', readings, start + 2 * second);
    expect(budgetState(budget, objective, start + minute)).toMatchObject({ timed: 30, late: 4 });
  });
});
