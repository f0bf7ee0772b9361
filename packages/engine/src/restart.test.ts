import { VirtualSystem, workloadDocument } from '@ebb/testing';
import { describe, expect, it } from 'vitest';

const web = 'local/default/web';
const key = { cluster: 'local', namespace: 'default', name: 'web' };

async function running(): Promise<VirtualSystem> {
  const system = new VirtualSystem();
  await system.start();
  await system.apply(workloadDocument('web', { scaling: { minReplicas: 2, maxReplicas: 4, keepAlive: '30s' } }));
  await system.clock.advance(20_000);
  expect(system.engine.status(key)?.replicas.ready).toBe(2);
  return system;
}

for (const how of ['killed', 'stopped'] as const) {
  describe(`a control plane that is ${how} and comes back`, () => {
    const end = async (system: VirtualSystem) => (how === 'killed' ? system.kill() : system.stop());

    it('starts and ends nothing, and finds everything as it was', async () => {
      const system = await running();
      const before = system.driver.replicas().map((seen) => seen.id);
      const exchange = system.gateway.arrive(web, 15_000_000);
      await system.clock.advance(1500);
      await end(system);
      await system.clock.advance(10_000);
      const whileAway = system.gateway.arrive(web, 1000);
      await system.clock.advance(1000);
      expect(whileAway.outcome).toBe('succeeded');
      await system.start();
      await system.clock.advance(20_000);
      expect(system.driver.replicas().map((seen) => seen.id)).toEqual(before);
      expect(system.driver.started.length).toBe(2);
      expect(exchange.outcome).toBe('succeeded');
      const status = system.engine.status(key);
      expect(status?.replicas).toMatchObject({ ready: 2, wanted: 2 });
      expect(status?.requests).toMatchObject({ total: 2, succeeded: 2 });
      expect([...system.store.rows.values()].map((row) => row.toMs)).toEqual([null, null]);
    });

    it('closes the ledger rows of replicas that ended meanwhile, when it was last alive', async () => {
      const system = await running();
      await end(system);
      const endedMs = system.clock.nowMs();
      system.driver.reboot();
      await system.clock.advance(3_600_000);
      await system.start();
      await system.clock.advance(5000);
      const closed = [...system.store.rows.values()].filter((row) => row.toMs !== null);
      expect(closed.length).toBe(2);
      // Known to run until the last sign of life, at most ten seconds before the end.
      for (const row of closed) {
        expect(row.toMs).toBeLessThanOrEqual(endedMs);
        expect(row.toMs).toBeGreaterThanOrEqual(endedMs - 11_000);
      }
      expect(system.engine.status(key)?.replicas.ready).toBe(2);
      const { cost } = system.engine.status(key) ?? {};
      expect(cost?.replicaSeconds).toBeLessThan(60);
    });

    it('wakes for a request that has been held while it was away', async () => {
      const system = new VirtualSystem();
      await system.start();
      await system.apply(workloadDocument('web'));
      await system.clock.advance(5000);
      await end(system);
      const held = system.gateway.arrive(web, 1000);
      await system.clock.advance(5000);
      expect(held.outcome).toBeNull();
      await system.start();
      await system.clock.advance(3000);
      expect(held.outcome).toBe('succeeded');
    });

    it('remembers when the workload was last active', async () => {
      const system = new VirtualSystem();
      await system.start();
      await system.apply(workloadDocument('web', { scaling: { keepAlive: '60s' } }));
      await system.clock.advance(1000);
      const exchange = system.gateway.arrive(web, 1000);
      await system.clock.advance(20_000);
      expect(exchange.outcome).toBe('succeeded');
      await end(system);
      await system.clock.advance(10_000);
      await system.start();
      const endedMs = system.clock.nowMs() - (system.clock.nowUs() - (exchange.endedUs ?? 0)) / 1000;
      await system.clock.advance(endedMs + 59_900 - system.clock.nowMs());
      expect(system.engine.status(key)?.replicas.ready).toBe(1);
      await system.clock.advance(200);
      expect(system.engine.status(key)?.replicas.ready).toBe(0);
    });
  });
}

it('stops replicas that belong to no workload', async () => {
  const system = await running();
  await system.stop();
  await system.store.documents.delete('Workload', key, { epoch: await system.store.takeEpoch() });
  await system.start();
  await system.clock.advance(1000);
  expect(system.driver.replicas()).toEqual([]);
  const orphans = system.store.records.filter((record) => (record.body as { type?: string }).type === 'stop-orphan');
  expect(orphans.length).toBe(2);
  expect([...system.store.rows.values()].every((row) => row.toMs !== null)).toBe(true);
});

it('waits for an agent that is not there yet, and tells the gateway nothing before it knows what runs', async () => {
  const system = await running();
  await system.stop();
  system.driver.disconnect();
  const starting = system.startWithoutWaiting();
  await system.clock.advance(4000);
  expect(system.gateway.workloads()[0]?.endpoints.length).toBe(2);
  system.driver.reconnect();
  await system.await(starting);
  await system.clock.advance(1000);
  expect(system.gateway.workloads()[0]?.endpoints.length).toBe(2);
  expect(system.driver.started.length).toBe(2);
});

it('lets the replicas of a deleted workload finish, also over a restart', async () => {
  const system = new VirtualSystem();
  await system.start();
  await system.apply(workloadDocument('web', { scaling: { minReplicas: 1 }, serving: { drain: '30s' } }));
  await system.clock.advance(5000);
  const exchange = system.gateway.arrive(web, 10_000_000);
  await system.clock.advance(100);
  await system.await(system.engine.remove('Workload', key));
  system.kill();
  await system.clock.advance(1000);
  await system.start();
  await system.clock.advance(60_000);
  expect(exchange.outcome).toBe('succeeded');
  expect(system.driver.replicas()).toEqual([]);
  expect(await system.store.state.names('engine/leaving/')).toEqual([]);
});

it('learns from the start of a replica that it finds running, where it knows of no other', async () => {
  const system = new VirtualSystem();
  await system.start();
  await system.apply(workloadDocument('web', { scaling: { minReplicas: 1 } }));
  // Killed while the replica starts: nobody sees it being routed to.
  await system.clock.advance(10);
  system.kill();
  await system.clock.advance(10_000);
  await system.start();
  await system.clock.advance(1000);
  const learned = system.engine.status(key)?.coldStarts.learned?.['default'];
  expect(learned).toMatchObject({ starts: 1, readyToRouteUs: null });
  expect(learned?.totalUs).toBeGreaterThan(0);
  await system.stop();
});
