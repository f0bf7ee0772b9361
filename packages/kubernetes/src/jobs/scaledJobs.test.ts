import { MemoryStore } from '@ebb/testing';
import { until } from '@ebb/testing/services';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type JsonObject, listAt, numberAt, objectAt, textAt, textsAt } from '../client/values.ts';
import { deployment, type FakeCluster, startFakeCluster } from '../fake/fakeCluster.fixture.ts';
import { runOperator, scaledObject, type StartedOperator, ToldTriggers } from '../fake/operator.fixture.ts';

const collection = 'batch/v1/jobs';
const objects = 'keda.sh/v1alpha1/scaledjobs';
let cluster: FakeCluster;
let triggers: ToldTriggers;
const started: StartedOperator[] = [];

beforeEach(async () => {
  cluster = await startFakeCluster();
  triggers = new ToldTriggers();
});
afterEach(async () => {
  for (const one of started.splice(0)) await one.stop();
  await cluster.close();
});

async function run(identity = 'a', more: Partial<Parameters<typeof runOperator>[0]> = {}): Promise<StartedOperator> {
  const one = await runOperator({ server: cluster.server.url, identity, triggers, ...more });
  started.push(one);
  return one;
}
const within = (check: () => boolean, what: string) =>
  until(check, { withinMs: 5000, what: () => `${what}; ${started.map(({ log }) => log.join('\n')).join('\n')}` });

const podSpec = {
  initContainers: [
    { name: 'fetch', image: 'fetch:1' },
    { name: 'proxy', image: 'proxy:1', restartPolicy: 'Always' },
  ],
  containers: [{ name: 'encoder', image: 'encoder:1' }],
  volumes: [{ name: 'data', emptyDir: {} }],
};
const jobTargetRef = {
  parallelism: 2,
  completions: 2,
  backoffLimit: 4,
  activeDeadlineSeconds: 600,
  ttlSecondsAfterFinished: 3600,
  template: { metadata: { labels: { app: 'encoder' }, annotations: { note: 'x' } }, spec: podSpec },
};

/** The queue is told by ten messages a Job. */
function scaledJob(spec: JsonObject = {}, metadata: JsonObject = {}): JsonObject {
  return {
    metadata: {
      name: 'encoder',
      namespace: 'default',
      labels: { team: 'video', secret: 'yes' },
      ...metadata,
      annotations: {
        'ebb.dev/improvements': 'true',
        'scaledjob.keda.sh/job-excluded-labels': 'secret',
        ...objectAt(metadata, 'annotations'),
      },
    },
    spec: { jobTargetRef, triggers: [{ type: 'redis', metadata: { address: '127.0.0.1:1', listName: 'l' } }], ...spec },
  };
}

const jobs = () => cluster.server.list(collection);
const nameOf = (job: JsonObject) => textAt(job, 'metadata', 'name') ?? '';
const requests = (method: string) =>
  cluster.server.seen.filter((one) => one.method === method && /\/jobs(\/|$)/.test(one.path));
function condition(type: string): string {
  const all = listAt(cluster.server.get(objects, 'default', 'encoder'), 'status', 'conditions');
  const found = all.find((one) => textAt(one, 'type') === type);
  return `${textAt(found, 'status')} ${textAt(found, 'reason')}: ${textAt(found, 'message')}`;
}
/** What the Job controller writes when it has ended. */
function end(job: JsonObject, type: 'Complete' | 'Failed', atMs = Date.now()): void {
  const at = new Date(atMs).toISOString();
  const ended = { type, status: 'True', reason: 'BackoffLimitExceeded', lastTransitionTime: at };
  cluster.server.put(collection, { ...job, status: { completionTime: at, conditions: [ended] } });
}

it("makes Jobs of the whole template, with KEDA's labels and the ScaledJob as their owner", async () => {
  const object = cluster.server.put(objects, scaledJob());
  await (await run()).operator.ready;
  triggers.say('encoder', 50);
  await within(() => jobs().length === 5, 'five Jobs');
  triggers.say('encoder', 49);
  await within(() => condition('Active').startsWith('True'), 'the status');
  expect(requests('POST')).toHaveLength(5);
  const [job = {}] = jobs();
  expect(job.spec).toEqual({
    ...jobTargetRef,
    template: {
      metadata: { labels: { app: 'encoder', 'scaledjob.keda.sh/name': 'encoder' }, annotations: { note: 'x' } },
      spec: { ...podSpec, restartPolicy: 'OnFailure' },
    },
  });
  expect(textsAt(job, 'metadata', 'labels')).toEqual({
    team: 'video',
    'app.kubernetes.io/managed-by': 'ebb',
    'app.kubernetes.io/name': 'encoder',
    'app.kubernetes.io/part-of': 'encoder',
    'scaledjob.keda.sh/name': 'encoder',
  });
  const annotations = textsAt(job, 'metadata', 'annotations');
  expect(annotations).toMatchObject({ 'scaledjob.keda.sh/generation': '1', 'ebb.dev/run': nameOf(job) });
  expect(listAt(job, 'metadata', 'ownerReferences')[0]).toMatchObject({
    kind: 'ScaledJob',
    name: 'encoder',
    uid: textAt(object, 'metadata', 'uid'),
    controller: true,
  });
  expect(condition('Ready')).toContain('ScaledJobReady');
});

it('keeps the history that is asked for, and deletes the oldest with their pods', async () => {
  cluster.server.put(
    objects,
    scaledJob({ successfulJobsHistoryLimit: 2, failedJobsHistoryLimit: 1, pollingInterval: 1 }),
  );
  await (await run()).operator.ready;
  triggers.say('encoder', 60);
  await within(() => jobs().length === 6, 'six Jobs');
  triggers.say('encoder', 0);
  const all = jobs();
  for (const [index, job] of all.entries()) end(job, index < 4 ? 'Complete' : 'Failed', 1_000_000 + index * 1000);
  await within(() => jobs().length === 3, 'three kept');
  expect(jobs().map(nameOf).sort()).toEqual([all[2], all[3], all[5]].map((job) => nameOf(job ?? {})).sort());
  for (const { body } of requests('DELETE')) expect(textAt(body, 'propagationPolicy')).toBe('Background');
  await within(() => condition('Active').startsWith('False'), 'rest');
  expect(requests('POST')).toHaveLength(6);
});

it('counts and adopts what KEDA has made, also where that is pending by its conditions', async () => {
  const labels = { 'scaledjob.keda.sh/name': 'encoder' };
  const metadata = { namespace: 'default', labels, annotations: { 'scaledjob.keda.sh/generation': '1' } };
  for (const name of ['encoder-aaaaa', 'encoder-bbbbb']) {
    const job = cluster.server.put(collection, { metadata: { ...metadata, name }, spec: {} });
    const ownerReferences = [{ kind: 'Job', name, uid: textAt(job, 'metadata', 'uid') }];
    const conditions = [{ type: 'PodScheduled', status: 'True' }];
    cluster.server.put('v1/pods', {
      metadata: { namespace: 'default', name, labels, ownerReferences },
      status: { phase: name === 'encoder-aaaaa' ? 'Running' : 'Pending', conditions },
    });
  }
  cluster.server.put(collection, { metadata: { ...metadata, name: 'others', labels: {} }, spec: {} });
  cluster.server.put(objects, scaledJob());
  const { operator } = await run();
  await operator.ready;
  const status = () => operator.leading()?.engine.scaledJobs()[0]?.jobs;
  await within(() => status()?.running === 1 && status()?.waiting === 1, 'both are known');
  triggers.say('encoder', 50);
  await within(() => jobs().length === 6, 'three more');
  expect(requests('POST')).toHaveLength(3);
  // What was there is taken over; what KEDA makes from now on says that it is not switched off.
  expect(condition('Contested')).toBe('null null: null');
  const others = { ...labels, 'app.kubernetes.io/managed-by': 'keda-operator' };
  cluster.server.put(collection, { metadata: { ...metadata, name: 'encoder-ccccc', labels: others }, spec: {} });
  await within(() => condition('Contested').includes('keda-operator makes Jobs of it too'), 'the condition');
});

// With a store of the next leader's own: the test on the real API server.
it('leaves no Job out and makes none twice when the leader is killed in the middle', async () => {
  cluster.server.put(objects, scaledJob());
  const embedded = new MemoryStore();
  const first = await run('a', { embedded, leaseMs: 400 });
  await first.operator.ready;
  let served = 0;
  cluster.server.refuse = ({ method, path }) => {
    if (method !== 'POST' || !path.endsWith('/jobs')) return null;
    if (++served > 7) return null;
    if (served === 7) first.kill();
    // Some are made and the answer is lost, others are refused.
    return served % 3 === 0 ? 503 : null;
  };
  triggers.say('encoder', 200);
  await within(() => served >= 7, 'the kill');
  const second = await run('b', { embedded, leaseMs: 400 });
  await second.operator.ready;
  await within(() => jobs().length >= 20, 'twenty Jobs');
  const engine = () => second.operator.leading()?.engine.scaledJobs()[0]?.jobs;
  await within(() => engine()?.waiting === 20, 'all of them are known');
  triggers.say('encoder', 199);
  triggers.say('encoder', 200);
  await within(() => condition('Active').startsWith('True'), 'the status');
  expect(jobs()).toHaveLength(20);
});

it('replaces Jobs of an earlier document as the rollout says, also those of an earlier leader', async () => {
  const rollout = { strategy: 'immediate', propagationPolicy: 'foreground' };
  cluster.server.put(objects, scaledJob({ rollout }));
  const first = await run();
  await first.operator.ready;
  triggers.say('encoder', 20);
  await within(() => jobs().length === 2, 'two Jobs');
  triggers.say('encoder', 0);
  await first.operator.stop();
  cluster.server.put(objects, scaledJob({ rollout, maxReplicaCount: 7 }));
  await (await run('b')).operator.ready;
  await within(() => jobs().length === 0, 'no Job of the earlier one');
  for (const { body } of requests('DELETE')) expect(textAt(body, 'propagationPolicy')).toBe('Foreground');
});

it('is paused by its annotation, and deletes nothing when its ScaledJob goes', async () => {
  cluster.server.put(objects, scaledJob());
  await (await run()).operator.ready;
  triggers.say('encoder', 20);
  await within(() => jobs().length === 2, 'two Jobs');
  cluster.server.put(objects, scaledJob({}, { annotations: { 'autoscaling.keda.sh/paused': 'true' } }));
  await within(() => condition('Paused').startsWith('True'), 'paused');
  triggers.say('encoder', 90);
  await within(() => condition('Active').startsWith('True'), 'still read');
  cluster.server.remove(objects, 'default', 'encoder');
  const engine = () => started[0]?.operator.leading()?.engine.scaledJobs();
  await within(() => engine()?.length === 0, 'the engine to forget it');
  // The garbage collector does that, where it is asked for.
  expect(requests('DELETE')).toEqual([]);
  expect(jobs()).toHaveLength(2);
});

it('says what the server refuses, and goes on when it does not any more', async () => {
  cluster.server.put(objects, scaledJob({ pollingInterval: 1 }));
  cluster.server.refuse = ({ method, path }) => (method === 'POST' && path.endsWith('/jobs') ? 422 : null);
  await (await run()).operator.ready;
  triggers.say('encoder', 20);
  await within(() => condition('Ready').startsWith('False'), 'the refusal');
  expect(condition('Ready')).toBe('False JobNotStarted: refused by the test');
  cluster.server.refuse = () => null;
  await within(() => jobs().length === 2, 'two Jobs');
  await within(() => condition('Ready').startsWith('True'), 'all well');
});

it('makes no Job while Jobs may not be listed, and scales all the same', async () => {
  cluster.server.put(objects, scaledJob());
  cluster.server.put('apps/v1/deployments', deployment('web', 0));
  cluster.server.put('keda.sh/v1alpha1/scaledobjects', scaledObject('other'));
  cluster.server.refuse = ({ path }) => (path.endsWith('/batch/v1/jobs') ? 403 : null);
  await (await run()).operator.ready;
  triggers.say('encoder', 20);
  triggers.say('other', 20);
  const replicas = () => numberAt(cluster.server.get('apps/v1/deployments', 'default', 'web'), 'spec', 'replicas');
  await within(() => replicas() === 2, 'two replicas');
  cluster.server.put(objects, scaledJob({ maxReplicaCount: 3 }));
  await within(() => condition('Ready').startsWith('False JobsUnknown'), 'the condition');
  expect(condition('Ready')).toContain('rights on Jobs');
  expect(jobs()).toEqual([]);
});

it('names the flag that lets it read what a trigger names', async () => {
  const variable = { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'redis', key: 'password' } } };
  const template = { spec: { containers: [{ name: 'main', image: 'i', env: [variable] }] } };
  const metadata = { address: '127.0.0.1:1', listName: 'l', passwordFromEnv: 'PASSWORD' };
  const spec = { jobTargetRef: { template }, triggers: [{ type: 'redis', metadata }] };
  cluster.server.put(objects, scaledJob(spec));
  cluster.server.put('v1/secrets', { metadata: { name: 'redis', namespace: 'default' }, data: { password: 'cA==' } });
  cluster.server.refuse = ({ path }) => (path.endsWith('/secrets/redis') ? 403 : null);
  await (await run()).operator.ready;
  await within(() => condition('Ready').startsWith('False MissingPermission'), 'the condition');
  expect(condition('Ready')).toContain('--read-namespace default');
  cluster.server.refuse = () => null;
  cluster.server.put(objects, scaledJob({ ...spec, maxReplicaCount: 9 }));
  await within(() => condition('Ready').startsWith('True'), 'all well');
  expect(triggers.requests.at(-1)?.env).toEqual({ PASSWORD: 'p' });
});

it('knows every Job when it leads again: what ended before, while nobody led, and since', async () => {
  cluster.server.put(objects, scaledJob());
  const one = await run();
  await one.operator.ready;
  triggers.say('encoder', 90);
  await within(() => jobs().length === 9, 'nine Jobs');
  triggers.say('encoder', 0);
  const all = jobs();
  const succeeded = () => one.operator.leading()?.engine.scaledJobs()[0]?.jobs.succeeded;
  for (const job of all.slice(0, 3)) end(job, 'Complete');
  await within(() => succeeded() === 3, 'three known');
  cluster.server.refuse = ({ method, path }) => (method === 'PUT' && path.endsWith('/leases/ebb') ? 503 : null);
  await within(() => one.operator.leading() === null, 'the end of its lease');
  for (const job of all.slice(3, 6)) end(job, 'Complete');
  cluster.server.refuse = () => null;
  await within(() => succeeded() === 6, 'six known');
  for (const job of all.slice(6)) end(job, 'Complete');
  await within(() => succeeded() === 9, 'all known');
  expect(one.log.filter((line) => line.includes('this operator leads'))).toHaveLength(2);
  expect(requests('POST')).toHaveLength(9);
});
