import { type RunObservation, type RunPod, RunRefused, type TemplateStart } from '@ebb/core';
import { kedaInput, VirtualSystem } from '@ebb/testing';
import { expect, it, vi } from 'vitest';

const key = { cluster: 'local', namespace: 'default', name: 'encoder' };
const running: RunPod = { phase: 'Running', trueConditions: ['Ready'] };

const jobs = (spec: Record<string, unknown> = {}, annotations: Record<string, string> = {}) =>
  kedaInput(
    'ScaledJob',
    'encoder',
    {
      // An image alone: on one machine nothing could be run of it.
      jobTargetRef: { template: { spec: { containers: [{ name: 'main', image: 'encoder:1' }] } } },
      triggers: [{ type: 'queue', name: 'queue', metadata: { target: '1' } }],
      ...spec,
    },
    { 'ebb.dev/improvements': 'true', ...annotations },
  );

/** Jobs as a cluster keeps them: created once by name, listed until they are deleted. */
class VirtualJobs {
  readonly system = new VirtualSystem();
  readonly present = new Map<string, RunObservation>();
  readonly asked: TemplateStart[] = [];
  readonly deleted: string[] = [];
  refuse: Error | null = null;
  #tell: (run: RunObservation) => void = () => {};

  constructor() {
    const { driver } = this.system;
    const [watch, stop] = [driver.watch.bind(driver), driver.stop.bind(driver)];
    Object.assign(driver, {
      runTemplate: async (start: TemplateStart) => {
        this.asked.push(start);
        if (this.refuse) throw this.refuse;
        if (!this.present.has(start.id)) this.make(start.id, { generation: start.document.generation });
      },
      listRuns: async () => [...this.present.values()],
      watch: (listener: Parameters<typeof watch>[0]) => {
        this.#tell = (run) => listener({ type: 'run', run });
        return watch(listener);
      },
      stop: async (id: string) => {
        const run = this.present.get(id);
        if (!run) return stop(id);
        this.deleted.push(id);
        this.present.delete(id);
        this.#tell({ ...run, phase: 'gone' });
      },
    });
  }

  make(id: string, more: Partial<RunObservation> = {}): void {
    const run = { id, owner: key, pid: null, exitCode: null, message: '', failure: null, endedAtMs: null, pods: [] };
    this.#put({ ...run, phase: 'starting', startedAtMs: this.system.clock.nowMs(), ...more });
  }

  turn(id: string, phase: RunObservation['phase']): void {
    const run = this.present.get(id);
    if (!run) throw new Error(`no Job ${id}`);
    const isOver = phase === 'succeeded' || phase === 'failed';
    const endedAtMs = isOver ? this.system.clock.nowMs() : null;
    this.#put({ ...run, phase, endedAtMs, pods: phase === 'running' ? [running] : [] });
  }

  ids(phase?: RunObservation['phase']): string[] {
    return [...this.present.values()].filter((run) => !phase || run.phase === phase).map(({ id }) => id);
  }

  status() {
    const found = this.system.engine.scaledJobs()[0];
    if (!found) throw new Error('no ScaledJob');
    return found;
  }

  async begin(input = jobs()): Promise<void> {
    await this.system.start();
    await this.system.await(this.system.engine.apply([input]));
    await this.system.clock.advance(100);
  }

  #put(run: RunObservation): void {
    this.present.set(run.id, run);
    this.#tell(run);
  }
}

it('asks for each Job once, leaves its retries to others, and stores it until it is shown', async () => {
  const cluster = new VirtualJobs();
  await cluster.begin();
  cluster.system.triggers.set('queue', 3);
  await cluster.system.clock.advance(100);
  expect(cluster.ids()).toHaveLength(3);
  expect(await cluster.system.store.state.names('engine/job/')).toEqual([]);
  for (const id of cluster.ids()) cluster.turn(id, 'running');
  cluster.system.triggers.set('queue', 0);
  for (const id of cluster.ids()) cluster.turn(id, 'failed');
  await cluster.system.clock.advance(600_000);
  expect(cluster.asked).toHaveLength(3);
  expect(cluster.status().jobs).toMatchObject({ waiting: 0, running: 0, failed: 3 });
  expect(cluster.deleted).toEqual([]);
});

it('counts a Job as pending by its pods', async () => {
  const cluster = new VirtualJobs();
  const scalingStrategy = { strategy: 'accurate', pendingPodConditions: ['Ready', 'PodScheduled'] };
  await cluster.begin(jobs({ scalingStrategy }, { 'ebb.dev/improvements': 'false' }));
  cluster.make('keda-1', { phase: 'running', pods: [running] });
  cluster.make('keda-2', { phase: 'running', pods: [{ ...running, trueConditions: ['PodScheduled', 'Ready'] }] });
  cluster.system.triggers.set('queue', 2);
  await cluster.system.clock.advance(31_000);
  // Two wanted, one pending: KEDA's accurate strategy adds one.
  expect(cluster.asked).toHaveLength(1);
});

it('deletes the oldest beyond the history, and Jobs of an earlier document unless the rollout is gradual', async () => {
  for (const strategy of ['gradual', 'immediate']) {
    const cluster = new VirtualJobs();
    const limits = { successfulJobsHistoryLimit: 1, pollingInterval: 5, rollout: { strategy } };
    await cluster.begin(jobs(limits));
    cluster.system.triggers.set('queue', 4);
    await cluster.system.clock.advance(100);
    const [first = '', second = '', third = '', fourth = ''] = cluster.ids();
    cluster.system.triggers.set('queue', 0);
    for (const id of [first, second]) {
      cluster.turn(id, 'running');
      await cluster.system.clock.advance(100);
      cluster.turn(id, 'succeeded');
    }
    await cluster.system.clock.advance(6000);
    expect(cluster.deleted).toEqual([first]);
    await cluster.system.await(cluster.system.engine.apply([jobs({ ...limits, maxReplicaCount: 7 })]));
    await cluster.system.clock.advance(100);
    expect(cluster.ids().sort()).toEqual((strategy === 'gradual' ? [second, third, fourth] : [second]).sort());
  }
});

it('takes in what others have made, and deletes none of it when the document goes', async () => {
  const cluster = new VirtualJobs();
  cluster.make('keda-1', { phase: 'running', pods: [running] });
  cluster.make('keda-2', { phase: 'succeeded', endedAtMs: 1 });
  await cluster.begin();
  cluster.make('keda-3');
  expect(cluster.status().jobs).toMatchObject({ waiting: 1, running: 1, succeeded: 1 });
  cluster.system.triggers.set('queue', 3);
  await cluster.system.clock.advance(100);
  expect(cluster.asked).toHaveLength(1);
  await cluster.system.await(cluster.system.engine.remove('ScaledJob', key));
  await cluster.system.clock.advance(100);
  expect(cluster.deleted).toEqual([]);
  // Here again, everything is counted again.
  await cluster.system.await(cluster.system.engine.apply([jobs()]));
  await cluster.system.clock.advance(5000);
  expect(cluster.asked).toHaveLength(1);
});

it('asks again by the same id for what was on its way when the engine ended, unless that is long ago', async () => {
  for (const awayMs of [5000, 120_000]) {
    const cluster = new VirtualJobs();
    await cluster.begin();
    cluster.refuse = new Error('the server is away');
    cluster.system.triggers.set('queue', 2);
    await cluster.system.clock.advance(100);
    cluster.system.kill();
    // One of them has arrived after all.
    const [arrived = ''] = cluster.asked.map(({ id }) => id);
    cluster.make(arrived);
    cluster.refuse = null;
    cluster.system.triggers.set('queue', 0);
    await cluster.system.clock.advance(awayMs);
    await cluster.system.start();
    await cluster.system.clock.advance(2000);
    const ids = new Set(cluster.asked.map(({ id }) => id));
    expect(cluster.ids().sort()).toEqual(awayMs === 5000 ? [...ids].sort() : [arrived]);
    expect(ids.size).toBe(2);
    expect(await cluster.system.store.state.names('engine/job/')).toEqual([]);
  }
});

it('makes what is refused slower and slower, keeps none of it, and says why', async () => {
  const cluster = new VirtualJobs();
  cluster.refuse = new RunRefused('exceeded quota: count/jobs.batch=10');
  await cluster.begin(jobs({ pollingInterval: 10, maxReplicaCount: 2 }));
  cluster.system.triggers.set('queue', 9);
  await cluster.system.clock.advance(60_000);
  expect(cluster.asked.length).toBeGreaterThan(10);
  expect(cluster.asked.length).toBeLessThan(40);
  expect(cluster.status()).toMatchObject({ jobs: { waiting: 0, failed: 0 }, jobList: [] });
  expect(cluster.status().conditions[0]).toMatchObject({ status: 'False', message: expect.stringContaining('quota') });
  cluster.refuse = null;
  await cluster.system.clock.advance(11_000);
  expect(cluster.ids()).toHaveLength(2);
  expect(cluster.status().conditions[0]).toMatchObject({ status: 'True' });
});

it('forgets a Job that people have deleted: the queue says whether another one is needed', async () => {
  const cluster = new VirtualJobs();
  await cluster.begin();
  cluster.system.triggers.set('queue', 1);
  await cluster.system.clock.advance(100);
  cluster.system.triggers.set('queue', 0);
  const [id = ''] = cluster.ids();
  await cluster.system.driver.stop(id);
  await cluster.system.clock.advance(60_000);
  expect(cluster.asked).toHaveLength(1);
  expect(cluster.status().jobList).toEqual([]);
});

it('makes no second one for the message of a Job that begins as the next engine takes it in', async () => {
  const cluster = new VirtualJobs();
  await cluster.begin(jobs({ scalingStrategy: { strategy: 'accurate' } }));
  cluster.system.triggers.set('queue', 1);
  await cluster.system.clock.advance(100);
  const [id = ''] = cluster.ids();
  // Its pod waits for a place, and has not taken the message yet when it runs at last.
  await cluster.system.clock.advance(60_000);
  cluster.system.kill();
  cluster.turn(id, 'running');
  await cluster.system.start();
  await cluster.system.clock.advance(100);
  cluster.system.triggers.set('queue', 1);
  await cluster.system.clock.advance(900);
  cluster.system.triggers.set('queue', 0);
  await cluster.system.clock.advance(1000);
  expect(cluster.ids()).toEqual([id]);
  // What comes next is another one's.
  cluster.system.triggers.set('queue', 1);
  await cluster.system.clock.advance(100);
  expect(cluster.ids()).toHaveLength(2);
});

it('makes the Job of a new message at once where news of a pod comes after its Job has taken the one before', async () => {
  const cluster = new VirtualJobs();
  await cluster.begin(jobs({ scalingStrategy: { strategy: 'accurate' } }));
  cluster.system.triggers.set('queue', 1);
  await cluster.system.clock.advance(100);
  const [id = ''] = cluster.ids();
  cluster.turn(id, 'running');
  cluster.system.triggers.set('queue', 0);
  await cluster.system.clock.advance(100);
  cluster.turn(id, 'running');
  cluster.system.triggers.set('queue', 1);
  await cluster.system.clock.advance(100);
  expect(cluster.ids()).toHaveLength(2);
});

it('makes none twice for what has been done, while the sources are slow to say so', async () => {
  const cluster = new VirtualJobs();
  await cluster.begin(jobs({ scalingStrategy: { strategy: 'accurate' }, pollingInterval: 1 }));
  cluster.system.triggers.set('queue', 30);
  await cluster.system.clock.advance(100);
  expect(cluster.ids()).toHaveLength(30);
  // As of a machine that slept: what has happened is told at once, and a poll is due before any source has answered.
  cluster.system.triggers.delayMs = 3000;
  vi.spyOn(cluster.system.triggers, 'get').mockReturnValue(0);
  for (const id of cluster.ids()) cluster.turn(id, 'running');
  for (const id of cluster.ids()) cluster.turn(id, 'succeeded');
  await cluster.system.clock.advance(20_000);
  expect(cluster.ids()).toHaveLength(30);
  expect(cluster.status().jobs).toMatchObject({ running: 0, succeeded: 30 });
});

it('makes the Jobs of new messages while others end all the time, and none of what an earlier question has counted', async () => {
  const cluster = new VirtualJobs();
  let waiting = 0;
  vi.spyOn(cluster.system.triggers, 'get').mockImplementation(() => waiting);
  await cluster.begin(jobs({ scalingStrategy: { strategy: 'accurate' }, pollingInterval: 1 }));
  cluster.system.triggers.delayMs = 20;
  let sent = 0;
  for (let round = 0; round < 400; round++) {
    if (round < 200) sent++;
    if (round < 200) waiting++;
    if (round % 25 === 0) cluster.system.triggers.set('queue', waiting);
    for (const id of cluster.ids('running').slice(0, 2)) cluster.turn(id, 'succeeded');
    for (const id of cluster.ids('starting')) {
      cluster.turn(id, 'running');
      waiting = Math.max(0, waiting - 1);
    }
    await cluster.system.clock.advance(40);
  }
  expect(waiting).toBe(0);
  expect(cluster.asked).toHaveLength(sent);
});
