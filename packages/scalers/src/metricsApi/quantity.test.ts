import { expect, it } from 'vitest';
import { quantityOf } from './quantity.ts';

it.each([
  ['0', 0],
  ['7', 7],
  ['1k', 1000],
  ['500m', 0.5],
  ['3m', 0.003],
  ['250u', 0.00025],
  ['2Gi', 2 * 2 ** 30],
  ['1.5Ki', 1536],
  ['1e3', 1000],
  ['1E', 1e18],
  ['12E2', 1200],
  ['.5', 0.5],
  ['5.', 5],
  ['-3', -3],
  ['+4', 4],
])('%s is %d', (text, value) => {
  expect(quantityOf(text)).toBe(value);
});

it.each(['', 'x', '1K', '1 k', '1kb', '--1', '1e', 'Ki', 'NaN', '1e999', '0x10', '1constructor'])(
  '"%s" is no quantity',
  (text) => {
    expect(quantityOf(text)).toBeNull();
  },
);
