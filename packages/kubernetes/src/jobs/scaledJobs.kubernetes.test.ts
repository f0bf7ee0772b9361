import { once } from 'node:events';
import { connect } from 'node:net';
import { MemoryStore } from '@ebb/testing';
import {
  available,
  type KubernetesCluster,
  type RedisService,
  startKubernetes,
  startRedis,
  until,
} from '@ebb/testing/services';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openCluster } from '../client/kubeConfig.ts';
import type { Transport } from '../client/transport.ts';
import { textAt } from '../client/values.ts';
import { installScaledJobs, JobWorkers, jobsPath, scaledJobsPath } from '../fake/jobWorkers.fixture.ts';
import { installKeda, realTriggers } from '../fake/kedaCluster.fixture.ts';
import { runOperator, type StartedOperator } from '../fake/operator.fixture.ts';

const present = available('kubernetes') && available('redis');

/** A Job that has not taken its message after this long counts as one that has: workers of a busy machine need a while. */
const patientSeconds = 8;

/** Long enough for a machine that stands still for some seconds: nobody is to take over before the kill. */
const handedOverMs = 6000;

interface Job {
  metadata: { name: string; deletionTimestamp?: string };
  status: { conditions?: { type: string; status: string }[] };
}

describe.skipIf(!present)('Jobs of ScaledJobs on a real API server', () => {
  let cluster: KubernetesCluster;
  let redis: RedisService;
  const started: StartedOperator[] = [];
  let workers: JobWorkers | null = null;

  beforeAll(async () => {
    [cluster, redis] = await Promise.all([startKubernetes(), startRedis()]);
    await installKeda(cluster.api);
    await installScaledJobs(cluster.api);
  });
  afterEach(async () => {
    await cluster.api.send('DELETE', scaledJobsPath);
    for (const one of started.splice(0)) await one.stop();
    try {
      const isOver = async () => (await jobs()).length === 0;
      await until(isOver, { withinMs: 120_000, what: () => 'the Jobs to be collected' });
    } finally {
      await workers?.stop();
      workers = null;
      await redis.cli(['flushall']);
    }
  });
  afterAll(async () => {
    await redis?.stop();
    await cluster?.close();
  });

  /** Notes every Job that is made. `onPost` is asked before each is sent. The lease is a short one where it is to run out. */
  async function run(identity: string, more: { embedded?: MemoryStore; onPost?: () => void; leaseMs?: number } = {}) {
    const made: { name: string; atMs: number }[] = [];
    const { transport, server } = await openCluster({ path: cluster.kubeconfig });
    const noting: Transport = {
      ...transport,
      async send(request) {
        const isPost = request.method === 'POST' && request.path.endsWith('/jobs');
        if (isPost) more.onPost?.();
        const answer = await transport.send(request);
        if (isPost && answer.status === 201) {
          made.push({ name: textAt(request.body, 'metadata', 'name') ?? '', atMs: performance.now() });
        }
        return answer;
      },
    };
    const { embedded = new MemoryStore(), leaseMs = 60_000 } = more;
    const one = await runOperator({
      server,
      identity,
      triggers: realTriggers,
      transport: noting,
      embedded,
      leaseMs,
    });
    started.push(one);
    return { ...one, made };
  }
  /** Workers that take a message at their begin; every tenth fails. */
  async function work(workMs: number, { isFailing = false, beginsUnseen = false } = {}): Promise<JobWorkers> {
    let ended = 0;
    workers = await new JobWorkers({
      api: cluster.api,
      workMs,
      beginsUnseen,
      begin: take,
      end: async () => (++ended % 10 === 0 && isFailing ? 1 : 0),
    }).start();
    return workers;
  }
  /** Over a connection of its own: to start a program takes a busy machine unevenly long. */
  async function take(): Promise<void> {
    const socket = connect(redis.port, redis.host);
    try {
      await once(socket, 'connect');
      socket.write('LPOP videos\r\n');
      await once(socket, 'data');
    } finally {
      socket.destroy();
    }
  }
  const jobs = async () => (await cluster.api.get<{ items: Job[] }>(jobsPath)).items;
  const push = (count: number) =>
    redis.cli(['rpush', 'videos', ...Array.from({ length: count }, (_, index) => `m${index}`)]);
  const within = (check: () => Promise<boolean> | boolean, what: string, withinMs = 60_000) =>
    until(check, { withinMs, what: () => `${what}\n${started.flatMap(({ log }) => log.slice(-20)).join('\n')}` });
  const ready = async () => {
    const { status } = await cluster.api.get<{
      status?: { conditions?: { type: string; status: string; message: string }[] };
    }>(`${scaledJobsPath}/encoder`);
    const found = status?.conditions?.find(({ type }) => type === 'Ready');
    return found ? `${found.status} ${found.message}` : '';
  };

  function scaledJob(spec: Record<string, unknown> = {}, annotations: Record<string, string> = {}) {
    return {
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'ScaledJob',
      metadata: { name: 'encoder', annotations: { 'ebb.dev/improvements': 'true', ...annotations } },
      spec: {
        jobTargetRef: {
          backoffLimit: 0,
          template: {
            spec: {
              restartPolicy: 'Never',
              nodeName: 'workers',
              initContainers: [{ name: 'proxy', image: 'proxy:1', restartPolicy: 'Always' }],
              containers: [{ name: 'encoder', image: 'encoder:1' }],
            },
          },
        },
        pollingInterval: 1,
        maxReplicaCount: 15,
        scalingStrategy: { strategy: 'accurate' },
        triggers: [{ type: 'redis', metadata: { address: redis.address, listName: 'videos', listLength: '1' } }],
        ...spec,
      },
    };
  }

  it.each(['true', 'false'])('makes one Job a message and keeps the history (improvements %s)', async (improved) => {
    const limits = { successfulJobsHistoryLimit: 5, failedJobsHistoryLimit: 3 };
    const pollingInterval = improved === 'true' ? patientSeconds : 1;
    const document = scaledJob({ ...limits, pollingInterval }, { 'ebb.dev/improvements': improved });
    await cluster.api.post(scaledJobsPath, document);
    // KEDA's own arithmetic takes a Job that runs for one that has its message.
    const working = await work(300, { isFailing: true, beginsUnseen: improved === 'false' });
    const one = await run('a');
    await one.operator.ready;
    await within(async () => (await ready()).startsWith('True'), 'the status');
    await push(25);
    await within(() => working.ended.length >= 10, 'ten ended');
    await push(15);
    await within(() => working.ended.length >= 40, 'forty ended');
    // Finished, and within the history.
    const shown = async () => {
      const all = (await jobs()).map(({ status }) => (status.conditions ?? []).map(({ type }) => type));
      const of = (type: string) => all.filter((types) => types.includes(type)).length;
      return `${of('Complete')} + ${of('Failed')} of ${all.length}`;
    };
    await within(async () => (await shown()) === '5 + 3 of 8', 'the history');
    expect(working.begun).toHaveLength(40);
    await within(() => one.made.length >= 40, 'the answer of the last one');
    expect(new Set(one.made.map(({ name }) => name)).size).toBe(40);
    expect(working.most).toBeLessThanOrEqual(15);
  });

  it.each([true, false])('makes none twice when the leader is killed in the middle (its store: %s)', async (isSame) => {
    const embedded = new MemoryStore();
    await cluster.api.post(scaledJobsPath, scaledJob({ maxReplicaCount: 40, pollingInterval: patientSeconds }));
    let posts = 0;
    let first: StartedOperator | null = null;
    first = await run('a', {
      embedded,
      leaseMs: handedOverMs,
      onPost: () => {
        if (++posts === 12) first?.kill();
      },
    });
    await first.operator.ready;
    await within(async () => (await ready()).startsWith('True'), 'the status');
    const second = await run('b', { leaseMs: handedOverMs, ...(isSame ? { embedded } : {}) });
    await push(30);
    await within(() => posts >= 12, 'the kill');
    // What was sent and not answered may have been made or not.
    await second.operator.ready;
    await within(async () => (await jobs()).length === 30, 'thirty Jobs');
    await within(() => second.made.length > 0, 'the answers of those that the second made');
    expect(second.made.length).toBeLessThan(30);
    const working = await work(100);
    await within(() => working.ended.length === 30, 'thirty ended');
    await within(async () => (await redis.cli(['llen', 'videos'])).trim() === '0', 'an empty queue');
    const known = () => second.operator.leading()?.engine.scaledJobs()[0]?.jobs.succeeded ?? 0;
    await within(() => known() >= 30, 'all of them known');
    expect(await jobs()).toHaveLength(30);
    expect(known()).toBe(30);
  });

  it('hears of a message that comes at rest, before it would ask', async () => {
    await cluster.api.post(scaledJobsPath, scaledJob({ maxReplicaCount: 100 }));
    const working = await work(20);
    const one = await run('a');
    await one.operator.ready;
    await within(async () => (await ready()).startsWith('True'), 'the status');
    const socket = connect(redis.port, redis.host);
    await once(socket, 'connect');
    const tookMs: number[] = [];
    const isAtRest = () => one.operator.leading()?.engine.scaledJobs()[0]?.triggers[0]?.active === false;
    for (let round = 0; round < 21; round++) {
      await within(isAtRest, 'rest');
      const pushedMs = performance.now();
      socket.write('RPUSH videos m\r\n');
      await within(() => one.made.length > round, 'the Job');
      tookMs.push((one.made[round]?.atMs ?? 0) - pushedMs);
      await within(() => working.ended.length > round, 'its end');
    }
    socket.destroy();
    tookMs.sort((left, right) => left - right);
    console.log(`message → Job created: p50 ${tookMs[10]?.toFixed(0)} ms, worst ${tookMs[20]?.toFixed(0)} ms`);
    expect(one.made).toHaveLength(21);
    // Asking each second, it would be half of one; the bench has the bar.
    expect(tookMs[10]).toBeLessThan(500);
  });
});
