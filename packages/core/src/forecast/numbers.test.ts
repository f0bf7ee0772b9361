import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectileStep, rounded, storedNumbers } from './numbers.ts';

describe('rounded', () => {
  it.each([
    [123_456, 3, 123_000],
    [-123_456, 2, -120_000],
    [0.128, 3, 0.13],
    [9.996, 3, 10],
    [0, 3, 0],
    [-0.004, 3, 0],
    [99_950, 3, 100_000],
  ])('%d to %i digits is %d', (value, digits, expected) => {
    expect(rounded(value, digits)).toBe(expected);
  });

  it('is near, short and its own rounding', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e9, max: 1e9, noNaN: true }), fc.integer({ min: 2, max: 9 }), (value, digits) => {
        const once = rounded(value, digits);
        expect(Math.abs(once - value)).toBeLessThanOrEqual(Math.max(1, Math.abs(value)) * 10 ** (1 - digits));
        expect(rounded(once, digits)).toBe(once);
        expect(JSON.stringify(once).length).toBeLessThanOrEqual(digits + 10);
      }),
    );
  });
});

describe('stored numbers', () => {
  it('are taken whole or not at all', () => {
    expect(storedNumbers([1, 2], 2)).toEqual(Float64Array.of(1, 2));
    expect(storedNumbers([1, 2, 3], 2)).toBeNull();
    expect(storedNumbers([1, null], 2)).toBeNull();
    expect(storedNumbers({ 0: 1 }, 1)).toBeNull();
    expect(storedNumbers(undefined, 0)).toBeNull();
  });
});

it('an expectile step pulls by its side', () => {
  expect(expectileStep(10, 20, 0.6, 0.1)).toBe(16);
  expect(expectileStep(10, 0, 0.6, 0.1)).toBe(9);
});
