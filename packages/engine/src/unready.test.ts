import { decide } from '@ebb/core';
import { type StartPlan, VirtualSystem, workloadDocument } from '@ebb/testing';
import { describe, expect, it } from 'vitest';
import { replayJournal } from './replay.ts';

const key = { cluster: 'local', namespace: 'default', name: 'web' };
const quick: StartPlan = { spawnUs: 20_000, listenUs: 50_000, readyUs: 130_000 };
const slow: StartPlan = { ...quick, readyUs: 40_000_000 };
type Spec = NonNullable<Parameters<typeof workloadDocument>[1]>;

/** A workload of so many replicas, all of them ready; the next ones start as `later` says. */
async function systemOf(
  replicas: number,
  later: StartPlan = quick,
  more: Spec = {},
  first = quick,
): Promise<VirtualSystem> {
  let plan = first;
  const system = new VirtualSystem({ plan: () => plan });
  await system.start();
  const scaling = { minReplicas: replicas, maxReplicas: replicas };
  const probes = { startup: { budget: '5m' } };
  await system.apply(workloadDocument('web', { scaling, probes, ...more }));
  await system.clock.advance(5000 + first.readyUs / 1000);
  plan = later;
  return system;
}

const ids = (system: VirtualSystem) => system.driver.replicas().map(({ id }) => id);
const counts = (system: VirtualSystem) => system.engine.status(key)?.replicas;
const progressing = (system: VirtualSystem) =>
  system.engine.status(key)?.conditions.find(({ type }) => type === 'Progressing');

function hangFirst(system: VirtualSystem): string {
  const [id = ''] = ids(system);
  system.driver.hang(id);
  return id;
}

describe('a replica that stays unready', () => {
  it('is replaced after half a minute, and goes when its replacement is ready', async () => {
    const system = await systemOf(2, slow);
    const hung = hangFirst(system);
    await system.clock.advance(29_000);
    expect(counts(system)).toMatchObject({ ready: 1, starting: 1, failed: 0 });
    expect(system.driver.started.length).toBe(2);
    await system.clock.advance(2000);
    expect(counts(system)).toMatchObject({ wanted: 2, ready: 1, starting: 1, failed: 1 });
    expect(progressing(system)).toMatchObject({ status: 'True', reason: 'ReplacingUnready' });
    const told = system.engine.status(key)?.replicaList.find(({ id }) => id === hung)?.message;
    expect(told).toBe('unready for 30 s (readiness probe: timeout): another replica is started in its place');
    expect(ids(system)).toContain(hung);
    await system.clock.advance(60_000);
    expect(counts(system)).toEqual({ wanted: 2, ready: 2, starting: 0, draining: 0, failed: 0 });
    expect(ids(system)).not.toContain(hung);
    expect(progressing(system)).toMatchObject({ reason: 'UpToDate' });
  });

  it('counts again when it is ready again, and what is too much goes', async () => {
    const system = await systemOf(2, slow);
    const hung = hangFirst(system);
    await system.clock.advance(35_000);
    expect(ids(system).length).toBe(3);
    system.driver.recover(hung);
    await system.clock.advance(1000);
    expect(counts(system)).toEqual({ wanted: 2, ready: 2, starting: 0, draining: 0, failed: 0 });
    expect(ids(system)).toContain(hung);
  });

  it('is waited for as long as two of its cold starts take', async () => {
    const system = await systemOf(1, slow, {}, slow);
    expect(counts(system)).toMatchObject({ ready: 1 });
    hangFirst(system);
    await system.clock.advance(79_500);
    expect(system.driver.started.length).toBe(1);
    await system.clock.advance(1500);
    expect(system.driver.started.length).toBe(2);
  });

  it('is not taken for one that starts by what decides', async () => {
    const system = await systemOf(2, slow);
    hangFirst(system);
    await system.clock.advance(35_000);
    const scaling = { minReplicas: 3, maxReplicas: 3 };
    await system.apply(workloadDocument('web', { scaling, probes: { startup: { budget: '5m' } } }));
    await system.clock.advance(100);
    const seen = [...replayJournal(system.store.records, decide)].map(({ observation }) => observation.classes.default);
    // Its replacement starts.
    expect(seen).toContainEqual(expect.objectContaining({ ready: 1, starting: 1, failed: 1 }));
  });
});

describe('when all replicas are unready at once', () => {
  it('only maxSurge of them are replaced, and the others come back', async () => {
    const system = await systemOf(4, slow);
    const all = ids(system);
    for (const id of all) system.driver.hang(id);
    await system.clock.advance(60_000);
    expect(system.driver.started.length).toBe(5);
    expect(ids(system)).toEqual(expect.arrayContaining(all));
    for (const id of all) system.driver.recover(id);
    await system.clock.advance(1000);
    expect(ids(system).sort()).toEqual([...all].sort());
    expect(counts(system)).toMatchObject({ ready: 4, starting: 0, failed: 0 });
  });

  it('and stay so, they are replaced one after the other', async () => {
    const system = await systemOf(3);
    const all = ids(system);
    for (const id of all) system.driver.hang(id);
    await system.clock.advance(40_000);
    expect(ids(system).filter((id) => all.includes(id))).toEqual([]);
    expect(counts(system)).toEqual({ wanted: 3, ready: 3, starting: 0, draining: 0, failed: 0 });
    expect(system.driver.started.length).toBe(6);
  });

  it('and no surge is allowed, one goes before another one starts', async () => {
    const system = await systemOf(2, slow, { update: { type: 'Rolling', maxSurge: 0, maxUnavailable: 1 } });
    const most = { replicas: 0 };
    system.clock.afterEvent = () => {
      const { ready = 0, starting = 0, failed = 0 } = counts(system) ?? {};
      most.replicas = Math.max(most.replicas, ready + starting + failed);
    };
    for (const id of ids(system)) system.driver.hang(id);
    await system.clock.advance(60_000);
    expect(system.driver.started.length).toBe(3);
    expect(ids(system).length).toBe(2);
    await system.clock.advance(60_000);
    expect(counts(system)).toMatchObject({ ready: 2, starting: 0, failed: 0 });
    expect(most.replicas).toBe(2);
  });
});
