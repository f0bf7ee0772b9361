import { applyInput, settle, VirtualSystem, workloadDocument } from '@ebb/testing';
import { describe, expect, it } from 'vitest';
import type { ApplyError } from './types.ts';

const key = { cluster: 'local', namespace: 'default', name: 'web' };
const route = (pathPrefix: string) => ({ serving: { routes: [{ pathPrefix }] } });

async function started(): Promise<VirtualSystem> {
  const system = new VirtualSystem();
  await system.start();
  return system;
}

async function refusal(action: Promise<unknown>): Promise<ApplyError> {
  let caught: unknown = null;
  await action.catch((error: unknown) => {
    caught = error;
  });
  expect(caught).toMatchObject({ code: expect.any(String), index: expect.any(Number) });
  return caught as ApplyError;
}

describe('apply', () => {
  it('says what it did: created, unchanged, configured', async () => {
    const system = await started();
    const once = async (seconds: string) =>
      (await system.engine.apply([applyInput(workloadDocument('web', { scaling: { keepAlive: seconds } }))]))[0];
    expect(await once('1s')).toMatchObject({ action: 'created', stored: { generation: 1 } });
    expect(await once('1s')).toMatchObject({ action: 'unchanged', stored: { generation: 1 } });
    expect(await once('2s')).toMatchObject({ action: 'configured', stored: { generation: 2 } });
    expect(system.engine.status(key)).toMatchObject({ generation: 2 });
  });

  it('refuses one route for two workloads, naming both, and stores nothing of the batch', async () => {
    const system = await started();
    await system.engine.apply([applyInput(workloadDocument('web', route('/a')))]);
    const batch = [workloadDocument('x', route('/x')), workloadDocument('other', route('/a/'))].map((one) =>
      applyInput(one),
    );
    const error = await refusal(system.engine.apply(batch));
    expect(error).toMatchObject({ code: 'route-conflict', index: 1, path: 'spec.serving.routes[0]' });
    expect(error.message).toContain('local/default/other');
    expect(error.message).toContain('local/default/web');
    expect((await system.store.documents.list()).length).toBe(1);
    expect(system.engine.statuses().map((status) => status.name)).toEqual(['web']);
  });

  it('refuses the conflict within a batch too, and takes routes that swap in one batch', async () => {
    const system = await started();
    const error = await refusal(
      system.engine.apply(
        [workloadDocument('a', route('/x')), workloadDocument('b', route('/x'))].map((one) => applyInput(one)),
      ),
    );
    expect(error.code).toBe('route-conflict');
    await system.engine.apply(
      [workloadDocument('a', route('/a')), workloadDocument('b', route('/b'))].map((one) => applyInput(one)),
    );
    await system.engine.apply(
      [workloadDocument('a', route('/b')), workloadDocument('b', route('/a'))].map((one) => applyInput(one)),
    );
  });

  it('refuses a stale version and a document that is not valid', async () => {
    const system = await started();
    const [first] = await system.engine.apply([applyInput(workloadDocument('web'))]);
    await system.engine.apply([applyInput(workloadDocument('web', { priority: 5 }))]);
    const stale = applyInput(workloadDocument('web', { priority: 6 }), first?.stored.resourceVersion);
    expect(await refusal(system.engine.apply([stale]))).toMatchObject({ code: 'conflict', index: 0 });
    const broken = { ...applyInput(workloadDocument('bad')), document: { kind: 'Workload', spec: { classes: 3 } } };
    expect(await refusal(system.engine.apply([applyInput(workloadDocument('fine')), broken]))).toMatchObject({
      code: 'invalid',
      index: 1,
    });
    expect(system.engine.statuses().length).toBe(1);
  });

  it('takes back what was stored of a batch when the store fails half-way', async () => {
    const system = await started();
    await system.engine.apply([applyInput(workloadDocument('a', { priority: 1 }))]);
    let puts = 0;
    system.store.faults.fail = (operation) =>
      operation === 'documents.put' && ++puts === 3 ? new Error('disk full') : null;
    const batch = ['a', 'b', 'c'].map((name) => applyInput(workloadDocument(name, { priority: 2 })));
    await expect(system.engine.apply(batch)).rejects.toThrow('disk full');
    system.store.faults = {};
    const stored = await system.store.documents.list();
    expect(stored.map((one) => one.key.name)).toEqual(['a']);
    expect(stored[0]?.document).toMatchObject({ spec: { priority: 1 } });
    expect(system.engine.statuses().length).toBe(1);
  });

  it('stores kinds that it does nothing with', async () => {
    const system = await started();
    const document = { apiVersion: 'ebb.dev/v1alpha1', kind: 'NodePool', metadata: { name: 'pool' }, spec: {} };
    const input = {
      apiVersion: 'ebb.dev/v1alpha1',
      kind: 'NodePool',
      key: { ...key, name: 'pool' },
      document,
      origin: null,
    };
    expect(await system.engine.apply([input])).toMatchObject([{ action: 'created' }]);
    expect(system.engine.statuses()).toEqual([]);
  });

  it('waits until the engine is up', async () => {
    const system = new VirtualSystem();
    system.driver.disconnect();
    const starting = system.startWithoutWaiting();
    await system.clock.advance(100);
    let applied = false;
    void system.engine.apply([applyInput(workloadDocument('web'))]).then(() => {
      applied = true;
    });
    await system.clock.advance(1000);
    expect(applied).toBe(false);
    system.driver.reconnect();
    await system.await(starting);
    await system.clock.advance(1);
    expect(applied).toBe(true);
  });

  it('does one after the other, in order', async () => {
    const system = await started();
    system.store.faults.delay = () => settle();
    const inputs = [1, 2, 3, 4].map((priority) =>
      system.engine.apply([applyInput(workloadDocument('web', { priority }))]),
    );
    const outcomes = (await Promise.all(inputs)).flat();
    expect(outcomes.map((outcome) => outcome.stored.generation)).toEqual([1, 2, 3, 4]);
  });
});

describe('dependencies', () => {
  const needs = (...names: string[]) => ({ dependsOn: names });

  it('refuses a cycle and shows it', async () => {
    const system = await started();
    await system.apply(workloadDocument('a', needs('b')), workloadDocument('b'));
    const error = await refusal(system.engine.apply([applyInput(workloadDocument('b', needs('a')))]));
    expect(error).toMatchObject({ code: 'dependency-cycle', path: 'spec.dependsOn' });
    expect(error.message).toContain('local/default/b → local/default/a → local/default/b');
  });

  it('takes an unknown one with a warning condition, and refuses requests with the reason', async () => {
    const system = await started();
    await system.apply(workloadDocument('web', needs('embedder')));
    await system.clock.advance(1000);
    const condition = system.engine.status(key)?.conditions.find((one) => one.type === 'DependenciesReady');
    expect(condition).toMatchObject({ status: 'False', reason: 'UnknownDependency' });
    expect(system.gateway.arrive('local/default/web', 1).detail).toBe('unavailable');
    await system.apply(workloadDocument('embedder'));
    await system.clock.advance(1000);
    const held = system.gateway.arrive('local/default/web', 1000);
    await system.clock.advance(10_000);
    expect(held.outcome).toBe('succeeded');
  });

  it('are woken by what depends on them, start first, and go last', async () => {
    const system = await started();
    await system.apply(
      workloadDocument('web', { ...needs('model'), scaling: { keepAlive: '10s' } }),
      workloadDocument('model', { ...needs('store'), scaling: { keepAlive: '1s' } }),
      workloadDocument('store', { scaling: { keepAlive: '1s' } }),
    );
    await system.clock.advance(1000);
    const held = system.gateway.arrive('local/default/web', 1000);
    await system.clock.advance(30);
    expect(system.driver.started.map((start) => start.workload.name)).toEqual(['store']);
    await system.clock.runUntilTrue(() => held.outcome !== null, 30_000);
    expect(held.outcome).toBe('succeeded');
    expect(system.driver.started.map((start) => start.workload.name)).toEqual(['store', 'model', 'web']);
    expect(system.engine.status({ ...key, name: 'store' })?.decision?.summary).toContain(
      'local/default/model depends on it',
    );
    const gone: string[] = [];
    system.driver.onStop = (id) => gone.push(id.slice(0, id.indexOf('-')));
    await system.clock.advance(9000);
    expect(system.driver.replicas().length).toBe(3);
    await system.clock.advance(20_000);
    expect(gone).toEqual(['web', 'model', 'store']);
    expect(system.driver.replicas()).toEqual([]);
  });
});
