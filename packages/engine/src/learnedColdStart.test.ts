import type { ColdStart, LearnedColdStart } from '@ebb/documents';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { learnColdStart, learnedMs } from './learnedColdStart.ts';

const secondUs = 1_000_000;

function start(listenToReadyUs: number | null, more: Partial<ColdStart> = {}): ColdStart {
  return {
    arrivalToAskUs: 9_999,
    askToSpawnUs: 3_000,
    spawnToListenUs: 2 * secondUs,
    listenToReadyUs,
    readyToRouteUs: 400,
    ...more,
  };
}

function learnAll(lengths: readonly number[]): LearnedColdStart {
  const [first = 0, ...rest] = lengths;
  return rest.reduce((known, us) => learnColdStart(known, start(us)), learnColdStart(undefined, start(first)));
}

it('takes the first start as it was, without the wait before it', () => {
  const learned = learnColdStart(undefined, start(6 * secondUs));
  expect(learned).toEqual({
    starts: 1,
    askToSpawnUs: 3_000,
    spawnToListenUs: 2 * secondUs,
    listenToReadyUs: 6 * secondUs,
    readyToRouteUs: 400,
    totalUs: 8 * secondUs + 3_400,
  });
  expect(learnedMs(learned)).toBe(8003);
  expect(learnedMs(undefined)).toBeNull();
});

it('is the mean of which each start counts 0.8 of the one after it', () => {
  expect(learnAll([1000, 2000]).listenToReadyUs).toBe(Math.round((0.8 * 1000 + 2000) / 1.8));
  const lengths = [5, 7, 4, 6, 9].map((seconds) => seconds * secondUs);
  const weights = lengths.map((_, index) => 0.8 ** (lengths.length - 1 - index));
  const sum = (values: number[]) => values.reduce((total, one) => total + one, 0);
  const mean = sum(lengths.map((us, index) => us * (weights[index] ?? 0))) / sum(weights);
  expect(Math.abs((learnAll(lengths).listenToReadyUs ?? 0) - mean)).toBeLessThan(lengths.length);
});

it('is led astray little by one that stuck, and follows what stays', () => {
  const usual = Array.from({ length: 10 }, () => 4 * secondUs);
  expect(learnAll([...usual, 600 * secondUs]).listenToReadyUs).toBeLessThan(7 * secondUs);
  const slower = Array.from({ length: 15 }, () => 60 * secondUs);
  expect(learnAll([...usual, ...slower]).listenToReadyUs).toBeGreaterThan(55 * secondUs);
});

it('keeps what it knows of a stage that was not measured', () => {
  const known = learnColdStart(undefined, start(6 * secondUs));
  expect(learnColdStart(known, start(null)).listenToReadyUs).toBe(6 * secondUs);
  const blind = learnColdStart(undefined, start(null, { spawnToListenUs: null }));
  expect(blind).toMatchObject({ listenToReadyUs: null, totalUs: 3_400 });
  expect(learnColdStart(blind, start(5 * secondUs)).listenToReadyUs).toBe(5 * secondUs);
});

it('stays between the shortest and the longest, and adds up', () => {
  const lengths = fc.array(fc.integer({ min: 0, max: 900 * secondUs }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(lengths, (all) => {
      const { starts, totalUs, ...stages } = learnAll(all);
      expect(starts).toBe(all.length);
      expect(stages.listenToReadyUs).toBeGreaterThanOrEqual(Math.min(...all));
      expect(stages.listenToReadyUs).toBeLessThanOrEqual(Math.max(...all));
      expect(totalUs).toBe(Object.values(stages).reduce((sum: number, us) => sum + (us ?? 0), 0));
    }),
  );
});
