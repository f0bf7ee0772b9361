import { expect, it } from 'vitest';
import { meansOf } from './insideView.ts';

const moment = (atMs: number, busy: number, busyUs: number, arrived = 0) => ({ atMs, busy, busyUs, arrived });

it('counts requests that came and went between two moments', () => {
  // Fifty of 2 ms in each 100 ms: at every moment none is there.
  const moments = Array.from({ length: 11 }, (_, index) => moment(index * 100, 0, index * 100_000, index * 50));
  const { concurrency, requestRate } = meansOf(moments, 999, 1000);
  expect(concurrency).toBeCloseTo(1, 6);
  expect(requestRate).toBe(500);
});

it('takes what is there now for the time since the gateways last counted', () => {
  // Held at 1000, told at once; the gateway counts it at 1100, and nothing since.
  const moments = [moment(0, 0, 0), moment(1000, 1, 0), moment(1050, 1, 0), moment(1100, 1, 100_000)];
  expect(meansOf(moments, 1099, 1000).concurrency).toBeCloseTo(0.1, 6);
  expect(meansOf(moments, 1499, 1000).concurrency).toBeCloseTo(0.5, 6);
});

it('cuts off what was before the window', () => {
  const moments = [moment(0, 2, 0), moment(1000, 2, 2_000_000), moment(2000, 0, 4_000_000)];
  expect(meansOf(moments, 1999, 500).concurrency).toBeCloseTo(2, 6);
  expect(meansOf(moments, 2499, 1000).concurrency).toBeCloseTo(1, 6);
  expect(meansOf(moments, 9999, 1000).concurrency).toBe(0);
});

it('is zero where nothing is known, and the number of now where there is no window', () => {
  expect(meansOf([], 5, 1000)).toEqual({ concurrency: 0, requestRate: 0 });
  expect(meansOf([moment(0, 3, 0)], 5, 0)).toEqual({ concurrency: 3, requestRate: 0 });
});
