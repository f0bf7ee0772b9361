import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatMoneyMicro, maxPriceMicro, parseMoneyMicro } from './money.ts';

test.each([
  ['0', 0],
  ['0.07', 70_000],
  ['.5', 500_000],
  ['12', 12_000_000],
  ['0.000001', 1],
  ['1e-6', 1],
  ['1.5e-3', 1500],
  ['1.5e2', 150_000_000],
  ['0.0700000000', 70_000],
  ['1000000', maxPriceMicro],
])('%s is %d micro-units', (text, micro) => {
  expect(parseMoneyMicro(text)).toEqual({ value: micro });
});

test.each([
  ['0.1234567', '"0.1234567" has more than six decimals'],
  ['1e-7', '"1e-7" has more than six decimals'],
  ['-1', '"-1" is not an amount; write digits and a point, such as 0.07'],
  ['', '"" is not an amount; write digits and a point, such as 0.07'],
  ['.', '"." is not an amount; write digits and a point, such as 0.07'],
  ['$1', '"$1" is not an amount; write digits and a point, such as 0.07'],
  ['1,5', '"1,5" is not an amount; write digits and a point, such as 0.07'],
  ['1000000.000001', '"1000000.000001" is more than 1000000'],
  ['9'.repeat(30), `"${'9'.repeat(30)}" is too large`],
])('%s is refused', (text, error) => {
  expect(parseMoneyMicro(text)).toEqual({ error });
});

test('all six decimals survive writing and reading, also as a JavaScript number', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: maxPriceMicro }), (micro) => {
      const [amount = ''] = formatMoneyMicro(micro, 'USD').split(' ');
      expect(parseMoneyMicro(amount)).toEqual({ value: micro });
      expect(parseMoneyMicro(String(Number(amount)))).toEqual({ value: micro });
    }),
  );
});

test.each([
  [70_000, 2, '0.07 USD'],
  [74_999, 2, '0.07 USD'],
  [75_000, 2, '0.08 USD'],
  [-75_000, 2, '-0.08 USD'],
  [-1, 2, '0.00 USD'],
  [999_999, 0, '1 USD'],
  [1_234_567, 6, '1.234567 USD'],
  [12_345_678_901_234_567_890n, 4, '12345678901234.5679 USD'],
  [Number.NaN, 2, 'unknown USD'],
])('%s micro-units with %d decimals: %s', (micro, digits, text) => {
  expect(formatMoneyMicro(micro, 'USD', digits)).toBe(text);
});
