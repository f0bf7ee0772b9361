import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileFormula, evaluate } from './compile.ts';
import { maxFormulaDepth, maxFormulaLength } from './limits.ts';
import { FormulaError } from './problem.ts';

const names = ['queue', 'latency', 'my-queue'];

/** `line:column found: message` of everything wrong. */
function problems(text: string): string[] {
  const result = compileFormula(text, names);
  if (result.ok) throw new Error('accepted');
  return result.problems.map(({ line, column, found, message }) => `${line}:${column} ${found}: ${message}`);
}

function first(text: string) {
  const result = compileFormula(text, names);
  if (result.ok) throw new Error('accepted');
  return result.problems[0];
}

describe('compileFormula', () => {
  it('says where a name is unknown, which there are, and which was meant', () => {
    expect(first('queue +\n  latncy * 2')).toEqual({
      message: 'unknown name "latncy"',
      offset: 10,
      line: 2,
      column: 3,
      found: 'latncy',
      allowed: ['queue', 'latency', 'my-queue'],
      suggestion: 'latency',
    });
    expect(first('maxx(queue, 1)')).toMatchObject({ message: 'unknown function "maxx"', column: 1, suggestion: 'max' });
  });

  it('tells how a trigger with a dash is written', () => {
    const [problem] = problems('my-queue + 1');
    expect(problem).toBe('1:1 my: unknown name "my"; a trigger whose name is not a word is written $env["my-queue"]');
    expect(compileFormula('$env["my-queue"] + 1', names).ok).toBe(true);
  });

  it('tells everything that is wrong at once', () => {
    expect(problems('foo + bar > 1 ? queue % 2 : [1]["x"]')).toEqual([
      '1:1 foo: unknown name "foo"',
      '1:7 bar: unknown name "bar"',
      '1:23 %: "%" does not work with a float and an int; it takes ints, and int(…) makes one of a float',
      '1:33 ": an index of a list is an int, not a string',
    ]);
  });

  it.each([
    ['', 'the formula is empty'],
    ['  ', 'the formula is empty'],
    ['queue +', 'a value was expected, found the end of the formula'],
    ['(queue', '")" was expected, found the end of the formula'],
    ['queue latency', 'unexpected "latency"'],
    ['queue ? 1', '":" was expected, found the end of the formula'],
    ['queue @ 1', 'the character "@" has no meaning here'],
    ['"abc', 'this string does not end'],
    ['queue /* x', 'this comment does not end'],
    ['12ab', '"12ab" is not a number'],
    ['1e999', '"1e999" does not fit into a float'],
    ['9223372036854775808', '"9223372036854775808" does not fit into 64 bits'],
    ['queue ?? 1 + 2', '"+" beside "??" needs parentheses that say which comes first'],
    ['queue > 1', 'the result is a bool, not a number'],
    ['[queue]', 'the result is a list of float, not a number'],
    ['queue ? 1 : 2', 'a condition is a bool, not a float'],
    ['# > 1', '"#" means the element of a list, inside a function such as filter'],
    ['map([1], #indx)[0]', '#indx has no meaning here'],
    ['filter([1], # + 1)', 'the predicate of filter gives an int, not a bool'],
    ['filter([1])', 'filter needs a list and a predicate'],
    ['count(queue)', 'count takes a list, not a float'],
    ['upper(queue)', 'upper(string) was expected, found upper(float)'],
    ['abs(1, 2)', 'abs takes one argument, not 2'],
    ['max("a", 1)', 'max takes numbers or lists of numbers, not a string'],
    ['max', 'max is a function: max(…)'],
    ['queue()', 'queue is a value here, not a function'],
    ['queue.size', 'a float has no field "size"'],
    ['let queue = 1; queue', 'queue is a value already; the variable needs another name'],
    ['let max = 1; max', 'max is a function; the variable needs another name'],
    ['1 % 0', '"%" by zero'],
    ['"a" matches "("', 'in the pattern "(": a "(" without its ")"'],
    ['now()', 'now is not supported: a formula has no clock; use a cron trigger'],
    ["b'x'", 'byte strings are not supported'],
    ['"abc" matches "(?i)B"', 'in the pattern "(?i)B": of the groups with "?" only (?: ) is supported'],
  ])('refuses %s', (text, message) => {
    expect(first(text)?.message).toBe(message);
  });

  it('refuses a result of a formula beginning with float( that KEDA would fail on at every reading', () => {
    expect(first('float(queue) > 3 ? 5 : 0')?.message).toMatch(/the result is an int, not a float/);
    expect(compileFormula('float(queue > 3 ? 5 : 0)', names).ok).toBe(true);
  });

  it('refuses what fails with every trigger at -1, as KEDA does', () => {
    const problem = first('[1, 2, 3][int(queue) * 9]');
    expect(problem?.message).toBe(
      'index -9 of a list of 3 (tried with every trigger at -1, as KEDA does when the object is applied)',
    );
    expect(problem).toMatchObject({ line: 1, column: 10, found: '[' });
  });

  it('reads everything within its bounds and refuses what is beyond', () => {
    const nested = (depth: number) => `${'('.repeat(depth)}queue${')'.repeat(depth)}`;
    expect(compileFormula(nested(200), names).ok).toBe(true);
    expect(first(nested(maxFormulaDepth))?.message).toBe('nested more than 256 levels deep');
    expect(first(`queue${' + queue'.repeat(maxFormulaDepth)}`)?.message).toBe('nested more than 256 levels deep');
    expect(first(`[${'1,'.repeat(4_000)}1][0] + ${'1'.padStart(maxFormulaLength, ' ')}`)?.message).toBe(
      'longer than 10000 characters',
    );
    // Each comparison in a chain stands in the tree twice.
    const doubling = `${'0 < len(['.repeat(40)}1${']) < 5'.repeat(40)} ? 1 : 0`;
    expect(first(doubling)?.message).toBe('longer than 10000 operators and operands');
    expect(first('-'.repeat(5_000))?.message).toBe('nested more than 256 levels deep');
  });

  it('never throws, whatever the text, and points into it', () => {
    const pieces = fc.constantFrom(
      ...[
        'queue',
        'latency',
        'x',
        '1',
        '2.5',
        '"a"',
        '(',
        ')',
        '[',
        ']',
        '{',
        '}',
        '#',
        '.',
        '..',
        '?',
        '??',
        '?.',
        ':',
        '::',
        ';',
        ',',
      ],
      ...[
        '+',
        '-',
        '*',
        '**',
        '%',
        '|',
        '==',
        '<',
        'and',
        'not',
        'in',
        'let',
        'if',
        'else',
        '=',
        'max(',
        'filter(',
        'map(',
        ' ',
        '\n',
        'é',
        '😀',
      ],
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.array(pieces, { maxLength: 30 }).map((parts) => parts.join(' ')),
    );
    fc.assert(
      fc.property(text, fc.dictionary(fc.constantFrom(...names), fc.option(fc.double())), (formula, values) => {
        const result = compileFormula(formula, names);
        if (!result.ok) {
          expect(result.problems.length).toBeGreaterThan(0);
          for (const problem of result.problems) {
            expect(problem.offset).toBeGreaterThanOrEqual(0);
            expect(problem.offset).toBeLessThanOrEqual(formula.length);
            expect(problem.line).toBe(formula.slice(0, problem.offset).split('\n').length);
          }
          return;
        }
        try {
          const value = evaluate(result.formula, values);
          expect(value === null || typeof value === 'number').toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(FormulaError);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
