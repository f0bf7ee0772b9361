import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { colorsFor } from './colors.ts';
import { padEnd, padStart, stripStyles, textWidth, truncate, withoutControls, wrap } from './width.ts';

const { red, bold } = colorsFor(true);

test('styles take no room, wide signs take two columns', () => {
  expect(textWidth(red('abc'))).toBe(3);
  expect(textWidth('日本')).toBe(4);
  expect(textWidth('▁▂█→…')).toBe(5);
  expect(padEnd(red('ab'), 4)).toBe(`${red('ab')}  `);
  expect(padStart('日', 3)).toBe(' 日');
});

test('cutting keeps within the width, says that it cut, and ends open styles', () => {
  expect(truncate('abcdef', 4)).toBe('abc…');
  expect(truncate('abcd', 4)).toBe('abcd');
  expect(truncate('abcdef', 4, '~')).toBe('abc~');
  expect(truncate('日本語', 4)).toBe('日…');
  const cut = truncate(red('abcdef'), 4);
  expect(stripStyles(cut)).toBe('abc…');
  expect(cut.endsWith('\u001b[0m')).toBe(true);
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.nat(40), (text, width) => {
      expect(textWidth(truncate(bold(withoutControls(text)), width))).toBeLessThanOrEqual(width);
    }),
  );
});

test('wrapping breaks at spaces and cuts the last line', () => {
  expect(wrap('one two three four', 9)).toEqual(['one two', 'three', 'four']);
  expect(wrap('one two three four', 9, 2)).toEqual(['one two', 'three fo…']);
  expect(wrap('', 9)).toEqual(['']);
  fc.assert(
    fc.property(
      fc.lorem({ maxCount: 30 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 5 }),
      (text, width, most) => {
        const lines = wrap(text, width, most);
        expect(lines.length).toBeLessThanOrEqual(most);
        for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(width);
      },
    ),
  );
});

test('control characters of others cannot move the cursor', () => {
  expect(withoutControls('a\u001b[2Jb\r\nc\u0007')).toBe('ab c ');
});
