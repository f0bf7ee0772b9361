import type { DriverEvent, ReplicaObservation } from '@ebb/core';
import { until } from '@ebb/testing/services';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { KubernetesObject } from '../client/objects.ts';
import { resources } from '../client/resources.ts';
import { textAt } from '../client/values.ts';
import { deployment, type FakeCluster, startFakeCluster } from '../fake/fakeCluster.fixture.ts';
import { start, workload } from '../fake/webReplica.fixture.ts';
import { Informer } from '../informer/informer.ts';
import { KubernetesDriver } from './kubernetesDriver.ts';
import { plainTargetState } from './target.ts';

let cluster: FakeCluster;
let pods: Informer;
let targets: Informer;
let driver: KubernetesDriver;
let events: DriverEvent[];
let bound: Record<string, string>;
let leads: boolean;

beforeEach(async () => {
  cluster = await startFakeCluster();
  cluster.server.podsReadyAfterMs = 5;
  events = [];
  bound = {};
  leads = true;
});
afterEach(async () => {
  await driver.close();
  await pods.close();
  await targets.close();
  await cluster.close();
});

/** A driver of the Deployment or StatefulSet `web`, which is there already. */
async function open(kind: 'deployments' | 'statefulSets' = 'deployments'): Promise<void> {
  pods = new Informer({ client: cluster.client, resource: resources.pods, namespace: null }).start();
  targets = new Informer({ client: cluster.client, resource: resources[kind], namespace: null }).start();
  await Promise.all([pods.synced, targets.synced]);
  driver = new KubernetesDriver({
    client: cluster.client,
    clock: cluster.clock,
    pods,
    bindings: { idOf: (uid) => bound[uid] ?? null, changed: (_workload, read) => Object.assign(bound, read()) },
    adopted: { class: 'default', revision: 'target' },
    mayWrite: () => leads,
    log: () => {},
  });
  driver.watch((event) => events.push(event));
  const manage = (object: KubernetesObject) =>
    driver.manage(
      { workload, resource: resources[kind], namespace: object.namespace, name: object.name },
      plainTargetState(object),
    );
  for (const object of targets.list()) manage(object);
  targets.watch((event) => event.type === 'put' && manage(event.object));
}

const within = (check: () => boolean, what: string) =>
  until(check, {
    withinMs: 5000,
    what: () => `${what}; ${JSON.stringify(trail())} ${JSON.stringify(cluster.server.scales())}`,
  });
const seen = (id: string): ReplicaObservation[] =>
  events.flatMap((event) => (event.type === 'replica' && event.replica.id === id ? [event.replica] : []));
const phase = (id: string) => seen(id).at(-1)?.phase;
const trail = () =>
  events.map((event) => (event.type === 'replica' ? `${event.replica.id} ${event.replica.phase}` : ''));
const podNames = () =>
  cluster.server
    .list('v1/pods')
    .filter((pod) => textAt(pod, 'metadata', 'deletionTimestamp') === null)
    .map((pod) => textAt(pod, 'metadata', 'name'));
const present = () => driver.list().then((list) => list.map(({ id }) => id).sort());
const scales = () => cluster.server.scales().map(({ replicas }) => replicas);

it('makes one write of what is asked for in one turn, and binds the pods that come', async () => {
  cluster.server.put('apps/v1/deployments', deployment('web', 0));
  await open();
  await Promise.all(Array.from({ length: 10 }, (_, index) => driver.ensure(start(`r${index}`))));
  expect(scales()).toEqual([10]);
  await within(
    () => Array.from({ length: 10 }, (_, index) => phase(`r${index}`)).every((one) => one === 'ready'),
    'ten',
  );
  expect(seen('r0').at(-1)).toMatchObject({
    endpoint: { host: '10.0.0.1', port: 8080 },
    node: 'node-0',
    failure: null,
  });
  expect(new Set(trail().filter((line) => line.startsWith('r3 ')))).toEqual(new Set(['r3 starting', 'r3 ready']));
  await Promise.all([driver.ensure(start('r1')), driver.ensure(start('r2'))]);
  expect(scales()).toEqual([10]);
});

it('lowers the count for what is stopped, and the pod that was given up goes', async () => {
  cluster.server.put('apps/v1/deployments', deployment('web', 0));
  await open();
  await Promise.all(['a', 'b', 'c'].map((id) => driver.ensure(start(id))));
  await within(() => ['a', 'b', 'c'].every((id) => phase(id) === 'ready'), 'three');
  await driver.stop('b');
  expect(scales()).toEqual([3, 2]);
  await within(() => phase('b') === 'gone', 'the end of b');
  expect(await present()).toEqual(['a', 'c']);
  expect(trail().filter((line) => line === 'b gone')).toHaveLength(1);
  expect(['a', 'c'].map(phase)).toEqual(['ready', 'ready']);
  await Promise.all([driver.stop('a'), driver.stop('c'), driver.stop('never-seen')]);
  await within(() => phase('a') === 'gone' && phase('c') === 'gone', 'zero');
  expect(scales()).toEqual([3, 2, 0]);
  expect(podNames()).toEqual([]);
});

it('says which one really goes: a StatefulSet loses its highest ordinal', async () => {
  cluster.server.put('apps/v1/statefulsets', deployment('web', 0));
  await open('statefulSets');
  await Promise.all(['a', 'b', 'c'].map((id) => driver.ensure(start(id))));
  await within(() => ['a', 'b', 'c'].every((id) => phase(id) === 'ready'), 'three');
  await driver.stop('a');
  await within(() => phase('a') === 'gone', 'the end of a');
  await within(() => podNames().length === 2, 'two pods');
  expect(podNames()).toEqual(['web-0', 'web-1']);
  expect(await present()).toEqual(['b', 'c']);
  expect(['b', 'c'].map(phase)).toEqual(['ready', 'ready']);
  expect(scales()).toEqual([3, 2]);
});

it('replaces the pod where one is stopped and another one asked for at once', async () => {
  cluster.server.put('apps/v1/deployments', deployment('web', 0));
  await open();
  await Promise.all(['a', 'b'].map((id) => driver.ensure(start(id))));
  await within(() => ['a', 'b'].every((id) => phase(id) === 'ready'), 'two');
  await Promise.all([driver.stop('a'), driver.ensure(start('c'))]);
  await within(() => phase('a') === 'gone' && phase('c') === 'ready', 'c in the place of a');
  expect(scales()).toEqual([2]);
  expect(await present()).toEqual(['b', 'c']);
});

it('lists what runs after a restart: under the id it had, else under the name of its pod', async () => {
  cluster.server.put('apps/v1/deployments', deployment('web', 2));
  await within(() => podNames().length === 2, 'two pods');
  const [known] = cluster.server.list('v1/pods');
  bound[textAt(known, 'metadata', 'uid') ?? ''] = 'web-old';
  const other = podNames()[1];
  await open();
  await within(() => phase('web-old') === 'ready' && phase(other ?? '') === 'ready', 'both ready');
  expect(await present()).toEqual(expect.arrayContaining([other, 'web-old']));
  expect(await present()).toHaveLength(2);
  expect(scales()).toEqual([]);
});

it('keeps the place of a pod that others end: its replacement is bound, and the count stays', async () => {
  cluster.server.put('apps/v1/deployments', deployment('web', 0));
  await open();
  await Promise.all(['a', 'b'].map((id) => driver.ensure(start(id))));
  await within(() => ['a', 'b'].every((id) => phase(id) === 'ready'), 'two');
  let gone = '';
  // The engine answers in the same turn.
  driver.watch((event) => {
    if (event.type !== 'replica' || event.replica.phase !== 'stopping' || gone !== '') return;
    gone = event.replica.id;
    void driver.ensure(start('c'));
  });
  cluster.server.endPod('default', podNames()[0] ?? '');
  await within(() => phase('c') === 'ready' && phase(gone) === 'gone', 'another one in its place');
  expect(await present()).toEqual(['a', 'b', 'c'].filter((id) => id !== gone));
  expect(scales()).toEqual([2]);
});

it('takes in a pod that was there for the roll-out of the target, and leaves its surplus alone', async () => {
  cluster.server.podsReadyAfterMs = null;
  cluster.server.put('apps/v1/deployments', deployment('web', 1));
  const pod = (name: string) => {
    cluster.server.put('v1/pods', {
      metadata: { name, namespace: 'default', labels: { app: 'web' } },
      spec: { containers: [{ name: 'main' }] },
    });
    cluster.server.setReady('default', name, true);
  };
  pod('old');
  await open();
  pod('new');
  await within(() => pods.list().length === 2, 'the surplus to be seen');
  expect(await present()).toEqual(['old']);
  cluster.server.endPod('default', 'old');
  await within(() => phase('new') === 'ready' && phase('old') === 'gone', 'the change');
  expect(scales()).toEqual([]);
});

it('shows a change of the count by others, puts it right once and does not fight on', async () => {
  cluster.server.put('apps/v1/deployments', deployment('web', 0));
  await open();
  await Promise.all(['a', 'b'].map((id) => driver.ensure(start(id))));
  await within(() => ['a', 'b'].every((id) => phase(id) === 'ready'), 'two');
  const setByOthers = (replicas: number) => cluster.server.put('apps/v1/deployments', deployment('web', replicas));
  setByOthers(1);
  await within(() => driver.scaleOf(workload)?.external?.to === 1, 'the change');
  await within(() => trail().some((line) => line.endsWith('gone')), 'the end of one');
  await driver.ensure(start('c'));
  expect(scales()).toEqual([2, 2]);
  await within(() => phase('c') === 'ready', 'c');
  setByOthers(1);
  await within(() => trail().filter((line) => line.endsWith('gone')).length === 2, 'the end of another');
  await expect(driver.ensure(start('d'))).rejects.toThrow('others have set it from 2 to 1 again');
  expect(driver.scaleOf(workload)?.external).toMatchObject({ from: 2, to: 1, contested: true });
  expect(scales()).toEqual([2, 2]);
  // Something else is decided.
  await driver.ensure(start('e'));
  expect(scales()).toEqual([2, 2, 3]);
});

it('writes over a conflict, and never while another one leads', async () => {
  cluster.server.put('apps/v1/deployments', deployment('web', 0));
  await open();
  let conflicts = 2;
  cluster.server.refuse = ({ method, path }) =>
    method === 'PUT' && path.endsWith('/scale') && conflicts-- > 0 ? 409 : null;
  await driver.ensure(start('a'));
  expect(scales()).toEqual([1, 1, 1]);
  await within(() => phase('a') === 'ready', 'a');
  leads = false;
  await expect(driver.ensure(start('b'))).rejects.toMatchObject({ code: 'stale-epoch' });
  expect(scales()).toEqual([1, 1, 1]);
});

it('takes an answer that was lost for what it may be: nothing is written twice', async () => {
  cluster.server.put('apps/v1/deployments', deployment('web', 0));
  await open();
  cluster.server.refuse = ({ method, path }) => {
    if (method !== 'PUT' || !path.endsWith('/scale')) return null;
    cluster.server.refuse = () => null;
    // Taken, and the connection breaks before the answer.
    cluster.server.put('apps/v1/deployments', deployment('web', 2));
    cluster.server.cut();
    return 500;
  };
  const asked = Promise.allSettled([driver.ensure(start('a')), driver.ensure(start('b'))]);
  expect((await asked).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await within(() => phase('a') === 'ready' && phase('b') === 'ready', 'both');
  await Promise.all([driver.ensure(start('a')), driver.ensure(start('b'))]);
  expect(scales()).toEqual([2]);
  expect(driver.scaleOf(workload)).toEqual({ replicas: 2, external: null, refusal: null });
});

it('lets go of a target: nothing is written and its replicas are nobody else’s loss', async () => {
  cluster.server.put('apps/v1/deployments', deployment('web', 0));
  await open();
  await driver.ensure(start('a'));
  await within(() => phase('a') === 'ready', 'a');
  driver.release(workload);
  expect(trail().slice(-2)).toEqual(['a stopping', 'a gone']);
  await driver.stop('a');
  await expect(driver.ensure(start('b'))).rejects.toThrow('no scale target');
  expect(scales()).toEqual([1]);
});

it('shows an unready pod’s endpoint, so that what it still serves can be drained, and takes no time for later than now', async () => {
  cluster.server.podsReadyAfterMs = null;
  cluster.server.put('apps/v1/deployments', deployment('web', 1));
  const creationTimestamp = new Date(Date.now() + 86_400_000).toISOString();
  cluster.server.put('v1/pods', {
    metadata: { name: 'one', namespace: 'default', labels: { app: 'web' }, creationTimestamp },
    spec: { containers: [{ name: 'main', ports: [{ containerPort: 8080 }] }] },
  });
  cluster.server.setReady('default', 'one', true);
  await open();
  await within(() => phase('one') === 'ready', 'one');
  const [first] = seen('one');
  expect(first?.askedAtMs).toBeLessThanOrEqual(Date.now());
  expect(seen('one').at(-1)?.readyAtMs).toBeLessThanOrEqual(Date.now());
  cluster.server.setReady('default', 'one', false);
  await within(() => phase('one') === 'unready', 'unready');
  expect(seen('one').at(-1)?.endpoint).toEqual({ host: '10.0.0.1', port: 8080 });
});

it('shows why its pods are refused, as the target says it', async () => {
  cluster.server.put('apps/v1/deployments', deployment('web', 1));
  await open();
  const failure = { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'exceeded quota: few' };
  const saying = (conditions: unknown[]) => ({ ...deployment('web', 1), status: { conditions } });
  cluster.server.put('apps/v1/deployments', saying([{ ...failure, lastTransitionTime: '2026-11-23T12:00:00Z' }]));
  await within(() => driver.scaleOf(workload)?.refusal !== null, 'the refusal');
  const since = '2026-11-23T12:00:00Z';
  expect(driver.scaleOf(workload)?.refusal).toEqual({ reason: 'FailedCreate', message: 'exceeded quota: few', since });
  cluster.server.put('apps/v1/deployments', saying([{ ...failure, status: 'False' }]));
  await within(() => driver.scaleOf(workload)?.refusal === null, 'room again');
  expect(scales()).toEqual([]);
});
