import type { PodSample, PodUsage } from '@ebb/core';
import { MemoryStore } from '@ebb/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { KubernetesClient } from '../client/client.ts';
import { type KubernetesObject, readObject } from '../client/objects.ts';
import { resources } from '../client/resources.ts';
import { selectorOf } from '../client/selector.ts';
import { listAt, objectAt } from '../client/values.ts';
import type { TransportAnswer, TransportRequest } from '../client/transport.ts';
import { half } from '../fake/fakeCluster.fixture.ts';
import { HandClock } from '../fake/handClock.fixture.ts';
import { learntUse, sizingSpec } from './podSizing.fixture.ts';
import { PodSizing, type PodSizingOptions } from './podSizing.ts';

const nowMs = 1_800_000_000_000;
const workload = { cluster: 'local', namespace: 'shop', name: 'web' };
const reference = { workload, resource: resources.deployments, namespace: 'shop', name: 'web' };
const state = {
  replicas: 1,
  resourceVersion: '1',
  selector: selectorOf({ matchLabels: { app: 'web' } }),
  refusal: null,
};
/** With a GPU, which is never touched. */
const small = { requests: { cpu: '100m', memory: '64Mi', 'nvidia.com/gpu': 1 }, limits: { 'nvidia.com/gpu': 1 } };

let clock: HandClock;
let sent: { path: string; body: unknown }[];
let answer: (request: TransportRequest) => { status: number; body: object } | null;
let isServed: boolean;
let pods: Map<string, KubernetesObject>;
let target: KubernetesObject;
let store: MemoryStore;
let epoch: number;
let sizing: PodSizing;
let log: string[];
const options: { -readonly [K in keyof PodSizingOptions]?: PodSizingOptions[K] } = {};

function object(kind: string, body: Record<string, unknown>): KubernetesObject {
  const read = readObject(body, { apiVersion: kind === 'Pod' ? 'v1' : 'apps/v1', kind });
  if (!read) throw new Error('no object');
  return read;
}

function pod(name: string, more: { resources?: object; status?: object } = {}): KubernetesObject {
  return object('Pod', {
    metadata: { name, namespace: 'shop', uid: `uid-${name}`, ownerReferences: [{ controller: true, uid: 'set' }] },
    spec: { containers: [{ name: 'main', resources: more.resources ?? small }] },
    status: { phase: 'Running', startTime: new Date(nowMs - 60_000).toISOString(), ...more.status },
  });
}

function deployment(replicas: number): KubernetesObject {
  return object('Deployment', {
    metadata: { name: 'web', namespace: 'shop', uid: 'web', resourceVersion: '7', generation: 1 },
    spec: { replicas, template: { spec: { containers: [{ name: 'main', resources: small }] } } },
    status: { replicas },
  });
}

beforeEach(async () => {
  clock = new HandClock(nowMs);
  [sent, answer, isServed, log] = [[], () => null, true, []];
  pods = new Map([pod('a'), pod('b')].map((one) => [one.name, one]));
  target = deployment(2);
  store = new MemoryStore();
  epoch = await store.takeEpoch();
  await store.state.save(
    'kubernetes/sizing/local/shop/web',
    learntUse(nowMs, { cpuMilli: 300, memoryMebibytes: 200 }),
    epoch,
  );
  for (const key of Object.keys(options)) delete options[key as keyof typeof options];
  options.sizingOf = () => sizingSpec('inPlace');
});
afterEach(() => sizing.close());

function start(mode: 'control' | 'advice' = 'control'): void {
  const transport = {
    async send(request: TransportRequest): Promise<TransportAnswer> {
      if (request.method === 'GET') {
        const listed = isServed ? [{ name: 'pods' }, { name: 'pods/resize' }] : [{ name: 'pods' }];
        return { status: 200, retryAfterMs: null, text: JSON.stringify({ resources: listed }) };
      }
      sent.push({ path: request.path, body: request.body });
      const { status, body } = answer(request) ?? { status: 200, body: { metadata: { name: 'x' } } };
      return { status, retryAfterMs: null, text: JSON.stringify(body) };
    },
    lines: async () => null,
    close() {},
  };
  sizing = new PodSizing({
    client: new KubernetesClient({ transport, clock, random: half }),
    pods: { get: ({ name }) => pods.get(name) ?? null },
    state: store.state,
    epoch,
    sizingOf: () => null,
    scaledShares: () => [],
    rivalOf: () => null,
    targetOf: () => target,
    mayWrite: () => true,
    changed: () => {},
    log: (_level, message) => log.push(message),
    ...options,
  });
  sizing.manage(reference, state, mode);
}

function usage(cpu = '250', memoryMebibytes = 100): PodUsage {
  const samples = [...pods.keys()].map((name): PodSample => {
    const used = { cpu: Number(cpu), memory: memoryMebibytes * 1024 ** 2 * 1000 };
    return { name, atMs: clock.nowMs(), windowMs: 15_000, containers: [{ name: 'main', usage: used }] };
  });
  const seen = [...pods.keys()].map((name) => ({ name })) as unknown as PodUsage['pods'];
  return { workload, replicas: pods.size, pods: seen, samples };
}

/** Told as the reader tells it, every 15 s. */
async function told(rounds = 1): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    sizing.take(usage());
    await clock.pass(15_000);
  }
}

const patched = () => sent.map(({ path }) => path.split('/').slice(-2).join('/'));
const condition = () => sizing.conditionOf(workload);

it('resizes one pod at once, each once, to what was learnt', async () => {
  start();
  await clock.pass(0);
  await told();
  expect(patched()).toEqual(['a/resize']);
  expect(sent[0]?.body).toEqual({
    metadata: { uid: 'uid-a' },
    spec: {
      containers: [
        {
          name: 'main',
          resources: {
            requests: { cpu: expect.stringMatching(/^3[4-9]\dm$/), memory: expect.stringMatching(/^2[3-5]\dMi$/) },
          },
        },
      ],
    },
  });
  // The pods show it at once; nothing more is to be done for the first one.
  const given = objectAt(listAt(sent[0]?.body, 'spec', 'containers')[0], 'resources');
  pods.set('a', pod('a', { resources: given }));
  await told(5);
  expect(patched()).toEqual(['a/resize', 'b/resize']);
  pods.set('b', pod('b', { resources: given }));
  await told(60);
  expect(patched()).toEqual(['a/resize', 'b/resize']);
  expect(condition()).toMatchObject({ type: 'Sizing', status: 'True', reason: 'Applied' });
  expect(condition()?.message).toMatch(/^recommended: main 3\d\dm of cpu and 2\d\dMi of memory$/);
});

it('learns from samples a minute, saves that, and says what is too early', async () => {
  await store.state.drop('kubernetes/sizing/local/shop/web');
  options.sizingOf = () => sizingSpec('never');
  start();
  await clock.pass(0);
  await told(41);
  expect(condition()).toMatchObject({ status: 'False', reason: 'TooEarly' });
  // Ten minutes and two pods.
  expect(condition()?.message).toContain('20 samples over 9 min');
  await told(4 * 60);
  expect(condition()).toMatchObject({ status: 'True', reason: 'Recommended' });
  expect(sent).toEqual([]);
  const saved = (await store.state.load('kubernetes/sizing/local/shop/web')) as { memory: unknown };
  expect(JSON.stringify(saved.memory).length).toBeLessThan(16 * 1024);
});

it('changes the template once there are no replicas, over the version that was seen', async () => {
  options.sizingOf = () => sizingSpec('nextRollout');
  start();
  await clock.pass(0);
  await told(3);
  expect(sent).toEqual([]);
  expect(condition()).toMatchObject({ status: 'True', reason: 'WaitsForRollout' });
  pods.clear();
  target = deployment(0);
  sizing.manage(reference, { ...state, replicas: 0 }, 'control');
  await clock.pass(0);
  expect(patched()).toEqual(['deployments/web']);
  expect(sent[0]?.body).toMatchObject({
    metadata: { resourceVersion: '7' },
    spec: {
      template: { spec: { containers: [{ name: 'main', resources: { requests: { cpu: expect.any(String) } } }] } },
    },
  });
});

it('waits for the next roll-out where the cluster cannot resize pods, and says so', async () => {
  isServed = false;
  start();
  await clock.pass(0);
  await told(2);
  expect(sent).toEqual([]);
  expect(condition()).toMatchObject({ status: 'False', reason: 'InPlaceNotServed' });
  expect(condition()?.message).toContain('the template: changed once there are no replicas');
});

it('leaves a pod alone that its node cannot give more, and one that waits for room', async () => {
  const pending = (reason: string) => ({ conditions: [{ type: 'PodResizePending', status: 'True', reason }] });
  pods.set('a', pod('a', { status: pending('Infeasible') }));
  pods.set('b', pod('b', { status: pending('Deferred') }));
  start();
  await clock.pass(0);
  await told(60);
  expect(sent).toEqual([]);
  expect(condition()).toMatchObject({ status: 'False', reason: 'WaitsForNode' });
  expect(condition()?.message).toMatch(
    /1 pod: waiting for room .*; 1 pod: asking for more than the node can ever give/,
  );
});

it('asks once where the API server refuses', async () => {
  answer = () => ({ status: 422, body: { message: 'the quota is used up' } });
  start();
  await clock.pass(0);
  await told(60);
  expect(patched().sort()).toEqual(['a/resize', 'b/resize']);
  expect(condition()).toMatchObject({
    reason: 'WaitsForNode',
    message: expect.stringContaining('(the quota is used up)'),
  });
  expect(log).toContain('a pod may not be resized');
});

it.each<[string, Partial<PodSizingOptions>, 'control' | 'advice', object]>([
  ['another one sizes it', { rivalOf: () => 'web-vpa' }, 'control', { status: 'False', reason: 'ScaleConflict' }],
  ['Ebb only advises', {}, 'advice', { status: 'True', reason: 'Recommended' }],
  ['its document says never', { sizingOf: () => sizingSpec('never') }, 'control', { reason: 'Recommended' }],
  ['another operator leads', { mayWrite: () => false }, 'control', {}],
])('writes nothing where %s', async (_name, more, mode, expected) => {
  Object.assign(options, more);
  target = deployment(0);
  start(mode);
  await clock.pass(0);
  await told(10);
  expect(sent).toEqual([]);
  expect(condition()).toMatchObject(expected);
});

it('leaves CPU alone where the workload is scaled by its share', async () => {
  options.scaledShares = () => ['cpu'];
  start();
  await clock.pass(0);
  await told();
  const body = sent[0]?.body as { spec: { containers: { resources: { requests: object } }[] } };
  expect(Object.keys(body.spec.containers[0]?.resources.requests ?? {})).toEqual(['memory']);
  expect(condition()?.message).toContain('cpu stays, as it is scaled by the share of that request');
});

it('says why nothing is measured', async () => {
  start();
  await clock.pass(0);
  sizing.take({ ...usage(), samples: { error: 'no metrics-server' } });
  expect(condition()).toMatchObject({ status: 'False', reason: 'NotMeasured', message: 'no metrics-server' });
});

it('counts a container that ran out of memory as a need of more', async () => {
  const finishedAt = new Date(nowMs + 1000).toISOString();
  const ended = { reason: 'OOMKilled', startedAt: new Date(nowMs - 30_000).toISOString(), finishedAt };
  const resources = { requests: { cpu: '350m', memory: '400Mi' }, limits: { memory: '400Mi' } };
  const status = { containerStatuses: [{ name: 'main', lastState: { terminated: ended } }] };
  pods = new Map([['a', pod('a', { resources, status })]]);
  start();
  await clock.pass(2000);
  await told(10);
  expect(sent).toHaveLength(1);
  // 400 MiB and a quarter more, with 15 % margin, and a limit in proportion.
  expect(JSON.stringify(sent[0]?.body)).toMatch(
    /"requests":\{"memory":"(5[5-9]|6\d)\dMi"\},"limits":\{"memory":"(5[5-9]|6\d)\dMi"\}/,
  );
});
