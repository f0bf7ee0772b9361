import { describe, expect, it } from 'vitest';
import { evaluateFormula } from './evaluate.ts';
import { FormulaError } from './problem.ts';

describe('evaluateFormula', () => {
  it('computes with ints and floats as Go does', () => {
    expect(evaluateFormula('(queue + 1) / 2', { queue: 4 })).toBe(2.5);
    expect(evaluateFormula('7 / 2', {})).toBe(3.5);
    expect(evaluateFormula('9223372036854775807 + 1', {})).toBe(-(2 ** 63));
    expect(evaluateFormula('int(queue) % 3', { queue: 7.9 })).toBe(1);
    expect(evaluateFormula('round(-2.5)', {})).toBe(-3);
    expect(evaluateFormula('count([queue, lag], {# > 1}) > 1 ? 5 : 0', { queue: 2, lag: 3 })).toBe(5);
  });

  it('lets a division by zero through', () => {
    expect(evaluateFormula('a / b', { a: 1, b: 0 })).toBe(Number.POSITIVE_INFINITY);
    expect(evaluateFormula('a / b', { a: 0, b: 0 })).toBeNaN();
  });

  it('takes a trigger without a value for nil', () => {
    expect(evaluateFormula('a ?? b ?? 8', { a: null, b: null })).toBe(8);
    expect(evaluateFormula('a ?? b', { a: null, b: null })).toBeNull();
    expect(evaluateFormula('max([b, 1]) + (a ?? 0)', { a: null, b: 2 })).toBe(2);
    expect(evaluateFormula('a == nil ? 1 : 2', { a: null })).toBe(1);
  });

  it('says where it failed and which trigger had no value', () => {
    const failure = () => evaluateFormula('b * 2\n  + a', { a: null, b: 1 });
    expect(failure).toThrow(FormulaError);
    try {
      failure();
    } catch (error) {
      expect(error).toMatchObject({
        message: '"+" does not work with nil and a float; no value of a',
        offset: 8,
        line: 2,
        column: 3,
      });
    }
  });

  it('throws for what does not compile, with the place', () => {
    expect(() => evaluateFormula('1 + x', { a: 1 })).toThrow(
      new FormulaError('unknown name "x"', { offset: 4, line: 1, column: 5 }),
    );
  });

  it('keeps formulas apart that differ in their names only', () => {
    expect(evaluateFormula('len', { len: 4 })).toBe(4);
    expect(() => evaluateFormula('len', { a: 4 })).toThrow('len is a function');
    expect(() => evaluateFormula('a', { b: 1 })).toThrow('unknown name "a"');
    expect(evaluateFormula('a', { a: 2 })).toBe(2);
  });

  it('reads names that objects have by nature as any other', () => {
    expect(() => evaluateFormula('toString + 1', { a: 1 })).toThrow('unknown name "toString"');
    expect(evaluateFormula('constructor + 1', { constructor: 2 })).toBe(3);
    expect(evaluateFormula('hasOwnProperty ?? 4', { hasOwnProperty: null })).toBe(4);
  });

  it('stays right over more formulas than it keeps', () => {
    for (let round = 0; round < 2; round += 1) {
      for (let number = 0; number < 40_000; number += 1) {
        if (evaluateFormula(`a + ${number}`, { a: 0.5 }) !== number + 0.5) throw new Error(`wrong for ${number}`);
      }
    }
  });

  it.each([
    ['len(1..1000000)', 'lists of more than 1000000 elements in all'],
    ['let r = 1..900; all(r, all(r, all(r, true))) ? 1 : 0', 'more than 2000000 steps of work'],
    ['let r = 1..900000; sum(map(1..1000, max(r)))', 'more than 2000000 steps of work'],
    ['let s = repeat("a", 900000); all(1..900, s contains "b" or s < "b") ? 1 : 0', 'more than 2000000 steps of work'],
    ['let m = groupBy(1..900000, #); sum(map(1..1000, len(keys(m))))', 'more than 2000000 steps of work'],
    ['len(reduce(1..100, #acc + #acc, "a"))', 'a string of more than 1000000 characters'],
    ['len(flatten(reduce(1..60, [#acc, #acc], [1])))', 'more than 2000000 steps of work'],
    ['reduce(1..60, [#acc, #acc], [1]) == reduce(1..60, [#acc, #acc], [1]) ? 1 : 0', 'more than 2000000 steps of work'],
    ['len(flatten(reduce(1..300000, [#acc], [1])))', 'lists are nested too deeply'],
    ['len(replace(repeat("a", 90000), "a", repeat("b", 90000)))', 'a string of more than 1000000 characters'],
    ['repeat("a", 900000) matches "(a*)*(a*)*(a*)*b" ? 1 : 0', 'more than 2000000 steps of work'],
  ])('gives up on %s', (formula, message) => {
    const start = performance.now();
    expect(() => evaluateFormula(formula, {})).toThrow(message);
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});
