import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatBytes, formatMilli, parseBytes, parseMilli, parseQuantity, scaledUp } from './quantity.ts';

describe('processors', () => {
  test.each([
    ['1', 1000],
    ['500m', 500],
    ['0.5', 500],
    ['.5', 500],
    ['2.', 2000],
    ['0.1', 100],
    ['1e1', 10_000],
    ['1E-1', 100],
    ['100u', 1],
    ['1n', 1],
    ['0', 0],
    ['+2', 2000],
    ['2k', 2_000_000],
  ])('%s is %d thousandths', (text, milli) => {
    expect(parseMilli(text)).toEqual({ value: milli });
  });

  test('0.1 three times is 0.3, which floats get wrong', () => {
    const tenth = parseQuantity('0.1');
    if ('error' in tenth) throw new Error(tenth.error);
    expect(scaledUp({ ...tenth.value, numerator: tenth.value.numerator * 3n }, 10n)).toBe(3);
  });
});

describe('sizes', () => {
  test.each([
    ['1Ki', 1024],
    ['1.5Gi', 1_610_612_736],
    ['512Mi', 536_870_912],
    ['128M', 128_000_000],
    ['1G', 1_000_000_000],
    ['129e6', 129_000_000],
    ['1000', 1000],
    ['0.5Ki', 512],
    ['7Pi', 7_881_299_347_898_368],
  ])('%s', (text, bytes) => {
    expect(parseBytes(text)).toEqual({ value: bytes });
  });

  test.each([
    ['400m', { error: '"400m" is not a whole number of bytes (m means thousandths)', suggestion: '400Mi' }],
    ['0.1', { error: '"0.1" is not a whole number of bytes' }],
    ['-1Gi', { error: '"-1Gi" is negative' }],
    ['8Pi', { error: '"8Pi" is too large' }],
    ['1e999999999', { error: '"1e999999999" is out of range' }],
    ['9'.repeat(41), { error: `"${'9'.repeat(41)}" has more than 40 digits` }],
    ['ten', { error: '"ten" is not a quantity; write a number and a suffix, such as 500m, 2, 512Mi or 1Gi' }],
    ['', { error: '"" is not a quantity; write a number and a suffix, such as 500m, 2, 512Mi or 1Gi' }],
    ['1 Gi', { error: '"1 Gi" is not a quantity; write a number and a suffix, such as 500m, 2, 512Mi or 1Gi' }],
    [
      '512MB',
      {
        error: '"512MB" has the unknown suffix "MB"; known are m, k, M, G, T, P, E and Ki, Mi, Gi, Ti, Pi, Ei',
        suggestion: '512M',
      },
    ],
    [
      '4g',
      {
        error: '"4g" has the unknown suffix "g"; known are m, k, M, G, T, P, E and Ki, Mi, Gi, Ti, Pi, Ei',
        suggestion: '4G',
      },
    ],
    [
      '1constructor',
      {
        error:
          '"1constructor" has the unknown suffix "constructor"; known are m, k, M, G, T, P, E and Ki, Mi, Gi, Ti, Pi, Ei',
      },
    ],
  ])('%s is refused', (text, refusal) => {
    expect(parseBytes(text)).toEqual(refusal);
  });
});

test('whole numbers with a binary suffix are exact', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_000_000 }), fc.constantFrom('Ki', 'Mi', 'Gi'), (count, suffix) => {
      const factor = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 }[suffix] ?? 0;
      expect(parseBytes(`${count}${suffix}`)).toEqual({ value: count * factor });
    }),
  );
});

test('thousandths are read back as written', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_000_000_000 }), (milli) => {
      expect(parseMilli(formatMilli(milli))).toEqual({ value: milli });
    }),
  );
});

test.each([
  [0, '0'],
  [1023, '1023'],
  [1024, '1Ki'],
  [1_048_575, '1Mi'],
  [1_610_612_736, '1.5Gi'],
  [-2048, '-2Ki'],
  [Number.NaN, 'unknown'],
])('%d bytes for people: %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});
