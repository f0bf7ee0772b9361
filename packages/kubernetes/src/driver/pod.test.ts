import { expect, it } from 'vitest';
import { readObject } from '../client/objects.ts';
import { podView } from './pod.ts';

const yes = (type: string) => ({ type, status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' });

function view(status: object, spec: object = {}, metadata: object = {}) {
  const body = { metadata: { name: 'a', namespace: 'default', uid: 'u', ...metadata }, spec, status };
  const pod = readObject(body, { apiVersion: 'v1', kind: 'Pod' });
  if (!pod) throw new Error('no pod');
  return podView(pod);
}

it('is ready when the kubelet says so and every readiness gate is met', () => {
  const gated = { readinessGates: [{ conditionType: 'example.com/loaded' }] };
  expect(view({ conditions: [yes('Ready')] })).toMatchObject({ phase: 'ready', readyAtMs: 1_767_225_600_000 });
  expect(view({ conditions: [yes('Ready')] }, gated)).toMatchObject({
    phase: 'starting',
    readyAtMs: null,
    message: 'readiness gate example.com/loaded is not met',
  });
  expect(view({ conditions: [yes('Ready'), yes('example.com/loaded')] }, gated).phase).toBe('ready');
  expect(view({ conditions: [{ ...yes('Ready'), status: 'Unknown' }] }).phase).toBe('starting');
});

it('is on its way out once its deletion was asked for, whatever else is said', () => {
  const deleted = { deletionTimestamp: '2026-01-01T00:00:00Z' };
  expect(view({ phase: 'Running', conditions: [yes('Ready')] }, {}, deleted).phase).toBe('stopping');
});

it('says why it does not get ready, and why it has ended', () => {
  const waiting = { state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } }, restartCount: 3 };
  expect(view({ containerStatuses: [waiting] })).toMatchObject({
    phase: 'starting',
    message: 'ImagePullBackOff: no such image',
    restarts: 3,
  });
  const unscheduled = { type: 'PodScheduled', status: 'False', message: '0/3 nodes are available' };
  expect(view({ conditions: [unscheduled] }).message).toBe('0/3 nodes are available');
  expect(view({ phase: 'Failed', reason: 'Evicted', message: 'low on memory' })).toMatchObject({
    phase: 'failed',
    failure: 'evicted',
    message: 'Evicted: low on memory',
  });
});

it('is reached at the first port that a container names', () => {
  const containers = [{ name: 'sidecar' }, { name: 'main', ports: [{ containerPort: 8080 }, { containerPort: 9090 }] }];
  expect(view({ podIP: '10.0.0.7' }, { containers, nodeName: 'n1' })).toMatchObject({
    ip: '10.0.0.7',
    port: 8080,
    node: 'n1',
  });
});

const running = { state: { running: {} }, ready: true, restartCount: 0 };
const no = (type: string) => ({ ...yes(type), status: 'False' });

it('waits for init containers in their order, and names what they wait for', () => {
  const waiting = { name: 'fetch', state: { waiting: { reason: 'ErrImagePull' } }, restartCount: 0 };
  const main = { name: 'main', state: { waiting: { reason: 'PodInitializing' } }, restartCount: 0 };
  const status = { phase: 'Pending', conditions: [no('Initialized'), no('Ready')] };
  expect(view({ ...status, initContainerStatuses: [waiting], containerStatuses: [main] })).toMatchObject({
    phase: 'starting',
    message: 'ErrImagePull',
  });
  const loading = { name: 'fetch', state: { running: {} }, ready: false, restartCount: 0 };
  expect(view({ ...status, initContainerStatuses: [loading], containerStatuses: [main] })).toMatchObject({
    phase: 'starting',
    message: 'PodInitializing',
  });
});

it('is not ready before its native sidecars are, and counts their restarts', () => {
  const sidecar = { name: 'proxy', ...running, ready: false, restartCount: 2 };
  const spec = { initContainers: [{ name: 'proxy', restartPolicy: 'Always' }], containers: [{ name: 'main' }] };
  const main = { name: 'main', ...running };
  const status = { phase: 'Running', initContainerStatuses: [sidecar], containerStatuses: [main] };
  // The kubelet's condition has them: it is the one that counts.
  const unready = { ...status, conditions: [yes('Initialized'), no('ContainersReady'), no('Ready')] };
  expect(view(unready, spec)).toMatchObject({ phase: 'starting', restarts: 2, readyAtMs: null });
  expect(view({ ...status, conditions: [yes('Ready')] }, spec).phase).toBe('ready');
});

it('is reached at its own container, also where a native sidecar has a port', () => {
  const spec = {
    initContainers: [{ name: 'proxy', restartPolicy: 'Always', ports: [{ containerPort: 15001 }] }],
    containers: [{ name: 'main', ports: [{ containerPort: 8080 }] }],
  };
  expect(view({ phase: 'Running', podIP: '10.0.0.7' }, spec).port).toBe(8080);
});
