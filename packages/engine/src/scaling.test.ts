import {
  periodicSchedules,
  type StartPlan,
  VirtualSystem,
  type VirtualSystemOptions,
  workloadDocument,
} from '@ebb/testing';
import type { WatchEvent } from '@ebb/documents';
import { describe, expect, it } from 'vitest';

const web = 'local/default/web';
const key = { cluster: 'local', namespace: 'default', name: 'web' };
const quick: StartPlan = { spawnUs: 20_000, listenUs: 50_000, readyUs: 130_000 };

async function systemWith(
  spec: Parameters<typeof workloadDocument>[1],
  options: VirtualSystemOptions = {},
): Promise<VirtualSystem> {
  const system = new VirtualSystem({ plan: () => quick, ...options });
  await system.start();
  await system.apply(workloadDocument('web', spec));
  await system.clock.advance(5000);
  return system;
}

const ready = (system: VirtualSystem) => system.engine.status(key)?.replicas.ready;

describe('pause', () => {
  it('at 0 ends what runs and refuses requests with the reason', async () => {
    const system = await systemWith({ scaling: { minReplicas: 1 } });
    expect(ready(system)).toBe(1);
    await system.apply(workloadDocument('web', { scaling: { minReplicas: 0, paused: { replicas: 0 } } }));
    await system.clock.advance(2000);
    expect(ready(system)).toBe(0);
    expect(system.gateway.arrive(web, 1).detail).toBe('unavailable');
    expect(system.gateway.workloads()[0]?.unavailable?.code).toBe('paused');
    await system.apply(workloadDocument('web'));
    await system.clock.advance(1000);
    const held = system.gateway.arrive(web, 1000);
    await system.clock.advance(1000);
    expect(held.outcome).toBe('succeeded');
  });

  it('holds what runs, whatever comes or stays away', async () => {
    const scaling = { maxReplicas: 5, keepAlive: '1s' };
    const system = await systemWith({ scaling });
    system.gateway.arrive(web, 5_000_000);
    await system.clock.advance(1000);
    await system.apply(workloadDocument('web', { scaling: { ...scaling, paused: true } }));
    for (let request = 0; request < 5; request++) system.gateway.arrive(web, 100_000);
    await system.clock.advance(120_000);
    expect(ready(system)).toBe(1);
    expect(system.driver.started.length).toBe(1);
    expect(system.engine.status(key)?.conditions.find((one) => one.type === 'ScalingActive')?.reason).toBe('Paused');
  });
});

it('a schedule raises the floor while it is on, to the minute', async () => {
  const windows: Record<string, { fromMs: number; toMs: number }> = {};
  const scheduled = { name: 'office', timezone: 'UTC', start: '0 8 * * *', end: '0 18 * * *', minReplicas: 2 };
  const system = await systemWith(
    { scaling: { maxReplicas: 3, keepAlive: '1s' } },
    { scheduleScaler: (schedules) => periodicSchedules(schedules, windows) },
  );
  windows.office = { fromMs: system.clock.nowMs() + 60_000, toMs: system.clock.nowMs() + 120_000 };
  await system.apply(workloadDocument('web', { scaling: { maxReplicas: 3, keepAlive: '1s', schedules: [scheduled] } }));
  await system.clock.advance(59_900);
  expect(ready(system)).toBe(0);
  await system.clock.advance(500);
  expect(ready(system)).toBe(2);
  await system.clock.advance(59_000);
  expect(ready(system)).toBe(2);
  await system.clock.advance(2000);
  expect(ready(system)).toBe(0);
});

describe('limits over all workloads', () => {
  it('share what there is by priority, and tell who got less', async () => {
    const system = new VirtualSystem({
      plan: () => quick,
      limits: {
        maxReplicas: 3,
        capacity: { cpuMilli: null, memoryBytes: null, gpuMilli: null },
        maxPricePerHourMicro: null,
      },
    });
    await system.start();
    const scaling = { minReplicas: 2, maxReplicas: 4 };
    await system.apply(workloadDocument('low', { scaling }), workloadDocument('high', { scaling, priority: 10 }));
    await system.clock.advance(5000);
    const status = (name: string) => system.engine.status({ ...key, name });
    expect([status('high')?.replicas.ready, status('low')?.replicas.ready]).toEqual([2, 1]);
    expect(status('low')?.conditions.find((one) => one.type === 'ScalingLimited')).toMatchObject({
      status: 'True',
      reason: 'GrantedLess',
    });
    system.engine.setLimits?.({
      maxReplicas: 10,
      capacity: { cpuMilli: null, memoryBytes: null, gpuMilli: null },
      maxPricePerHourMicro: null,
    });
    await system.clock.advance(1000);
    expect(status('low')?.replicas.ready).toBe(2);
  });
});

describe('watch', () => {
  it('streams statuses, decisions and documents in order, without flooding', async () => {
    const system = new VirtualSystem({ plan: () => quick });
    await system.start();
    const events: { atMs: number; event: WatchEvent }[] = [];
    system.engine.watch((event) => events.push({ atMs: system.clock.nowMs(), event }));
    await system.apply(workloadDocument('web', { scaling: { maxReplicas: 4 } }));
    await system.clock.advance(1000);
    for (let request = 0; request < 2000; request++) {
      system.gateway.arrive(web, 10_000);
      await system.clock.advance(5);
    }
    await system.await(system.engine.remove('Workload', key));
    const sequences = events.map(({ event }) => event.sequence);
    expect(sequences).toEqual([...sequences].sort((left, right) => left - right));
    expect(new Set(sequences).size).toBe(sequences.length);
    expect(events[0]?.event).toMatchObject({ type: 'document', action: 'applied' });
    expect(events.at(-1)?.event).toMatchObject({ type: 'document', action: 'deleted' });
    const statuses = events.filter(({ event }) => event.type === 'status');
    expect(statuses.length).toBeGreaterThan(50);
    const mostInASecond = Math.max(
      ...statuses.map(({ atMs }) => statuses.filter((one) => one.atMs >= atMs && one.atMs < atMs + 1000).length),
    );
    expect(mostInASecond).toBeLessThanOrEqual(20);
    expect(events.some(({ event }) => event.type === 'decision')).toBe(true);
  });

  it('tells of a phase change at once', async () => {
    const system = await systemWith({});
    const phases: { atMs: number; phase: string }[] = [];
    system.engine.watch((event) => {
      const [replica] = event.type === 'status' ? event.status.replicaList : [];
      if (replica && phases.at(-1)?.phase !== replica.phase)
        phases.push({ atMs: system.clock.nowMs(), phase: replica.phase });
    });
    system.gateway.arrive(web, 1000);
    const beginMs = system.clock.nowMs();
    await system.clock.advance(1000);
    expect(phases.map(({ atMs, phase }) => [phase, atMs - beginMs])).toEqual([
      ['pending', 0],
      ['starting', 0],
      ['ready', 200],
    ]);
  });
});

describe('explain', () => {
  it('tells why, step by step, what was done and what came of it', async () => {
    const system = await systemWith({ scaling: { policy: { type: 'windows' }, keepAlive: '20s' } });
    system.gateway.arrive(web, 1000);
    await system.clock.advance(2000);
    const now = await system.await(system.engine.explain(key));
    expect(now?.lines.map((line) => line.code)).toContain('gate-keeps-alive');
    const earlier = await system.await(system.engine.explain(key, system.clock.nowMs() - 1950));
    expect(earlier?.decision).toMatchObject({ kind: 'decision', body: { type: 'decided' } });
    expect(earlier?.lines.map((line) => line.code)).toContain('gate-opens');
    expect(earlier?.actions.map((record) => (record.body as { type: string }).type)).toContain('start');
    expect(earlier?.lines.every((line) => line.sentence.length > 10)).toBe(true);
  });

  it('has the numbers of the moment that is asked for, not those of the begin of a run of equal decisions', async () => {
    const system = await systemWith({ scaling: { policy: { type: 'windows' }, keepAlive: '60s' } });
    const exchange = system.gateway.arrive(web, 1000);
    await system.clock.advance(40_000);
    const endedMs = system.clock.nowMs() - Math.ceil((system.clock.nowUs() - (exchange.endedUs ?? 0)) / 1000);
    const then = await system.await(system.engine.explain(key, endedMs + 20_500));
    const sentence = then?.lines.find((line) => line.code === 'gate-keeps-alive')?.sentence;
    const idle = Number(/Idle for ([\d.]+) s/.exec(sentence ?? '')?.[1]);
    expect(idle).toBeGreaterThan(19);
    expect(idle).toBeLessThanOrEqual(20.5);
  });

  it('knows nothing of what it never saw', async () => {
    const system = await systemWith({});
    expect(await system.await(system.engine.explain({ ...key, name: 'none' }))).toBeNull();
    expect(await system.await(system.engine.explain(key, 0))).toBeNull();
  });
});
