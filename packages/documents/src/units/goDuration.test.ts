import { expect, test } from 'vitest';
import { parseGoDuration } from './goDuration.ts';

test.each([
  ['0', 0],
  ['0s', 0],
  ['300ms', 300],
  ['1.5h', 5_400_000],
  ['2h45m', 9_900_000],
  ['1m0s', 60_000],
  ['+5s', 5000],
  ['.5s', 500],
  ['1.s', 1000],
  ['1500us', 2],
  ['2000000ns', 2],
  ['30s1m', 90_000],
])('%s', (text, expected) => {
  expect(parseGoDuration(text)).toEqual({ value: expected });
});

test.each(['', '5', '-5s', '1d', '5 s', 's', '1h 5m', '.s', '99999999h'])('%s is refused', (text) => {
  expect(parseGoDuration(text)).toHaveProperty('error');
});

test('days are said to be hours', () => {
  expect(parseGoDuration('1d')).toMatchObject({ error: expect.stringContaining('days are written in hours') });
});
