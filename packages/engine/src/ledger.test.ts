import { MemoryStore, VirtualClock } from '@ebb/testing';
import { beforeEach, expect, it } from 'vitest';
import { Ledger } from './ledger.ts';

const hourMs = 3_600_000;
let clock: VirtualClock;
let store: MemoryStore;
let ledger: Ledger;

beforeEach(() => {
  clock = new VirtualClock();
  store = new MemoryStore();
  ledger = new Ledger({ store: store.ledger, clock, log: () => {} });
});

const row = (replica: string, fromMs: number, pricePerHourMicro = 360_000) => ({
  replica,
  workload: 'w',
  class: 'default',
  node: 'local',
  fromMs,
  pricePerHourMicro,
  currency: 'USD',
});

it('has one row a replica, open from ask to gone', async () => {
  const beginMs = clock.nowMs();
  ledger.open(row('a', beginMs));
  ledger.open(row('a', beginMs + 5));
  await clock.advance(1000);
  expect([...store.rows.values()]).toEqual([{ ...row('a', beginMs), toMs: null }]);
  ledger.close('w', 'a', beginMs + 1000);
  ledger.close('w', 'a', beginMs + 9000);
  await clock.advance(1);
  expect([...store.rows.values()]).toEqual([{ ...row('a', beginMs), toMs: beginMs + 1000 }]);
});

it('sums exactly where numbers would not', async () => {
  const years = 40;
  const fromMs = clock.nowMs();
  for (let index = 0; index < 3; index++) {
    ledger.open(row(`r${index}`, fromMs, 98_765_432_101));
    ledger.close('w', `r${index}`, fromMs + years * 365 * 24 * hourMs + 1);
  }
  expect(ledger.of('w').closedPriceMs).toBe(3n * 98_765_432_101n * (40n * 365n * 24n * 3_600_000n + 1n));
  await ledger.flush();
});

it('knows the largest number at once, also from what the store has', async () => {
  const beginMs = clock.nowMs();
  ledger.open(row('a', beginMs));
  ledger.open(row('b', beginMs));
  ledger.close('w', 'a', beginMs + 10);
  ledger.open(row('c', beginMs + 10));
  expect(ledger.of('w').peakReplicas).toBe(2);
  await ledger.flush();
  const next = new Ledger({ store: store.ledger, clock, log: () => {} });
  await next.load();
  expect(next.of('w')).toMatchObject({ peakReplicas: 2, closedMs: 10, firstMs: beginMs });
  expect([...next.of('w').open.keys()].sort()).toEqual(['b', 'c']);
  expect(next.settle(new Set(['c']), beginMs + 500)).toEqual(['b']);
  await next.flush();
  expect(store.rows.get(`b ${beginMs}`)?.toMs).toBe(beginMs + 500);
  expect(store.rows.get(`c ${beginMs + 10}`)?.toMs).toBeNull();
});

it('writes what it could not write as soon as it can', async () => {
  store.faults.fail = () => new Error('disk full');
  const beginMs = clock.nowMs();
  ledger.open(row('a', beginMs));
  await clock.advance(2000);
  ledger.close('w', 'a', beginMs + 2000);
  await clock.advance(2000);
  expect(store.rows.size).toBe(0);
  store.faults = {};
  await clock.advance(6000);
  expect([...store.rows.values()]).toMatchObject([{ replica: 'a', toMs: beginMs + 2000 }]);
});
