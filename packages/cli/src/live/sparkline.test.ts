import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { glyphsFor } from '../text/glyphs.ts';
import { Curve, curveSeconds } from './curve.ts';
import { sparkline } from './sparkline.ts';

const { levels } = glyphsFor({});

test('from nothing to full', () => {
  expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7, 8], 9, 8, levels)).toBe('·▁▂▃▄▅▆▇█');
});

test('zero never looks like little, little never like zero', () => {
  expect(sparkline([0, 1, 1000], 3, 1000, levels)).toBe('·▁█');
});

test('too many values: each column shows the largest of its own', () => {
  expect(sparkline([0, 8, 0, 0, 4, 0], 3, 8, levels)).toBe('█·▄');
});

test('always exactly as wide as asked for', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1000), { maxLength: 100 }), fc.nat(80), (values, width) => {
      expect(sparkline(values, width, Math.max(0, ...values), levels)).toHaveLength(width);
    }),
  );
});

test('a curve keeps a minute, carries values on, and shows the peak of a second', () => {
  const curve = new Curve();
  curve.record(1_000, 1);
  curve.record(1_500, 5);
  curve.record(1_900, 2);
  expect(curve.values(4_200)).toEqual([5, 2, 2, 2]);
  expect(curve.values(4_900)).toEqual([5, 2, 2, 2]);
  curve.record(5_000, 0);
  expect(curve.values(6_000)).toEqual([5, 2, 2, 2, 2, 0]);
  expect(curve.values(10_000_000)).toEqual(Array.from({ length: curveSeconds }, () => 0));
});
