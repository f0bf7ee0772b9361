import type { StartPlan } from '@ebb/testing';
import { constant, startLoad, VirtualSystem, workloadDocument } from '@ebb/testing';
import { describe, expect, it } from 'vitest';

const web = 'local/default/web';
const key = { cluster: 'local', namespace: 'default', name: 'web' };
const quick: StartPlan = { spawnUs: 20_000, listenUs: 50_000, readyUs: 130_000 };

async function systemWith(
  plan: () => StartPlan,
  spec: Parameters<typeof workloadDocument>[1] = {},
): Promise<VirtualSystem> {
  const system = new VirtualSystem({ plan });
  await system.start();
  await system.apply(workloadDocument('web', spec));
  await system.clock.advance(1000);
  return system;
}

const condition = (system: VirtualSystem, type: string) =>
  system.engine.status(key)?.conditions.find((one) => one.type === type);

describe('a replica that cannot be started', () => {
  const notFound: StartPlan = { ...quick, failure: { code: 'command-not-found', message: 'command not found: serv' } };

  it('gives the held requests the reason at once, and says where to look', async () => {
    const system = await systemWith(() => notFound);
    const held = [1, 2, 3].map(() => system.gateway.arrive(web, 1000));
    await system.clock.advance(100);
    expect(held.map((exchange) => [exchange.outcome, exchange.detail])).toEqual(
      Array.from({ length: 3 }, () => ['refused', 'unavailable']),
    );
    expect(system.gateway.workloads()[0]?.unavailable).toEqual({
      code: 'command-not-found',
      message: 'no replica of web could be started: command not found: serv; see "ebb logs web"',
      retryAfterMs: 1000,
    });
    expect(condition(system, 'Available')).toMatchObject({ status: 'False', reason: 'CommandNotFound' });
    const status = system.engine.status(key);
    expect(status?.replicas).toMatchObject({ failed: 1, ready: 0, starting: 0 });
    expect(status?.replicaList[0]).toMatchObject({ phase: 'failed', message: 'command not found: serv' });
    // Nothing is left behind, and nothing costs anything any more.
    expect(system.driver.replicas()).toEqual([]);
    expect(status?.cost.ratePerHourMicro).toBe(0);
  });

  it('is tried again after 1, 2, 4 … s, at most a minute apart, as long as it is wanted', async () => {
    const system = await systemWith(() => notFound, { scaling: { minReplicas: 1 } });
    const startsAtMs: number[] = [];
    let seen = 0;
    system.clock.afterEvent = () => {
      for (; seen < system.driver.started.length; seen++) startsAtMs.push(system.clock.nowMs());
    };
    await system.clock.advance(400_000);
    const gaps = startsAtMs.slice(1).map((atMs, index) => Math.round((atMs - (startsAtMs[index] ?? 0)) / 1000));
    // The first two came before anybody looked.
    expect(gaps.slice(1, 7)).toEqual([2, 4, 8, 16, 32, 60]);
  });

  it('is tried again by the next request once its pause is over, and serves when it works', async () => {
    let plan = notFound;
    const system = await systemWith(() => plan, { scaling: { policy: { type: 'windows' }, keepAlive: '0s' } });
    system.gateway.arrive(web, 1000);
    await system.clock.advance(100);
    const early = system.gateway.arrive(web, 1000);
    await system.clock.advance(2000);
    expect(early.detail).toBe('unavailable');
    expect(system.gateway.workloads()[0]?.unavailable).toBeNull();
    plan = quick;
    const later = system.gateway.arrive(web, 1000);
    await system.clock.advance(1000);
    expect(later.outcome).toBe('succeeded');
    expect(condition(system, 'Available')).toMatchObject({ status: 'True' });
  });

  it('is tried again at once when its document changes', async () => {
    let plan = notFound;
    const system = await systemWith(() => plan, { scaling: { minReplicas: 1 } });
    await system.clock.advance(60_000);
    plan = quick;
    await system.apply(
      workloadDocument('web', { scaling: { minReplicas: 1 }, classes: [{ name: 'default', command: ['serve2'] }] }),
    );
    await system.clock.advance(500);
    expect(system.engine.status(key)?.replicas).toMatchObject({ ready: 1, failed: 0 });
  });

  it('is ended by its start-up budget when it never gets ready', async () => {
    const system = await systemWith(() => ({ ...quick, readyUs: Number.POSITIVE_INFINITY }), {
      probes: { startup: { budget: '5s' } },
    });
    const held = system.gateway.arrive(web, 1000);
    await system.clock.advance(4000);
    expect(held.outcome).toBeNull();
    await system.clock.advance(1100);
    expect(held).toMatchObject({ outcome: 'refused', detail: 'unavailable' });
    expect(condition(system, 'Available')).toMatchObject({ reason: 'StartupBudget' });
  });

  it('may exit twice while it starts, because the driver restarts it in place', async () => {
    let starts = 0;
    const system = await systemWith(() => (++starts <= 2 ? { ...quick, exitsAfterUs: 100_000 } : quick), {
      scaling: { policy: { type: 'windows' } },
    });
    const held = system.gateway.arrive(web, 1000);
    await system.clock.advance(10_000);
    expect(held.outcome).toBe('succeeded');
    expect(system.engine.status(key)?.replicaList[0]?.restarts).toBe(2);
    expect(system.driver.started.length).toBe(1);
  });

  it('is given up after three exits', async () => {
    const system = await systemWith(() => ({ ...quick, exitsAfterUs: 100_000 }));
    const held = system.gateway.arrive(web, 1000);
    await system.clock.runUntilTrue(() => held.outcome !== null, 10_000);
    expect(held).toMatchObject({ outcome: 'refused', detail: 'unavailable' });
    expect(condition(system, 'Available')?.message).toContain('exit code 1');
  });
});

describe('a replica that dies', () => {
  it('is out of the endpoints at once and replaced at once; only its own request fails', async () => {
    const system = await systemWith(() => quick, { scaling: { minReplicas: 2, maxReplicas: 2 } });
    await system.clock.advance(20_000);
    const [victim] = system.driver.replicas();
    const broken = system.gateway.arrive(web, 60_000_000);
    const other = system.gateway.arrive(web, 60_000_000);
    const victimId = broken.replica ?? '';
    expect(victim).toBeDefined();
    await system.clock.advance(100);
    system.driver.crash(victimId);
    await system.clock.advance(1);
    expect(broken).toMatchObject({ outcome: 'failed' });
    expect(system.gateway.workloads()[0]?.endpoints.map((endpoint) => endpoint.replica)).toEqual([other.replica]);
    await system.clock.advance(250);
    const status = system.engine.status(key);
    expect(status?.replicas).toMatchObject({ ready: 2, failed: 0 });
    expect(status?.replicaList.map((replica) => replica.id)).not.toContain(victimId);
    await system.clock.advance(60_000);
    expect(other.outcome).toBe('succeeded');
    expect(system.driver.replicas().length).toBe(2);
  });

  it('again and again soon after it got ready makes pauses', async () => {
    const system = await systemWith(() => ({ ...quick, exitsAfterUs: 1_000_000 }), { scaling: { minReplicas: 1 } });
    await system.clock.advance(60_000);
    expect(system.driver.started.length).toBeLessThan(9);
    expect(system.driver.started.length).toBeGreaterThan(4);
  });
});

describe('lost sight', () => {
  it('holds what runs while the gateway is silent, and goes on when it is back', async () => {
    const system = await systemWith(() => quick, { scaling: { keepAlive: '5s' } });
    const exchange = system.gateway.arrive(web, 1000);
    await system.clock.advance(2000);
    expect(exchange.outcome).toBe('succeeded');
    system.link.cut();
    await system.clock.advance(600_000);
    expect(system.engine.status(key)?.replicas.ready).toBe(1);
    expect(condition(system, 'ScalingActive')).toMatchObject({ status: 'False', reason: 'GatewaySilent' });
    expect(system.engine.status(key)?.decision?.summary).toContain('holding 1 replica');
    system.link.connect();
    await system.clock.advance(3000);
    expect(system.engine.status(key)?.replicas).toMatchObject({ ready: 0, wanted: 0 });
    expect(condition(system, 'ScalingActive')).toMatchObject({ status: 'True' });
  });

  it('counts nothing twice and nothing negative when the gateway starts anew', async () => {
    const system = await systemWith(() => quick);
    for (let round = 0; round < 3; round++) {
      for (let request = 0; request < 4; request++) system.gateway.arrive(web, 1000);
      await system.clock.advance(5000);
      system.gateway.restart();
      await system.clock.advance(2000);
    }
    expect(system.engine.status(key)?.requests).toMatchObject({ total: 12, succeeded: 12 });
    const readings = system.store.records.filter((record) => record.kind === 'reading');
    expect(JSON.stringify(readings)).not.toMatch(/"value":-/);
  });

  it('starts nothing while the agent is away, and catches up when it is back', async () => {
    const system = await systemWith(() => quick);
    system.driver.disconnect();
    await system.clock.advance(10);
    const held = system.gateway.arrive(web, 1000);
    await system.clock.advance(5000);
    expect(held.outcome).toBeNull();
    expect(condition(system, 'Available')).toMatchObject({ status: 'Unknown', reason: 'AgentDisconnected' });
    system.driver.reconnect();
    await system.clock.advance(300);
    expect(held.outcome).toBe('succeeded');
  });

  it('starts replicas anew that a machine that rebooted does not have any more', async () => {
    const system = await systemWith(() => quick, { scaling: { minReplicas: 2, maxReplicas: 2 } });
    system.driver.disconnect();
    system.driver.reboot();
    await system.clock.advance(1000);
    system.driver.reconnect();
    await system.clock.advance(1000);
    expect(system.engine.status(key)?.replicas.ready).toBe(2);
    const open = [...system.store.rows.values()].filter((row) => row.toMs === null);
    expect(open.length).toBe(2);
    expect(system.store.rows.size).toBe(4);
  });
});

describe('a store that fails', () => {
  it('does not keep requests from being served, and has everything once it works again', async () => {
    const system = await systemWith(() => quick);
    system.store.faults.fail = () => new Error('disk full');
    const stop = startLoad({
      clock: system.clock,
      gateway: system.gateway,
      workload: web,
      arrivals: constant(5),
      serviceUs: () => 100_000,
      forMs: 60_000,
    });
    await system.clock.advance(61_000);
    stop();
    expect(system.gateway.exchanges.every((exchange) => exchange.outcome === 'succeeded')).toBe(true);
    expect(system.store.rows.size).toBe(0);
    system.store.faults = {};
    await system.clock.advance(10_000);
    const { records } = system.store;
    expect(records.map((record) => record.sequence)).toEqual(records.map((_, index) => index + 1));
    expect(system.store.rows.size).toBe(system.driver.started.length);
    expect(system.logs.some((entry) => entry.message === 'journal not written')).toBe(true);
  });

  it('stops a control plane that another one has replaced', async () => {
    const system = await systemWith(() => quick);
    await system.store.takeEpoch();
    system.gateway.arrive(web, 1000);
    await system.clock.advance(6000);
    expect(system.logs.some((entry) => entry.message.includes('another control plane has taken over'))).toBe(true);
    const started = system.driver.started.length;
    await system.clock.advance(600_000);
    expect(system.driver.started.length).toBe(started);
    expect(system.driver.replicas().length).toBe(started);
  });
});
