import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { activatorBalancing, activatorCount, activatorPods, activatorSlots, podSampleSize } from './kpaActivator.ts';
import { defaultKpaSettings } from './kpaSettings.ts';

describe('activators', () => {
  it.each([
    ['two at least', 1, 211, 100, 4],
    ['two where the activator is not in the path', 500, 0, 100, 2],
    ['none for the burst where it is unlimited', 10, -1, 100, 10],
    ['for all pods and the burst', 10, 211, 100, 13],
    ['fewer of a larger capacity', 10, 211, 1000, 2],
  ])('%s', (_name, ready, targetBurstCapacity, activatorCapacity, wanted) => {
    expect(activatorCount({ ...defaultKpaSettings, targetBurstCapacity, activatorCapacity }, ready)).toBe(wanted);
  });
});

describe('pods of an activator', () => {
  it.each([
    ['all without a place in the subset', 3, 2, -1, [0, 1, 2]],
    ['all when alone', 3, 1, 0, [0, 1, 2]],
    ['one for all', 1, 4, 3, [0]],
    ['shared in turn when there are fewer', 3, 5, 4, [1]],
    ['an equal share', 6, 3, 1, [2, 3]],
    ['the rest one each from the first', 20, 3, 0, [0, 1, 2, 3, 4, 5, 18]],
    ['the rest one each from the first', 20, 3, 1, [6, 7, 8, 9, 10, 11, 19]],
    ['no rest for the last', 20, 3, 2, [12, 13, 14, 15, 16, 17]],
    ['none of none', 0, 3, 1, []],
  ])('%s', (_name, pods, activators, self, wanted) => {
    expect(activatorPods(pods, activators, self)).toEqual(wanted);
  });

  it('are each served by exactly one where there are enough', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 100 }), (activators, more) => {
        const pods = activators + more;
        const all = Array.from({ length: activators }, (_, self) => activatorPods(pods, activators, self)).flat();
        expect(all.sort((a, b) => a - b)).toEqual(Array.from({ length: pods }, (_, index) => index));
      }),
    );
  });
});

it.each([
  [0, 7, null, 'two-random-choices'],
  [1, 7, 7, 'first-available'],
  [3, 2, 6, 'first-available'],
  [4, 2, 8, 'round-robin'],
])('container concurrency %d over %d pods: %s slots, %s', (concurrency, pods, slots, balancing) => {
  expect(activatorSlots(concurrency, pods)).toBe(slots);
  expect(activatorBalancing(concurrency)).toBe(balancing);
});

it.each([
  [-1, 0],
  [0, 0],
  [3, 3],
  [4, 4],
  [5, 4],
  [10, 7],
  [50, 12],
  [100, 14],
  [1000, 16],
])('of %d pods %d are scraped', (pods, wanted) => {
  expect(podSampleSize(pods)).toBe(wanted);
});
