import type { WorkloadInput } from '@ebb/documents';
import { VirtualSystem, virtualEpochMs, workloadDocument } from '@ebb/testing';
import { describe, expect, it } from 'vitest';
import type { MoneyRules } from './moneyWatch.ts';

const hourMs = 3_600_000;
const key = { cluster: 'local', namespace: 'default', name: 'web' };
const quick = { spawnUs: 1000, listenUs: 1000, readyUs: 1000 };
const policy = { type: 'windows' } as const;

function document(scaling: NonNullable<WorkloadInput['spec']>['scaling'], namespace = 'default'): WorkloadInput {
  const classes = [{ name: 'default', command: ['serve'], concurrency: 1, pricePerHour: 1 }];
  return workloadDocument('web', { classes, scaling: { policy, ...scaling } }, namespace);
}

async function started(scaling: Parameters<typeof document>[0], namespace?: string): Promise<VirtualSystem> {
  const system = new VirtualSystem({ plan: () => quick });
  await system.start();
  await system.apply(document(scaling, namespace));
  await system.clock.advance(10);
  return system;
}

const costOf = (system: VirtualSystem, fromMs: number, toMs = Number.MAX_SAFE_INTEGER) =>
  system.await(system.engine.cost({ fromMs, toMs, by: 'workload', namespace: null }));

describe('what was paid', () => {
  it('is every replica-second with its price, and how much of it was in use', async () => {
    const system = await started({ minReplicas: 1, maxReplicas: 1 });
    await system.clock.advance(hourMs);
    for (let count = 0; count < 3; count += 1) {
      system.gateway.arrive('local/default/web', 20 * 60_000_000);
      await system.clock.advance(hourMs);
    }
    const report = await costOf(system, virtualEpochMs);
    const paidMs =
      system.clock.nowMs() -
      [...system.store.rows.values()].reduce((first, row) => Math.min(first, row.fromMs), Infinity);
    const [group] = report.groups;
    expect(group).toMatchObject({ name: 'default/web', requests: 3, capacityMicro: { 'on-demand': group?.costMicro } });
    expect(group?.costMicro).toBe(String(Math.round(paidMs / 3.6)));
    // One hour in four was used.
    expect(group?.idle?.share).toBeGreaterThan(0.749);
    expect(group?.idle?.share).toBeLessThan(0.751);
    expect(report.totals[0]?.costMicro).toBe(group?.costMicro);
    const lastHour = await costOf(system, system.clock.nowMs() - hourMs);
    expect(lastHour.totals[0]).toMatchObject({ costMicro: '1000000', replicaSeconds: 3600, alwaysOnMicro: '1000000' });
  });

  it('is known after a restart, with its use, and after the workload is gone', async () => {
    const system = await started({ minReplicas: 1, maxReplicas: 1 });
    system.gateway.arrive('local/default/web', 30 * 60_000_000);
    await system.clock.advance(hourMs / 2);
    await system.await(system.engine.stop());
    system.kill();
    await system.start();
    await system.clock.advance(hourMs / 2);
    const before = await costOf(system, virtualEpochMs);
    expect(before.groups[0]?.requests).toBe(1);
    expect(before.groups[0]?.idle?.share).toBeCloseTo(0.5, 2);
    await system.await(system.engine.remove('Workload', key));
    await system.clock.advance(hourMs);
    const after = await costOf(system, virtualEpochMs, before.to);
    expect(after.groups[0]?.costMicro).toBe(before.groups[0]?.costMicro);
    // Of a deleted one only its rows are known: it was on all of that time.
    const whole = await costOf(system, virtualEpochMs);
    expect(whole.groups[0]?.alwaysOnMicro).toBe(whole.groups[0]?.costMicro);
  });
});

it('rules that come before the start are kept, and the journal begins at its beginning', async () => {
  const system = new VirtualSystem({ plan: () => quick });
  const starting = system.startWithoutWaiting();
  while (!system.isRunning) await Promise.resolve();
  system.engine.setMoney?.({
    budgets: [{ namespace: null, limitMicro: 1, currency: 'USD', mode: 'warn' }],
    idle: null,
  });
  system.engine.setLimits?.({
    maxReplicas: 1,
    capacity: { cpuMilli: null, memoryBytes: null, gpuMilli: null },
    maxPricePerHourMicro: null,
  });
  await system.await(starting);
  await system.apply(document({ minReplicas: 2, maxReplicas: 2 }));
  await system.clock.advance(10_000);
  expect(system.engine.status(key)?.replicas.wanted).toBe(1);
  expect((await costOf(system, virtualEpochMs)).budgets).toHaveLength(1);
  expect(system.logs.filter(({ message }) => message === 'journal not written')).toEqual([]);
  expect(system.store.records.map(({ sequence }) => sequence)).toEqual(
    system.store.records.map((_, index) => index + 1),
  );
});

describe('a budget', () => {
  const rules = (mode: 'warn' | 'stopGrowing', namespace: string | null = null): MoneyRules => ({
    budgets: [{ namespace, limitMicro: 10_000_000, currency: 'USD', mode }],
    idle: null,
  });
  const wanted = (system: VirtualSystem, namespace = 'default') =>
    system.engine.status({ ...key, namespace })?.replicas.wanted;
  const grow = async (system: VirtualSystem, namespace = 'default') => {
    await system.apply(document({ minReplicas: 3, maxReplicas: 3 }, namespace));
    await system.clock.advance(2000);
  };

  it.each([null, 'default'])(
    'is told at 80 and 100 percent, and then nothing more starts (namespace %s)',
    async (namespace) => {
      const system = await started({ minReplicas: 1, maxReplicas: 3 });
      system.engine.setMoney?.(rules('stopGrowing', namespace));
      await system.clock.advance(8 * hourMs + 120_000);
      expect(system.notices.map((notice) => notice.type === 'budget' && notice.percent)).toEqual([80]);
      await system.clock.advance(2 * hourMs);
      expect(system.notices.map((notice) => notice.type === 'budget' && notice.percent)).toEqual([80, 100]);
      const whose = namespace === null ? 'all workloads' : 'namespace default';
      expect(system.notices[1]?.message).toMatch(
        new RegExp(
          `^budget of ${whose}: 10\\.\\d\\d USD of 10\\.00 USD are spent this month; nothing more is started$`,
        ),
      );
      expect(system.logs.filter(({ level }) => level === 'warn').map(({ message }) => message)).toContain(
        system.notices[1]?.message,
      );
      await grow(system);
      // What runs stays.
      expect(wanted(system)).toBe(1);
      const { budgets } = await costOf(system, virtualEpochMs);
      expect(budgets).toMatchObject([{ namespace, limitMicro: '10000000', mode: 'stopGrowing' }]);
    },
  );

  it('that only warns changes nothing', async () => {
    const system = await started({ minReplicas: 1, maxReplicas: 3 });
    system.engine.setMoney?.(rules('warn'));
    await system.clock.advance(11 * hourMs);
    await grow(system);
    expect(wanted(system)).toBe(3);
    expect(system.notices.at(-1)?.message).toMatch(/; it only warns$/);
  });

  it('of a namespace binds no other one', async () => {
    const system = await started({ minReplicas: 1, maxReplicas: 3 });
    await system.apply(document({ minReplicas: 1, maxReplicas: 3 }, 'team'));
    system.engine.setMoney?.(rules('stopGrowing', 'team'));
    await system.clock.advance(11 * hourMs);
    await grow(system);
    await grow(system, 'team');
    expect([wanted(system), wanted(system, 'team')]).toEqual([3, 1]);
  });
});

describe('cost without requests', () => {
  const idle: MoneyRules = { budgets: [], idle: { costAboveMicro: 2_000_000, forMs: hourMs } };
  const condition = (system: VirtualSystem) =>
    system.engine.status(key)?.conditions.find(({ type }) => type === 'IdleCost');

  it('is named once it is over the limit for the time, and ends with the next request', async () => {
    const system = await started({ minReplicas: 1, maxReplicas: 1 });
    expect(condition(system)).toBeUndefined();
    system.engine.setMoney?.(idle);
    system.gateway.arrive('local/default/web', 1_000_000);
    await system.clock.advance(2 * hourMs - 120_000);
    expect(condition(system)).toMatchObject({ status: 'False' });
    await system.clock.advance(4 * 60_000);
    expect(condition(system)).toMatchObject({ status: 'True', reason: 'PaidWithoutRequests' });
    expect(condition(system)?.message).toMatch(/^2\.\d\d USD without a request since 2026-01-01T00:00:0\d/);
    await system.clock.advance(3 * hourMs);
    expect(system.notices).toHaveLength(1);
    expect(system.notices[0]).toMatchObject({ type: 'idle-cost', workload: 'local/default/web', currency: 'USD' });
    expect(condition(system)?.message).toMatch(/^5\.\d\d USD/);
    system.gateway.arrive('local/default/web', 1_000_000);
    await system.clock.advance(120_000);
    expect(condition(system)).toMatchObject({ status: 'False' });
  });

  it('is not named of what is at zero, or is in use', async () => {
    const system = await started({ minReplicas: 0, maxReplicas: 1, keepAlive: '60s' });
    system.engine.setMoney?.(idle);
    system.gateway.arrive('local/default/web', 3 * 3_600_000_000);
    await system.clock.advance(3 * hourMs - 60_000);
    expect(condition(system)).toMatchObject({ status: 'False' });
    await system.clock.advance(9 * hourMs);
    expect(condition(system)).toMatchObject({ status: 'False' });
    expect(system.notices).toEqual([]);
  });
});
