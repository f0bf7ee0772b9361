import { expect, it } from 'vitest';
import { PersistentLag } from './persistentLag.ts';

it('counts a partition the first time, and no more while its commit stands still', () => {
  const lag = new PersistentLag();
  expect([5, 5, 5, 6, 6, 5].map((committed) => lag.isStuck('orders', 0, committed, true))).toEqual([
    false,
    true,
    true,
    false,
    true,
    false,
  ]);
});

it('keeps partitions and topics apart', () => {
  const lag = new PersistentLag();
  expect(lag.isStuck('orders', 0, 5, true)).toBe(false);
  expect(lag.isStuck('orders', 1, 5, true)).toBe(false);
  expect(lag.isStuck('returns', 0, 5, true)).toBe(false);
  expect(lag.isStuck('orders', 1, 5, true)).toBe(true);
});

it('is not hastened by readings between polls', () => {
  const lag = new PersistentLag();
  expect(lag.isStuck('orders', 0, 5, false)).toBe(false);
  expect(lag.isStuck('orders', 0, 5, true)).toBe(false);
  expect(lag.isStuck('orders', 0, 5, false)).toBe(false);
  expect(lag.isStuck('orders', 0, 5, true)).toBe(true);
  expect(lag.isStuck('orders', 0, 5, false)).toBe(true);
  expect(lag.isStuck('orders', 0, 6, false)).toBe(false);
  expect(lag.isStuck('orders', 0, 5, false)).toBe(true);
});
