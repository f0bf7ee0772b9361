import { decide } from '@ebb/core';
import { kedaInput, type StartPlan, VirtualSystem, type VirtualSystemOptions, workloadDocument } from '@ebb/testing';
import { describe, expect, it } from 'vitest';
import type { ApplyInput } from './types.ts';
import { replayJournal } from './replay.ts';

const key = { cluster: 'local', namespace: 'default', name: 'worker' };
const quick: StartPlan = { spawnUs: 20_000, listenUs: 50_000, readyUs: 130_000 };
const improved = { 'ebb.dev/improvements': 'true' };

async function systemWith(options: VirtualSystemOptions = {}): Promise<VirtualSystem> {
  const system = new VirtualSystem({ plan: () => quick, ...options });
  await system.start();
  await system.apply(workloadDocument('worker'));
  return system;
}

const put = (system: VirtualSystem, ...inputs: ApplyInput[]) => system.await(system.engine.apply(inputs));
const queueTrigger = { type: 'queue', name: 'queue', metadata: { target: '5' } };
const object = (spec: Record<string, unknown> = {}, annotations: Record<string, string> = {}) =>
  kedaInput(
    'ScaledObject',
    'worker-scaler',
    { scaleTargetRef: { name: 'worker' }, triggers: [queueTrigger], ...spec },
    annotations,
  );
const status = (system: VirtualSystem) => {
  const found = system.engine.status(key);
  if (!found) throw new Error('no such workload');
  return found;
};

describe('a ScaledObject as it is', () => {
  it('moves at its polls: from zero to one, then by the HPA, and to zero after the cool-down', async () => {
    const system = await systemWith();
    await put(system, object({ pollingInterval: 30, cooldownPeriod: 60, maxReplicaCount: 20 }));
    await system.clock.advance(31_000);
    const begunMs = system.clock.nowMs();
    system.triggers.set('queue', 50);
    await system.clock.advance(28_000);
    expect(status(system).replicas.wanted).toBe(0);
    await system.clock.advance(3000);
    // The poll activates; the HPA, awake again, goes up by its four pods a quarter of a minute.
    expect(status(system).replicas.wanted).toBe(4);
    await system.clock.advance(60_000);
    expect(status(system).replicas).toMatchObject({ wanted: 10, ready: 10 });
    expect(status(system)).toMatchObject({ maxReplicas: 20, scaledBy: { name: 'worker-scaler', mode: 'exact' } });
    system.triggers.set('queue', 0);
    await system.clock.advance(45_000);
    expect(status(system).replicas.wanted).toBe(10);
    await system.clock.advance(60_000);
    expect(status(system).replicas.wanted).toBe(0);
    expect(system.clock.nowMs() - begunMs).toBeLessThan(300_000);
    expect(system.triggers.reads).toBeLessThan(30);
  });

  it('waits for the sources before it decides, however slow they are', async () => {
    const system = await systemWith();
    system.triggers.delayMs = 2500;
    system.triggers.set('queue', 5);
    await put(system, object({ pollingInterval: 10 }));
    await system.clock.advance(2000);
    expect(status(system).replicas.wanted).toBe(0);
    await system.clock.advance(1000);
    expect(status(system).replicas.wanted).toBe(1);
  });

  it('holds what runs while a source fails, and says so', async () => {
    const system = await systemWith();
    system.triggers.set('queue', 10);
    await put(system, object({ pollingInterval: 5, cooldownPeriod: 10 }));
    await system.clock.advance(40_000);
    expect(status(system).replicas.wanted).toBe(2);
    system.triggers.set('queue', { error: 'the broker is away' });
    await system.clock.advance(600_000);
    expect(status(system).replicas.wanted).toBe(2);
    expect(status(system).conditions.find(({ type }) => type === 'ScalingActive')).toMatchObject({
      status: 'False',
      reason: 'TriggerFailing',
      message: expect.stringContaining('the broker is away'),
    });
  });

  it('with a trigger that is not available never goes to zero for it', async () => {
    const system = await systemWith();
    system.triggers.set('queue', 10);
    const odd = { type: 'unknown-queue', name: 'odd', metadata: {} };
    await put(system, object({ pollingInterval: 5, cooldownPeriod: 10, triggers: [queueTrigger, odd] }));
    await system.clock.advance(60_000);
    expect(status(system).replicas.wanted).toBe(2);
    system.triggers.set('queue', 0);
    await system.clock.advance(600_000);
    expect(status(system).replicas.wanted).toBe(2);
    expect(status(system).conditions.find(({ type }) => type === 'ScalingActive')?.reason).toBe('Unsupported');
  });

  it('is one at most for a workload', async () => {
    const system = await systemWith();
    await put(system, object());
    const second = { ...object(), key: { ...key, name: 'other' } };
    const document = { ...(second.document as object), metadata: { name: 'other' } };
    await expect(put(system, { ...second, document })).rejects.toThrow(/is scaled by the ScaledObject/);
  });

  it('gives the workload back to its own document when it is deleted', async () => {
    const system = await systemWith();
    system.triggers.set('queue', 5);
    await put(system, object({ pollingInterval: 5 }));
    await system.clock.advance(20_000);
    expect(status(system).replicas.wanted).toBe(1);
    await system.await(system.engine.remove('ScaledObject', { ...key, name: 'worker-scaler' }));
    expect(system.triggers.opened.every(({ closed }) => closed)).toBe(true);
    await system.clock.advance(120_000);
    expect(status(system)).toMatchObject({ scaledBy: null, replicas: { wanted: 0 } });
  });

  it('may come before its workload, and lives through a restart', async () => {
    const system = new VirtualSystem({ plan: () => quick });
    await system.start();
    await put(system, object({ pollingInterval: 5, minReplicaCount: 2 }));
    await system.apply(workloadDocument('worker'));
    await system.clock.advance(20_000);
    expect(status(system).replicas.ready).toBe(2);
    system.kill();
    await system.start();
    await system.clock.advance(20_000);
    expect(status(system)).toMatchObject({ replicas: { ready: 2 }, scaledBy: { name: 'worker-scaler' } });
    expect(system.driver.started.length).toBe(2);
  });

  it('is paused by its annotations', async () => {
    const system = await systemWith();
    system.triggers.set('queue', 50);
    await put(system, object({ pollingInterval: 5 }, { 'autoscaling.keda.sh/paused-replicas': '3' }));
    await system.clock.advance(20_000);
    expect(status(system).replicas.ready).toBe(3);
  });
});

describe('a ScaledObject with the improvements', () => {
  it('goes from zero to what is asked for at the moment of the push', async () => {
    const system = await systemWith();
    await put(system, object({ cooldownPeriod: 30 }, improved));
    await system.clock.advance(1000);
    system.triggers.set('queue', 42);
    await system.clock.advance(5);
    expect(status(system).replicas.wanted).toBe(9);
    await system.clock.advance(3000);
    expect(status(system).replicas.ready).toBe(9);
  });

  it('learns a target that only the source knows', async () => {
    const system = await systemWith();
    const external = { type: 'external', name: 'queue', metadata: {} };
    await put(system, object({ triggers: [external] }, improved));
    system.triggers.set('queue', { value: 30, active: true, target: 10 });
    await system.clock.advance(10);
    expect(status(system).replicas.wanted).toBe(3);
  });

  it('replays to the same decisions', async () => {
    const system = await systemWith();
    await put(system, object({ cooldownPeriod: 20 }, improved));
    for (const length of [0, 7, 31, 2, 0]) {
      system.triggers.set('queue', length);
      await system.clock.advance(40_000);
    }
    await system.stop();
    const records = await system.store.journal.read({});
    const replayed = replayJournal(records, decide);
    expect(replayed.filter(({ matches }) => matches).length).toBeGreaterThan(20);
    expect(replayed.filter(({ matches }) => matches === false)).toEqual([]);
  });
});
