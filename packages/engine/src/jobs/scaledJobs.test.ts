import { kedaInput, VirtualSystem, type VirtualSystemOptions } from '@ebb/testing';
import { describe, expect, it, vi } from 'vitest';

const key = { cluster: 'local', namespace: 'default', name: 'encoder' };
const improved = { 'ebb.dev/improvements': 'true' };
const container = { name: 'main', image: 'encoder:1', command: ['encode'] };

function template(more: Record<string, unknown> = {}, containerMore: Record<string, unknown> = {}) {
  return { ...more, template: { spec: { restartPolicy: 'Never', containers: [{ ...container, ...containerMore }] } } };
}

const jobs = (spec: Record<string, unknown> = {}, annotations: Record<string, string> = {}) =>
  kedaInput(
    'ScaledJob',
    'encoder',
    { jobTargetRef: template(), triggers: [{ type: 'queue', name: 'queue', metadata: { target: '1' } }], ...spec },
    annotations,
  );

async function systemWith(input: ReturnType<typeof jobs>, options: VirtualSystemOptions = {}): Promise<VirtualSystem> {
  const system = new VirtualSystem(options);
  await system.start();
  await system.await(system.engine.apply([input]));
  await system.clock.advance(1000);
  return system;
}

function status(system: VirtualSystem) {
  const found = system.engine.scaledJobs().find(({ name }) => name === key.name);
  if (!found) throw new Error('no such ScaledJob');
  return found;
}

describe('a ScaledJob', () => {
  it('runs one process for each message at its polls, within the maximum', async () => {
    const system = await systemWith(jobs({ pollingInterval: 10, maxReplicaCount: 3 }));
    system.driver.runs.plan = () => ({ spawnUs: 1000, runUs: 5_000_000, exitCode: 0 });
    system.triggers.set('queue', 5);
    await system.clock.advance(12_000);
    expect(status(system).jobs).toMatchObject({ running: 3 });
    system.triggers.set('queue', 0);
    await system.clock.advance(10_000);
    expect(status(system).jobs).toMatchObject({ running: 0, succeeded: 3 });
    expect(status(system).conditions[0]).toMatchObject({ type: 'Ready', status: 'True' });
  });

  it('with the improvements starts at the push and never twice for one message', async () => {
    const system = await systemWith(jobs({ scalingStrategy: { strategy: 'accurate' } }, improved));
    system.driver.runs.plan = () => ({ spawnUs: 1000, runUs: 60_000_000, exitCode: 0 });
    system.triggers.set('queue', 4);
    await system.clock.advance(100);
    expect(status(system).jobs.running).toBe(4);
    system.triggers.set('queue', 3);
    system.triggers.set('queue', 2);
    await system.clock.advance(100);
    expect(status(system).jobs.running).toBe(4);
    system.triggers.set('queue', 0);
    system.triggers.set('queue', 2);
    await system.clock.advance(100);
    expect(status(system).jobs.running).toBe(6);
  });

  it('runs a Job again after a back-off that doubles, up to its limit', async () => {
    const failing = jobs({ jobTargetRef: template({ backoffLimit: 2 }), maxReplicaCount: 1 }, improved);
    const system = await systemWith(failing);
    system.driver.runs.plan = () => ({ spawnUs: 1000, runUs: 1_000_000, exitCode: 3 });
    system.triggers.set('queue', 1);
    await system.clock.advance(2000);
    expect(status(system).jobList[0]).toMatchObject({ phase: 'waiting', failures: 1, exitCode: 3 });
    system.triggers.set('queue', 0);
    await system.clock.advance(12_000);
    expect(status(system).jobList[0]).toMatchObject({ failures: 2 });
    await system.clock.advance(25_000);
    expect(status(system).jobList[0]).toMatchObject({ phase: 'failed', failures: 3, attempts: 3 });
    expect(status(system).jobList[0]?.message).toContain('backoffLimit is 2');
  });

  it('ends what runs longer than its deadline', async () => {
    const system = await systemWith(jobs({ jobTargetRef: template({ activeDeadlineSeconds: 5 }) }, improved));
    system.driver.runs.plan = () => ({ spawnUs: 1000, runUs: 3_600_000_000, exitCode: 0 });
    system.triggers.set('queue', 1);
    await system.clock.advance(2000);
    system.triggers.set('queue', 0);
    await system.clock.advance(6000);
    expect(status(system).jobList[0]).toMatchObject({ phase: 'failed', message: expect.stringContaining('5 s') });
  });

  it('keeps as much history as it is told to', async () => {
    const limits = { successfulJobsHistoryLimit: 2, pollingInterval: 5 };
    const system = await systemWith(jobs({ ...limits, maxReplicaCount: 5 }));
    system.driver.runs.plan = () => ({ spawnUs: 1000, runUs: 1_000_000, exitCode: 0 });
    system.triggers.set('queue', 5);
    await system.clock.advance(5000);
    system.triggers.set('queue', 0);
    await system.clock.advance(20_000);
    expect(status(system).jobs).toMatchObject({ running: 0, succeeded: 2 });
    expect(await system.store.state.names('engine/job/')).toHaveLength(2);
  });

  it('replaces what runs when the document changes, unless the rollout is gradual', async () => {
    const changed = (strategy: string) =>
      jobs({ rollout: { strategy }, jobTargetRef: template({ backoffLimit: 1 }) }, improved);
    for (const [strategy, running] of [
      ['gradual', 2],
      ['default', 0],
    ] as const) {
      const system = await systemWith(jobs({ rollout: { strategy } }, improved));
      system.driver.runs.plan = () => ({ spawnUs: 1000, runUs: 600_000_000, exitCode: 0 });
      system.triggers.set('queue', 2);
      await system.clock.advance(1000);
      system.triggers.set('queue', 0);
      await system.await(system.engine.apply([changed(strategy)]));
      await system.clock.advance(40_000);
      expect(status(system).jobs.running, strategy).toBe(running);
    }
  });

  it('paused creates nothing and lets run what runs', async () => {
    const system = await systemWith(jobs({}, { ...improved, 'autoscaling.keda.sh/paused': 'true' }));
    system.triggers.set('queue', 3);
    await system.clock.advance(60_000);
    expect(status(system)).toMatchObject({ paused: true, jobs: { running: 0, waiting: 0 } });
  });

  it('without a command says why nothing starts', async () => {
    const system = await systemWith(jobs({ jobTargetRef: template({}, { command: undefined }) }, improved));
    system.triggers.set('queue', 1);
    await system.clock.advance(1000);
    expect(status(system).jobList[0]).toMatchObject({
      phase: 'failed',
      message: expect.stringContaining('no command'),
    });
  });

  it('finishes over a restart of the control plane, each Job once', async () => {
    const system = await systemWith(jobs({ maxReplicaCount: 10 }, improved));
    system.driver.runs.plan = () => ({ spawnUs: 1000, runUs: 20_000_000, exitCode: 0 });
    system.triggers.set('queue', 6);
    await system.clock.advance(1000);
    expect(status(system).jobs.running).toBe(6);
    system.kill();
    system.triggers.set('queue', 0);
    await system.clock.advance(30_000);
    await system.start();
    await system.clock.advance(5000);
    expect(status(system).jobs).toEqual({ waiting: 0, running: 0, succeeded: 6, failed: 0 });
    expect(system.driver.runs.started.length).toBe(6);
  });

  it('asks again for a run that the agent had not heard of when it ended', async () => {
    const system = await systemWith(jobs({}, improved));
    system.driver.runs.plan = () => ({ spawnUs: 1000, runUs: 1_000_000, exitCode: 0 });
    // The driver takes what is asked for, and the agent at the other end is killed before it reads it.
    const run = vi.spyOn(system.driver, 'run').mockResolvedValueOnce();
    system.triggers.set('queue', 1);
    await system.clock.advance(100);
    expect(run).toHaveBeenCalledTimes(1);
    expect(system.driver.runs.started).toHaveLength(0);
    system.driver.disconnect();
    await system.clock.advance(5000);
    system.driver.reconnect();
    await system.clock.advance(100);
    expect(status(system).jobs).toMatchObject({ waiting: 0, running: 1 });
    expect(new Set(run.mock.calls.map(([{ id }]) => id)).size).toBe(1);
  });

  it('sets no timer for what waits for the agent', async () => {
    const system = await systemWith(jobs({ jobTargetRef: template({ backoffLimit: 5 }) }, improved));
    system.driver.runs.plan = () => ({ spawnUs: 1000, runUs: 1000, exitCode: 3 });
    system.triggers.set('queue', 1);
    await system.clock.advance(2000);
    expect(status(system).jobs.waiting).toBe(1);
    system.driver.disconnect();
    const timers = vi.spyOn(system.clock, 'at');
    await system.clock.advance(60_000);
    // A back-off of 10 s ended long ago: it is not looked at every millisecond.
    expect(timers.mock.calls.length).toBeLessThan(200);
    system.driver.reconnect();
    await system.clock.advance(100);
    expect(system.driver.runs.started.length).toBeGreaterThan(1);
  });

  it('makes Jobs that only fail slower and slower, and says so; one that succeeds ends it', async () => {
    const failing = jobs(
      { jobTargetRef: template({ backoffLimit: 0 }), maxReplicaCount: 4, pollingInterval: 10 },
      improved,
    );
    const system = await systemWith(failing);
    system.driver.runs.plan = () => ({ spawnUs: 1000, runUs: 2000, exitCode: 1 });
    system.triggers.set('queue', 100);
    // At most so many rounds of four: 100 ms, 200 ms, … up to 10 s between them.
    await system.clock.advance(60_000);
    expect(system.driver.runs.started.length).toBeGreaterThan(20);
    expect(system.driver.runs.started.length).toBeLessThan(60);
    const said = await system.await(system.engine.explain(key));
    expect(said?.lines.at(-1)).toMatchObject({ code: 'held-back', sentence: expect.stringContaining('have failed') });

    system.driver.runs.plan = () => ({ spawnUs: 1000, runUs: 50_000, exitCode: 0 });
    await system.clock.advance(11_000);
    const before = system.driver.runs.started.length;
    await system.clock.advance(2000);
    expect(system.driver.runs.started.length - before).toBeGreaterThan(80);
  });

  it('makes no Job for a message that was done since the queue was last looked at', async () => {
    const system = await systemWith(jobs({}, improved));
    let waiting = 3;
    system.driver.runs.plan = () => ({ spawnUs: 1000, runUs: 5_000_000, exitCode: 0 });
    // Counted until it is acknowledged at the end, as a consumer group's lag; only questions bring the new length.
    system.triggers.set('queue', waiting);
    vi.spyOn(system.triggers, 'get').mockImplementation(() => waiting);
    system.driver.runs.onEnd = () => void waiting--;
    await system.clock.advance(20_000);
    expect(system.driver.runs.started).toHaveLength(3);
    expect(status(system).jobs).toMatchObject({ running: 0, succeeded: 3 });
  });
});
