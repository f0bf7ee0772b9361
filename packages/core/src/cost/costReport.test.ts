import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LedgerRow, NodeLedgerRow } from '../ports/ports.ts';
import { type CostInput, costGroups, type CostQuery, monthForecasts } from './costReport.ts';

const hourMs = 3_600_000;
const gib = 1024 ** 3;
const nowMs = Date.UTC(2026, 10, 11);

const row = (replica: string, fromMs: number, toMs: number | null, more: Partial<LedgerRow> = {}): LedgerRow => ({
  replica,
  workload: 'local/default/web',
  class: 'default',
  node: 'local',
  currency: 'USD',
  pricePerHourMicro: 1_000_000,
  fromMs,
  toMs,
  ...more,
});
const inputOf = (rows: LedgerRow[], more: Partial<CostInput> = {}): CostInput => ({
  rows,
  nodeRows: [],
  usage: [],
  workloads: [],
  nowMs,
  ...more,
});
const query = (more: Partial<CostQuery> = {}): CostQuery => ({
  fromMs: nowMs - 10 * hourMs,
  toMs: nowMs,
  by: 'workload',
  namespace: null,
  ...more,
});

describe('groups', () => {
  it('counts what is inside the span, at each price, and compares with the dearest moment kept', () => {
    const rows = [
      row('a', nowMs - 20 * hourMs, nowMs - 8 * hourMs),
      row('b', nowMs - 9 * hourMs, nowMs - 8 * hourMs, { capacityType: 'spot', pricePerHourMicro: 400_000 }),
      row('c', nowMs - hourMs, null),
      row('d', nowMs - 30 * hourMs, nowMs - 10 * hourMs),
    ];
    const workloads = [{ key: 'local/default/web', createdAtMs: nowMs - 99 * hourMs, labels: {}, classes: {} }];
    const { groups, totals } = costGroups(inputOf(rows, { workloads }), query());
    const figures = {
      currency: 'USD',
      costMicro: '3400000',
      replicaSeconds: 4 * 3600,
      capacityMicro: { 'on-demand': '3000000', spot: '400000' },
      idle: null,
      alwaysOnMicro: '14000000',
      requests: 0,
    };
    expect(groups).toEqual([{ name: 'default/web', ...figures }]);
    expect(totals).toEqual([figures]);
  });

  it('never adds two currencies, and shows the dearest group first', () => {
    const rows = [
      row('a', nowMs - 2 * hourMs, null),
      row('b', nowMs - 3 * hourMs, null, { currency: 'EUR', workload: 'local/team/chat' }),
      row('c', nowMs - hourMs, null, { workload: 'local/team/chat' }),
    ];
    const { groups, totals } = costGroups(inputOf(rows), query());
    expect(groups.map(({ name, currency, costMicro }) => [name, currency, costMicro])).toEqual([
      ['team/chat', 'EUR', '3000000'],
      ['default/web', 'USD', '2000000'],
      ['team/chat', 'USD', '1000000'],
    ]);
    expect(totals.map(({ currency, costMicro }) => [currency, costMicro])).toEqual([
      ['USD', '3000000'],
      ['EUR', '3000000'],
    ]);
    expect(costGroups(inputOf(rows), query({ namespace: 'team' })).groups.map(({ name }) => name)).toEqual([
      'team/chat',
      'team/chat',
    ]);
  });

  it('groups by class, node and label', () => {
    const rows = [row('a', nowMs - hourMs, null), row('b', nowMs - hourMs, null, { class: 'gpu', node: 'n2' })];
    const workloads = [{ key: 'local/default/web', createdAtMs: 0, labels: { team: 'red' }, classes: {} }];
    const names = (by: CostQuery['by']) =>
      costGroups(inputOf(rows, { workloads }), query({ by })).groups.map(({ name }) => name);
    expect(names('class')).toEqual(['default/web/default', 'default/web/gpu']);
    expect(names('node')).toEqual(['local', 'n2']);
    expect(names('pool')).toEqual(['']);
    expect(names('label:team')).toEqual(['red']);
    expect(names('label:other')).toEqual(['']);
  });

  it('knows the idle share of what was watched, and says nothing where something was not', () => {
    const rows = [
      row('a', nowMs - 2 * hourMs, null),
      row('b', nowMs - 2 * hourMs, null, { class: 'gpu', pricePerHourMicro: 3_000_000 }),
    ];
    const hour = (classes: CostInput['usage'][number]['classes']) => ({
      workload: 'local/default/web',
      hourMs: nowMs - hourMs,
      requests: 7,
      classes,
    });
    const seen = hour({ default: { seenMs: 1000, busyMs: 1000 }, gpu: { seenMs: 1000, busyMs: 500 } });
    const [whole] = costGroups(inputOf(rows, { usage: [seen] }), query()).groups;
    expect(whole).toMatchObject({ costMicro: '8000000', idle: { share: 0.375, costMicro: '3000000' }, requests: 7 });
    const [part] = costGroups(inputOf(rows, { usage: [hour({ gpu: { seenMs: 1000, busyMs: 0 } })] }), query()).groups;
    expect(part).toMatchObject({ idle: null });
  });

  it('adds up to the micro-unit, however it is grouped', () => {
    const someRow = fc.record({
      workload: fc.constantFrom('local/default/a', 'local/default/b', 'local/team/c'),
      class: fc.constantFrom('default', 'gpu'),
      node: fc.constantFrom('local', 'n2'),
      fromMs: fc.integer({ min: nowMs - 30 * hourMs, max: nowMs }),
      length: fc.integer({ min: 0, max: 20 * hourMs }),
      pricePerHourMicro: fc.nat(9_999_999),
    });
    fc.assert(
      fc.property(fc.array(someRow, { maxLength: 30 }), (made) => {
        const rows = made.map(({ length, fromMs, ...rest }, index) =>
          row(`r${index}`, fromMs, Math.min(nowMs, fromMs + length), rest),
        );
        // The slow way: every row by itself, exactly, rounded once.
        const sum = rows.reduce((total, one) => {
          const ms = Math.max(0, (one.toMs ?? nowMs) - Math.max(one.fromMs, nowMs - 10 * hourMs));
          return total + BigInt(one.pricePerHourMicro) * BigInt(ms);
        }, 0n);
        const expected = (sum + 1_800_000n) / 3_600_000n;
        for (const by of ['workload', 'class', 'node', 'pool', 'label:x'] as const) {
          const { groups, totals } = costGroups(inputOf(rows), query({ by }));
          expect(BigInt(totals[0]?.costMicro ?? 0)).toBe(expected);
          expect(groups.reduce((total, { costMicro }) => total + BigInt(costMicro), 0n)).toBe(expected);
          for (const { costMicro, capacityMicro } of groups) {
            expect(Object.values(capacityMicro).reduce((total, part) => total + BigInt(part), 0n)).toBe(
              BigInt(costMicro),
            );
          }
        }
      }),
    );
  });
});

describe('nodes', () => {
  const node: NodeLedgerRow = {
    node: 'n1',
    pool: 'gpu',
    instanceType: 'g5.xlarge',
    capacityType: 'spot',
    fromMs: nowMs - 4 * hourMs,
    toMs: null,
    pricePerHourMicro: 1_000_000,
    currency: 'USD',
    allocatable: { cpuMilli: 4000, memoryBytes: 16 * gib, gpuMilli: 1000 },
  };
  const asked = { cpuMilli: 1000, memoryBytes: 4 * gib, gpuMilli: 500 };
  const workloads = [{ key: 'local/default/web', createdAtMs: 0, labels: {}, classes: { default: asked } }];
  const rows = [row('a', nowMs - 2 * hourMs, null, { node: 'n1' }), row('b', nowMs - hourMs, null)];

  it('are paid once: replicas on them have their part, and what nobody asked for has a name', () => {
    const input = inputOf(rows, { nodeRows: [node], workloads });
    const { groups, totals } = costGroups(input, query());
    expect(groups.map(({ name, costMicro }) => [name, costMicro])).toEqual([
      ['(idle on nodes)', '3000000'],
      ['default/web', '2000000'],
    ]);
    expect(totals[0]).toMatchObject({
      costMicro: '5000000',
      capacityMicro: { spot: '4000000', 'on-demand': '1000000' },
    });
    expect(costGroups(input, query({ namespace: 'default' })).groups.map(({ costMicro }) => costMicro)).toEqual([
      '2000000',
    ]);
  });

  it('by pool and node with their idle share', () => {
    const input = inputOf(rows, { nodeRows: [node], workloads });
    const { groups } = costGroups(input, query({ by: 'pool' }));
    expect(groups).toMatchObject([
      { name: 'gpu', costMicro: '4000000', replicaSeconds: 7200, idle: { share: 0.75, costMicro: '3000000' } },
      { name: '', costMicro: '1000000', idle: null },
    ]);
  });
});

describe('the month', () => {
  it('is forecast from the days that are known', () => {
    const always = [row('a', nowMs - 9 * 24 * hourMs, null)];
    const [forecast] = monthForecasts(inputOf(always), null);
    expect(forecast).toMatchObject({ spentMicro: '216000000', expectedMicro: '696000000', days: 9, basis: 'mean' });
    expect([forecast?.lowMicro, forecast?.highMicro]).toEqual(['696000000', '696000000']);
    expect(monthForecasts(inputOf(always), 'team')).toEqual([]);
  });
});
