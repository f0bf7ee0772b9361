import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Frame } from './frame.ts';
import { compileRegex, regexProblem } from './regex.ts';
import { matches } from './regexMatch.ts';

const find = (pattern: string, text: string) => matches(compileRegex(pattern), text, new Frame({}, 0));

describe('regular expressions', () => {
  it('finds what JavaScript finds, over patterns and texts of the common language', () => {
    const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '[a-c]', '\\d', '\\w', '\\.', '\\b', '^', '$');
    const pattern = fc.letrec((tie) => ({
      one: fc.oneof({ maxDepth: 3 }, atom, tie('group'), tie('repeat')),
      group: fc.tuple(fc.constantFrom('(', '(?:'), tie('many')).map(([open, inner]) => `${open}${String(inner)})`),
      repeat: fc
        .tuple(
          fc.constantFrom('a', 'b', '[ab]', '(ab|b)', '(a*b)'),
          fc.constantFrom('*', '+', '?', '{2}', '{1,}', '{0,2}', '*?'),
        )
        .map((parts) => parts.join('')),
      many: fc.array(tie('one'), { maxLength: 4 }).map((parts) => parts.join('')),
      whole: fc.array(tie('many'), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('|')),
    })).whole;
    fc.assert(
      fc.property(
        pattern,
        fc.string({ unit: fc.constantFrom('a', 'b', 'c', '1', '.', ' '), maxLength: 8 }),
        (expression, text) => {
          expect(find(expression, text)).toBe(new RegExp(expression).test(text));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('counts characters, not code units', () => {
    expect(find('^.$', '😀')).toBe(true);
    expect(find('^[😀-😂]$', '😁')).toBe(true);
  });

  it.each([
    '(',
    ')',
    'a**',
    '*',
    'a{2}{3}',
    '[a',
    '[z-a]',
    '\\',
    '\\q',
    '(?i)a',
    '(?=a)',
    '[[:alpha:]]',
    'a{1001}',
    '(a{1000}){1000}',
    '('.repeat(200),
  ])('refuses %s', (pattern) => {
    expect(regexProblem(pattern)).toContain('in the pattern');
  });
});
