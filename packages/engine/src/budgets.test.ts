import type { LedgerRow } from '@ebb/core';
import { MemoryStore, VirtualClock, virtualEpochMs } from '@ebb/testing';
import { expect, it } from 'vitest';
import { budgetStatus, withBudgets } from './budgets.ts';
import { Ledger } from './ledger.ts';

const hourMs = 3_600_000;
const february = virtualEpochMs + 31 * 24 * hourMs;
const limits = {
  maxReplicas: null,
  capacity: { cpuMilli: null, memoryBytes: null, gpuMilli: null },
  maxPricePerHourMicro: null,
};
const rule = { namespace: null, limitMicro: 5_000_000, currency: 'USD', mode: 'stopGrowing' } as const;

const row = (replica: string, fromMs: number, toMs: number | null, more: Partial<LedgerRow> = {}): LedgerRow => ({
  replica,
  workload: 'local/default/web',
  class: 'default',
  node: 'local',
  fromMs,
  toMs,
  pricePerHourMicro: 1_000_000,
  currency: 'USD',
  ...more,
});

async function ledgerOf(clock: VirtualClock, ...rows: LedgerRow[]): Promise<Ledger> {
  const store = new MemoryStore();
  await store.ledger.write(rows);
  const ledger = new Ledger({ store: store.ledger, clock, log: () => {} });
  await ledger.load();
  return ledger;
}

it('counts the part of each row that is in this month, in its own currency and namespace', async () => {
  const clock = new VirtualClock();
  await clock.advance(february + 2 * hourMs - clock.nowMs());
  const ledger = await ledgerOf(
    clock,
    row('before', virtualEpochMs, february),
    row('across', february - 5 * hourMs, february + hourMs),
    row('open', february - hourMs, null),
    row('euro', february, null, { currency: 'EUR' }),
    row('other', february, february + hourMs / 2, { workload: 'local/team/chat' }),
  );
  const spent = (namespace: string | null, currency = 'USD') =>
    budgetStatus({ ...rule, namespace, currency }, ledger, clock.nowMs()).spentMicro;
  expect([spent(null), spent('default'), spent('team'), spent(null, 'EUR')]).toEqual([
    '3500000',
    '3000000',
    '500000',
    '2000000',
  ]);
});

it('begins again with the month, also for rows that were closed while it ran', async () => {
  const clock = new VirtualClock();
  const ledger = await ledgerOf(clock);
  ledger.open(row('a', virtualEpochMs, null));
  await clock.advance(virtualEpochMs + 6 * hourMs - clock.nowMs());
  ledger.close('local/default/web', 'a', clock.nowMs());
  expect(withBudgets(limits, [rule], ledger, clock.nowMs()).budget).toMatchObject({ spentMicro: 6_000_000 });
  await clock.advance(31 * 24 * hourMs);
  expect(withBudgets(limits, [rule], ledger, clock.nowMs()).budget).toMatchObject({ spentMicro: 0 });
  await ledger.flush();
});

it('leaves limits without a rule as they are, and allows what an hour can be paid of', async () => {
  const clock = new VirtualClock();
  await clock.advance(virtualEpochMs + 3 * hourMs - clock.nowMs());
  const ledger = await ledgerOf(clock, row('a', virtualEpochMs, null));
  const nowMs = clock.nowMs();
  expect(withBudgets(limits, [], ledger, nowMs)).toBe(limits);
  expect(withBudgets(limits, [rule], ledger, nowMs).budget).toEqual({
    currency: 'USD',
    spentMicro: 3_000_000,
    limitMicro: 5_000_000,
    asOfMs: nowMs,
    windowEndsAtMs: nowMs + hourMs,
    mode: 'stop-growing',
  });
  const quotas = (mode: 'warn' | 'stopGrowing') =>
    withBudgets(limits, [{ ...rule, namespace: 'default', mode }], ledger, nowMs).quotas;
  expect(quotas('stopGrowing')).toEqual([
    { name: 'budget of namespace default', scope: { namespace: 'default' }, maxPricePerHourMicro: 2_000_000 },
  ]);
  expect(quotas('warn')).toEqual([]);
});
