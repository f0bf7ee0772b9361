import { expect, it } from 'vitest';
import { sqlValue } from './sqlValue.ts';

it.each<[unknown, number]>([
  [3, 3],
  [-1.5, -1.5],
  ['42', 42],
  ['12345678901234567890', 12_345_678_901_234_567_000],
  ['0.10', 0.1],
  ['1e3', 1000],
  ['NaN', Number.NaN],
  ['-Infinity', Number.NEGATIVE_INFINITY],
])('%j is %d', (value, number) => {
  expect(sqlValue(value, 'db')).toBe(number);
});

it.each<[unknown, RegExp]>([
  [undefined, /no row/],
  [null, /NULL/],
  ['', /""/],
  ['many', /"many"/],
  [' 1', /" 1"/],
  ['0x10', /0x10/],
  [true, /boolean/],
  [new Date(0), /time/],
  [[1], /array/],
  [{ a: 1 }, /object/],
])('%j is no number', (value, message) => {
  expect(() => sqlValue(value, 'db')).toThrow(expect.objectContaining({ code: 'bad-answer' }));
  expect(() => sqlValue(value, 'db')).toThrow(message);
});
