import { constant, type StartPlan, startLoad, VirtualSystem, workloadDocument } from '@ebb/testing';
import { describe, expect, it } from 'vitest';

const web = 'local/default/web';
const key = { cluster: 'local', namespace: 'default', name: 'web' };
const quick: StartPlan = { spawnUs: 20_000, listenUs: 50_000, readyUs: 130_000 };
type Spec = NonNullable<Parameters<typeof workloadDocument>[1]>;

async function systemWith(spec: Spec, plan: () => StartPlan = () => quick): Promise<VirtualSystem> {
  const system = new VirtualSystem({ plan });
  await system.start();
  await system.apply(workloadDocument('web', spec));
  await system.clock.advance(5000);
  return system;
}

const version = (number: number, spec: Spec): Spec => ({
  ...spec,
  classes: [{ name: 'default', command: ['serve', `v${number}`] }],
});
const three: Spec = { scaling: { minReplicas: 3, maxReplicas: 3 }, serving: { drain: '5s' } };

/** Smallest number of ready and largest number of held-on-to replicas seen from now on. */
function extremes(system: VirtualSystem): { leastReady: number; mostKept: number } {
  const seen = { leastReady: Number.POSITIVE_INFINITY, mostKept: 0 };
  system.clock.afterEvent = () => {
    const { ready = 0, starting = 0 } = system.engine.status(key)?.replicas ?? {};
    seen.leastReady = Math.min(seen.leastReady, ready);
    seen.mostKept = Math.max(seen.mostKept, ready + starting);
  };
  return seen;
}

const revisions = (system: VirtualSystem) =>
  new Set(system.engine.status(key)?.replicaList.map((replica) => replica.revision));

describe('a new template', () => {
  it('rolls out within maxSurge and maxUnavailable, and loses no request', async () => {
    for (const update of [
      { type: 'Rolling', maxSurge: 1, maxUnavailable: 0 },
      { type: 'Rolling', maxSurge: 0, maxUnavailable: 1 },
      { type: 'Rolling', maxSurge: 2, maxUnavailable: 1 },
    ] as const) {
      const spec = { ...three, update };
      const system = await systemWith(version(1, spec));
      const before = revisions(system);
      startLoad({
        clock: system.clock,
        gateway: system.gateway,
        workload: web,
        arrivals: constant(8),
        serviceUs: () => 200_000,
        forMs: 20_000,
      });
      await system.clock.advance(2000);
      const seen = extremes(system);
      await system.apply(workloadDocument('web', version(2, spec)));
      await system.clock.advance(30_000);
      expect(seen.leastReady).toBeGreaterThanOrEqual(3 - update.maxUnavailable);
      expect(seen.mostKept).toBeLessThanOrEqual(3 + update.maxSurge);
      expect(system.gateway.exchanges.every((exchange) => exchange.outcome === 'succeeded')).toBe(true);
      const after = revisions(system);
      expect(after.size).toBe(1);
      expect([...after]).not.toEqual([...before]);
      expect(system.engine.status(key)?.replicas).toEqual({ wanted: 3, starting: 0, ready: 3, draining: 0, failed: 0 });
    }
  });

  it('with Recreate starts the new ones when the last old one is gone', async () => {
    const spec: Spec = { ...three, update: { type: 'Recreate' } };
    const system = await systemWith(version(1, spec));
    const busy = system.gateway.arrive(web, 3_000_000);
    await system.clock.advance(100);
    const seen = extremes(system);
    await system.apply(workloadDocument('web', version(2, spec)));
    await system.clock.advance(2000);
    expect(system.driver.replicas().length).toBe(1);
    await system.clock.advance(5000);
    expect(busy.outcome).toBe('succeeded');
    expect(seen.mostKept).toBeLessThanOrEqual(3);
    expect(system.engine.status(key)?.replicas.ready).toBe(3);
    expect(revisions(system).size).toBe(1);
  });

  it('starts nothing at zero', async () => {
    const system = await systemWith(version(1, {}));
    await system.apply(workloadDocument('web', version(2, {})));
    await system.clock.advance(10_000);
    expect(system.driver.started).toEqual([]);
  });

  it('that does not start leaves the old ones serving, and says so', async () => {
    let plan = quick;
    const system = await systemWith(version(1, three), () => plan);
    plan = { ...quick, failure: { code: 'command-not-found', message: 'command not found: serve' } };
    await system.apply(workloadDocument('web', version(2, three)));
    await system.clock.advance(60_000);
    const status = system.engine.status(key);
    expect(status?.replicas.ready).toBe(3);
    expect(system.gateway.workloads()[0]?.unavailable).toBeNull();
    expect(status?.conditions.find((one) => one.type === 'Progressing')).toMatchObject({ reason: 'UpdateStuck' });
    await system.apply(workloadDocument('web', version(1, three)));
    await system.clock.advance(5000);
    expect(system.driver.replicas().length).toBe(3);
    expect(system.engine.status(key)?.conditions.find((one) => one.type === 'Progressing')).toMatchObject({
      reason: 'UpToDate',
    });
  });

  it('is not needed for what a running replica does not notice', async () => {
    const system = await systemWith(version(1, three));
    const before = system.driver.replicas().map((seen) => seen.id);
    await system.apply(
      workloadDocument('web', version(1, { ...three, scaling: { minReplicas: 3, maxReplicas: 9, keepAlive: '7s' } })),
    );
    await system.clock.advance(10_000);
    expect(system.driver.replicas().map((seen) => seen.id)).toEqual(before);
    expect(system.engine.status(key)).toMatchObject({ generation: 2, observedGeneration: 2, maxReplicas: 9 });
  });
});

describe('a draining replica', () => {
  it('is taken back when it is wanted again before it was stopped: no cold start is needed', async () => {
    const bounds = (replicas: number): Spec => ({
      scaling: { minReplicas: replicas, maxReplicas: replicas },
      serving: { drain: '60s' },
    });
    const system = await systemWith(bounds(2));
    const busy = [1, 2].map(() => system.gateway.arrive(web, 20_000_000));
    await system.clock.advance(100);
    await system.apply(workloadDocument('web', bounds(1)));
    await system.clock.advance(2000);
    expect(system.engine.status(key)?.replicas).toMatchObject({ ready: 1, draining: 1 });
    const held = system.gateway.arrive(web, 1000);
    await system.apply(workloadDocument('web', bounds(2)));
    const takenBackMs = system.clock.nowMs();
    await system.clock.advance(1000);
    expect(system.engine.status(key)?.replicas).toMatchObject({ ready: 2, draining: 0, starting: 0 });
    expect(system.driver.started.length).toBe(2);
    const messages = system.engine.status(key)?.replicaList.map((replica) => replica.message);
    expect(messages).toContainEqual(expect.stringContaining('taken back'));
    await system.clock.advance(30_000);
    expect([...busy, held].map((exchange) => exchange.outcome)).toEqual(['succeeded', 'succeeded', 'succeeded']);
    const explanation = await system.await(system.engine.explain(key, takenBackMs));
    expect(explanation?.actions.map((record) => (record.body as { type: string }).type)).toContain('take-back');
  });

  const between = (replicas: number): Spec => ({
    scaling: { minReplicas: replicas, maxReplicas: replicas },
    serving: { drain: '60s' },
  });
  const drainingEndpoint = (system: VirtualSystem) =>
    system.gateway.workloads()[0]?.endpoints.find((endpoint) => endpoint.draining);

  it('is not stopped by the end of an earlier drain that is told late', async () => {
    const system = await systemWith(between(2));
    const busy = [1, 2].map(() => system.gateway.arrive(web, 20_000_000));
    await system.clock.advance(100);
    await system.apply(workloadDocument('web', between(1)));
    await system.clock.advance(1000);
    const first = drainingEndpoint(system);
    await system.apply(workloadDocument('web', between(2)));
    await system.clock.advance(1000);
    await system.apply(workloadDocument('web', between(1)));
    await system.clock.advance(1000);
    const second = drainingEndpoint(system);
    expect([first?.replica, second?.replica]).toEqual([expect.any(String), first?.replica]);
    expect(second?.drain).toBeGreaterThan(first?.drain ?? Number.POSITIVE_INFINITY);
    const late = { type: 'drained', gateway: 'gateway', replica: first?.replica ?? '' } as const;
    system.link.receive({ ...late, drain: first?.drain ?? 0 });
    await system.clock.advance(5000);
    expect(system.engine.status(key)?.replicas).toMatchObject({ ready: 1, draining: 1 });
    await system.clock.advance(20_000);
    expect(busy.map(({ outcome }) => outcome)).toEqual(['succeeded', 'succeeded']);
    expect(system.engine.status(key)?.replicas).toMatchObject({ ready: 1, draining: 0 });
  });

  it('of a gateway without numbers is stopped when counts since the drain agree, and not before', async () => {
    const system = await systemWith(between(2));
    const { link } = system;
    const receive = link.receive.bind(link);
    link.receive = (event) => {
      if (event.type === 'drained') receive({ type: event.type, gateway: event.gateway, replica: event.replica });
      else receive(event);
    };
    const busy = [1, 2].map(() => system.gateway.arrive(web, 10_000_000));
    await system.clock.advance(100);
    await system.apply(workloadDocument('web', between(1)));
    await system.clock.advance(1000);
    link.receive({ type: 'drained', gateway: 'gateway', replica: drainingEndpoint(system)?.replica ?? '' });
    await system.clock.advance(5000);
    expect(system.engine.status(key)?.replicas).toMatchObject({ ready: 1, draining: 1 });
    await system.clock.advance(6000);
    expect(busy.map(({ outcome }) => outcome)).toEqual(['succeeded', 'succeeded']);
    expect(system.engine.status(key)?.replicas).toMatchObject({ ready: 1, draining: 0 });
  });

  it('keeps its requests until its drain time is over, and not longer', async () => {
    const spec: Spec = { scaling: { minReplicas: 1 }, serving: { drain: '5s' }, update: { type: 'Rolling' } };
    const system = await systemWith(version(1, spec));
    const stops: number[] = [];
    system.driver.onStop = () => stops.push(system.clock.nowMs());
    const busy = system.gateway.arrive(web, 60_000_000);
    await system.clock.advance(100);
    await system.apply(workloadDocument('web', version(2, spec)));
    const beginMs = system.clock.nowMs();
    await system.clock.advance(30_000);
    expect(stops.length).toBe(1);
    // The new one was ready after 200 ms; then the old one drained.
    expect((stops[0] ?? 0) - beginMs).toBeGreaterThanOrEqual(5200);
    expect((stops[0] ?? 0) - beginMs).toBeLessThan(5400);
    expect(busy.outcome).toBe('failed');
  });
});

it('a workload that is deleted drains: held requests are refused, what is in flight ends', async () => {
  const system = await systemWith({ scaling: { minReplicas: 1 }, serving: { drain: '30s' } });
  const busy = system.gateway.arrive(web, 4_000_000);
  const held = system.gateway.arrive(web, 1000);
  await system.clock.advance(100);
  expect(await system.await(system.engine.remove('Workload', key))).toMatchObject({ kind: 'Workload' });
  await system.clock.advance(10);
  expect(held).toMatchObject({ outcome: 'refused', detail: 'workload-removed' });
  const late = system.gateway.arrive(web, 1000);
  expect(late).toMatchObject({ outcome: 'refused', detail: 'unknown-workload' });
  expect(system.engine.status(key)).toBeNull();
  expect(system.driver.replicas().length).toBe(1);
  await system.clock.advance(10_000);
  expect(busy.outcome).toBe('succeeded');
  expect(system.driver.replicas()).toEqual([]);
  expect([...system.store.rows.values()].every((row) => row.toMs !== null)).toBe(true);
  expect(await system.await(system.engine.remove('Workload', key))).toBeNull();
});

it('a workload that comes back while it is being deleted serves again', async () => {
  const system = await systemWith({ scaling: { minReplicas: 1 }, serving: { drain: '30s' } });
  system.gateway.arrive(web, 10_000_000);
  await system.clock.advance(100);
  await system.await(system.engine.remove('Workload', key));
  await system.clock.advance(1000);
  await system.apply(workloadDocument('web', { scaling: { minReplicas: 1 }, serving: { drain: '30s' } }));
  await system.clock.advance(1000);
  expect(system.driver.started.length).toBe(1);
  const later = system.gateway.arrive(web, 1000);
  await system.clock.advance(20_000);
  expect(later.outcome).toBe('succeeded');
  expect(system.engine.status(key)?.replicas.ready).toBe(1);
});

it('quiesce ends every replica after its requests, and leaves the documents', async () => {
  const system = await systemWith(three);
  const busy = system.gateway.arrive(web, 3_000_000);
  await system.clock.advance(100);
  await system.await(system.engine.quiesce());
  expect(busy.outcome).toBe('succeeded');
  expect(system.driver.replicas()).toEqual([]);
  expect(system.gateway.arrive(web, 1).detail).toBe('unavailable');
  expect((await system.store.documents.list()).length).toBe(1);
  await system.stop();
});
