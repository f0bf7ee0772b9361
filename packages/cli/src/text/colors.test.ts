import { expect, test } from 'vitest';
import { colorsFor, wantsColor } from './colors.ts';

test.each([
  [{}, true, true],
  [{}, false, false],
  [{ NO_COLOR: '1' }, true, false],
  [{ NO_COLOR: '' }, true, true],
  [{ FORCE_COLOR: '1' }, false, true],
  [{ FORCE_COLOR: '0' }, true, false],
  [{ NO_COLOR: '1', FORCE_COLOR: '1' }, true, false],
  [{ TERM: 'dumb' }, true, false],
])('%j on a terminal %s: colours %s', (env, terminal, wanted) => {
  expect(wantsColor(env, terminal)).toBe(wanted);
});

test('styles nest', () => {
  const { red, bold } = colorsFor(true);
  expect(bold(`a${red('b')}c`)).toBe('\u001b[1ma\u001b[31mb\u001b[39mc\u001b[22m');
  expect(red(`a${red('b')}c`)).toBe('\u001b[31ma\u001b[31mb\u001b[39m\u001b[31mc\u001b[39m');
  expect(colorsFor(false).red('a')).toBe('a');
});
