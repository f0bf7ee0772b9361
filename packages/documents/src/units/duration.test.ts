import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDuration, maxDurationMs, parseDuration } from './duration.ts';

test.each([
  ['0s', 0],
  ['250ms', 250],
  ['30s', 30_000],
  ['5m', 300_000],
  ['1h30m', 5_400_000],
  ['1d2h3m4s5ms', 93_784_005],
  ['1.5h', 5_400_000],
  ['0.001s', 1],
  [' 30s ', 30_000],
  ['3650d', maxDurationMs],
])('%s is %d ms', (text, durationMs) => {
  expect(parseDuration(text)).toEqual({ value: durationMs });
});

test.each([
  ['30', '30 has no unit; write 30s for seconds or 30ms for milliseconds'],
  ['1.5', '1.5 has no unit; write 1.5s for seconds or 1.5ms for milliseconds'],
  ['-5', '"-5" is negative; a duration is 0s or longer'],
  ['', '"" is not a duration; write a number and a unit, such as 250ms, 30s, 5m or 1h30m'],
  ['-5s', '"-5s" is not a duration; write a number and a unit, such as 250ms, 30s, 5m or 1h30m'],
  ['5 s', '"5 s" is not a duration; write a number and a unit, such as 250ms, 30s, 5m or 1h30m'],
  ['5sec', '"5sec" is not a duration; write a number and a unit, such as 250ms, 30s, 5m or 1h30m'],
  ['30m1h', '"30m1h" names its units out of order; write the largest first: 1h30m15s'],
  ['1s1s', '"1s1s" names its units out of order; write the largest first: 1h30m15s'],
  ['0.5ms', '"0.5ms" is finer than one millisecond'],
  ['3651d', '"3651d" is longer than ten years (3650d)'],
  ['99999999999999999999s', '"99999999999999999999s" is longer than ten years (3650d)'],
  [`${'9'.repeat(21)}s`, `"${'9'.repeat(21)}s" is longer than ten years (3650d), or has too many decimals`],
])('%j is refused', (text, error) => {
  expect(parseDuration(text)).toEqual({ error });
});

test('what is written is read back as the same duration', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: maxDurationMs }), (durationMs) => {
      expect(parseDuration(formatDuration(durationMs))).toEqual({ value: durationMs });
    }),
  );
});

test('durations for people', () => {
  expect(formatDuration(90_000)).toBe('1m30s');
  expect(formatDuration(-1500)).toBe('-1s500ms');
  expect(formatDuration(Number.NaN)).toBe('unknown');
});
