import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ageText, bytesText, countText, durationText, moneyText, onTimeText, savedPercent } from './format.ts';

test.each([
  [-5, '0s'],
  [0, '0s'],
  [12_999, '12s'],
  [119_000, '119s'],
  [120_000, '2m'],
  [330_000, '5m30s'],
  [900_000, '15m'],
  [3 * 3_600_000, '3h'],
  [5 * 3_600_000 + 60_000, '5h1m'],
  [47 * 3_600_000, '47h'],
  [52 * 3_600_000, '2d4h'],
  [30 * 86_400_000, '30d'],
  [800 * 86_400_000, '2y70d'],
])('age of %i ms is %s, as kubectl writes it', (ms, text) => {
  expect(ageText(ms)).toBe(text);
});

test.each([
  [0, '0 ms'],
  [0.4167, '0.42 ms'],
  [9.94, '9.9 ms'],
  [9.96, '10 ms'],
  [612.4, '612 ms'],
  [999.6, '1.00 s'],
  [1_240, '1.24 s'],
  [9_996, '10.0 s'],
  [99_949, '99.9 s'],
  [125_000, '2 min 5 s'],
  [3_600_000, '1 h 0 min'],
])('%f ms is %s', (ms, text) => {
  expect(durationText(ms)).toBe(text);
});

test.each([
  [0n, 'USD', '$0.00'],
  [31n, 'USD', '$0.000031'],
  [2_400n, 'USD', '$0.0024'],
  [120_000n, 'USD', '$0.12'],
  [123_456n, 'EUR', '€0.1235'],
  [1_234_567n, 'GBP', '£1.23'],
  [-500n, 'USD', '-$0.0005'],
  [2_500_000n, 'CHF', '2.50 CHF'],
  [9_007_199_254_740_993_000_000n, 'USD', '$9007199254740993.00'],
])('%s micro %s is %s', (micro, currency, text) => {
  expect(moneyText(micro, currency)).toBe(text);
  expect(moneyText(String(micro), currency)).toBe(text);
});

test('money is never further from the sum than half of its last decimal', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 15n }), (micro) => {
      const [whole = '', fraction = ''] = moneyText(micro, 'USD').slice(1).split('.');
      const shown = BigInt(whole) * 1_000_000n + BigInt(fraction.padEnd(6, '0'));
      const error = shown > micro ? shown - micro : micro - shown;
      expect(error <= (micro >= 1_000_000n ? 5_000n : 50n)).toBe(true);
      expect(fraction.length).toBeGreaterThanOrEqual(2);
    }),
  );
});

test('saved share', () => {
  expect(savedPercent(0n, 0n)).toBeNull();
  expect(savedPercent(25n, 100n)).toBe(75);
  expect(savedPercent(100n, 100n)).toBe(0);
});

test('a share on time is never rounded up', () => {
  expect(onTimeText(undefined)).toBeNull();
  expect(onTimeText({ requests: 0, late: 0 })).toBeNull();
  expect(onTimeText({ requests: 3, late: 0 })).toBe('100%');
  expect(onTimeText({ requests: 100_000, late: 1 })).toBe('99.9%');
  expect(onTimeText({ requests: 55, late: 1 })).toBe('98.1%');
  expect(onTimeText({ requests: 1, late: 2 })).toBe('0%');
});

test('bytes and counts', () => {
  expect(bytesText(1_023)).toBe('1023 B');
  expect(bytesText(1_536)).toBe('1.5 KiB');
  expect(bytesText(134 * 1024 ** 2)).toBe('134 MiB');
  expect(countText(1, 'replica')).toBe('1 replica');
  expect(countText(0, 'replica')).toBe('0 replicas');
});
