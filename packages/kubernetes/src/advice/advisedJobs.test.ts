import type { DriverEvent, RunObservation, RunPhase } from '@ebb/core';
import { MemoryStore } from '@ebb/testing';
import { beforeEach, expect, it } from 'vitest';
import { type JsonObject, textAt } from '../client/values.ts';
import type { FakeCluster } from '../fake/fakeCluster.fixture.ts';
import { fakeOperators } from '../fake/fakeOperators.fixture.ts';
import type { ToldTriggers } from '../fake/operator.fixture.ts';
import { AdvisedJobs, type RunsPart } from './advisedJobs.ts';
import { readComparison } from './comparison.ts';

const owner = { cluster: 'local', namespace: 'default', name: 'encoder' };

/** Jobs that a test makes and ends. */
function realJobs() {
  const runs = new Map<string, RunObservation>();
  const listeners = new Set<(event: DriverEvent) => void>();
  const part: RunsPart = {
    runTemplate: () => Promise.reject(new Error('a Job was made')),
    stop: () => Promise.reject(new Error('a Job was deleted')),
    list: () => [...runs.values()],
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => {},
  };
  const say = (id: string, phase: RunPhase) => {
    const run: RunObservation = {
      ...{ id, owner, phase, pid: null, exitCode: null, message: '', failure: null, startedAtMs: 0, endedAtMs: null },
    };
    if (phase === 'gone') runs.delete(id);
    else runs.set(id, run);
    for (const listener of listeners) listener({ type: 'run', run });
  };
  return { part, say };
}

it('has one imagined Job stand for each real one, in order, until that one ends', async () => {
  const real = realJobs();
  const told: string[] = [];
  const jobs = new AdvisedJobs({ clock: { nowMs: () => 1 }, real: real.part, onChanged: () => {} });
  jobs.watch((event) => event.type === 'run' && told.push(`${event.run.id} ${event.run.phase}`));
  const ask = (id: string) =>
    jobs.runTemplate({
      id,
      document: {
        apiVersion: '',
        kind: '',
        key: owner,
        document: {},
        origin: null,
        generation: 1,
        resourceVersion: 1,
        createdAtMs: 0,
      },
    });
  const sides = () => {
    const found = jobs.sidesOf(owner);
    return found && [found.actual.live, found.advised.live, found.made.actual, found.made.advised];
  };
  real.say('old', 'running');
  expect(sides()).toBeNull();
  jobs.advise(owner);
  // What runs is taken as what would run, and made by nobody.
  expect(sides()).toEqual([1, 1, 0, 0]);
  await ask('a');
  await ask('b');
  await ask('b');
  expect(sides()).toEqual([1, 3, 0, 2]);
  real.say('x', 'starting');
  real.say('x', 'running');
  expect(sides()).toEqual([2, 3, 1, 2]);
  real.say('x', 'succeeded');
  real.say('old', 'failed');
  expect(sides()).toEqual([0, 1, 1, 2]);
  // Deleted before it was done: its work comes again, and so does a real Job.
  real.say('y', 'running');
  real.say('y', 'gone');
  expect(sides()).toEqual([0, 1, 2, 2]);
  real.say('z', 'failed');
  expect(sides()).toEqual([0, 0, 3, 2]);
  // Another one was quicker than Ebb.
  real.say('q', 'running');
  await ask('c');
  real.say('q', 'succeeded');
  expect(sides()).toEqual([0, 0, 4, 3]);
  // Work that somebody else has done.
  await ask('d');
  await ask('e');
  jobs.idle(owner, 1);
  expect(sides()).toEqual([0, 1, 4, 5]);
  await jobs.stop('a');
  told.length = 0;
  jobs.release(owner);
  expect(told.filter((one) => one.endsWith('gone')).sort()).toEqual(
    ['b gone', 'c gone', 'd gone', 'e gone', 'old gone'].sort(),
  );
  expect(told.slice(-3)).toEqual(['x succeeded', 'z failed', 'q succeeded']);
  expect(jobs.list().map(({ id }) => id)).toEqual(['old', 'x', 'z', 'q']);
  await expect(ask('f')).rejects.toThrow('a Job was made');
});

const collection = 'batch/v1/jobs';
const scaledJobs = 'keda.sh/v1alpha1/scaledjobs';
const operators = fakeOperators();
const { started, run, within } = operators;
let cluster: FakeCluster;
let triggers: ToldTriggers;
beforeEach(() => {
  ({ cluster, triggers } = operators);
});

function scaledJob(annotations: Record<string, string> = {}): JsonObject {
  return {
    metadata: {
      name: 'encoder',
      namespace: 'default',
      annotations: { 'ebb.dev/improvements': 'true', ...annotations },
    },
    spec: {
      jobTargetRef: { template: { spec: { containers: [{ name: 'encoder', image: 'encoder:1' }] } } },
      triggers: [{ type: 'redis', metadata: { address: '127.0.0.1:1', listName: 'l' } }],
    },
  };
}
/** As KEDA makes them. */
function kedaJob(name: string, conditions: JsonObject[] = []): void {
  const labels = { 'scaledjob.keda.sh/name': 'encoder', 'app.kubernetes.io/managed-by': 'keda-operator' };
  cluster.server.put(collection, {
    metadata: { name, namespace: 'default', labels },
    spec: {},
    status: { conditions },
  });
}
const complete = { type: 'Complete', status: 'True' };
const advice = () =>
  started
    .at(-1)
    ?.operator.leading()
    ?.advice()
    .find((one) => one.document === 'ScaledJob/encoder');
const writes = () =>
  cluster.server.seen
    .filter(({ method, path }) => method !== 'GET' && !path.includes('/leases') && !path.endsWith('/ebb-advice'))
    .map(({ method, path }) => `${method} ${path}`);

it('compares the Jobs that it would make with those that KEDA makes, and makes none', async () => {
  cluster.server.put(scaledJobs, scaledJob());
  kedaJob('keda-1');
  kedaJob('keda-2');
  const embedded = new MemoryStore();
  const first = await run({ mode: 'advice', embedded });
  triggers.say('encoder', 50);
  await within(() => advice()?.advised.wanted === 5, 'five Jobs of Ebb');
  expect(advice()).toMatchObject({ target: 'Job/encoder', actual: { wanted: 2 }, made: { actual: 0, advised: 3 } });
  expect(advice()?.because).toContain('queue 50 asks for');
  for (const name of ['keda-3', 'keda-4', 'keda-5']) kedaJob(name);
  await within(() => advice()?.actual.wanted === 5, 'five of KEDA');
  for (const name of ['keda-1', 'keda-2', 'keda-3', 'keda-4', 'keda-5']) kedaJob(name, [complete]);
  triggers.say('encoder', 0);
  await within(() => advice()?.advised.wanted === 0 && advice()?.actual.wanted === 0, 'all done');
  expect(advice()?.made).toEqual({ actual: 3, advised: 3 });
  expect(advice()?.actualTotals.shortMs).toBeGreaterThan(0);
  const text = () =>
    textAt(cluster.server.get('v1/configmaps', 'default', 'ebb-advice'), 'data', 'default._jobs.encoder');
  await within(() => readComparison(JSON.parse(text() ?? '{}'))?.made?.actual === 3, 'the ConfigMap');
  // Nobody makes Jobs for a while, and the source cannot be read: what would run goes on running.
  triggers.say('encoder', 20);
  await within(() => advice()?.advised.wanted === 2, 'two more');
  triggers.say('encoder', null);
  await within(
    () => JSON.stringify(first.operator.leading()?.engine.scaledJob(owner)).includes('is away'),
    'the failure',
  );
  expect(advice()).toMatchObject({ advised: { wanted: 2 }, made: { actual: 3, advised: 5 } });
  await first.stop();
  await run({ mode: 'advice', embedded });
  await within(() => (advice()?.made?.advised ?? 0) >= 5, 'what was counted before');
  expect(writes()).toEqual([]);
});

it('begins with the Jobs that are there when it is put in charge, and lets go of them again', async () => {
  cluster.server.put(scaledJobs, scaledJob());
  await run({ mode: 'advice' });
  triggers.say('encoder', 30);
  await within(() => advice()?.advised.wanted === 3, 'three imagined');
  kedaJob('keda-1');
  await within(() => advice()?.actual.wanted === 1, 'one of KEDA');
  const jobs = () => cluster.server.list(collection).length;
  cluster.server.put(scaledJobs, scaledJob({ 'ebb.dev/mode': 'control' }));
  await within(() => jobs() === 3, 'two made besides that of KEDA');
  expect(advice()).toBeUndefined();
  cluster.server.put(scaledJobs, scaledJob({ 'ebb.dev/mode': 'advice' }));
  await within(() => advice()?.actual.wanted === 3 && advice()?.advised.wanted === 3, 'advice again');
  triggers.say('encoder', 60);
  await within(() => advice()?.advised.wanted === 6, 'six advised');
  expect(jobs()).toBe(3);
  cluster.server.remove(scaledJobs, 'default', 'encoder');
  await within(() => advice() === undefined, 'to be forgotten');
});
