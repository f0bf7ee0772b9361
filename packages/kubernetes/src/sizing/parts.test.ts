import { expect, it, test } from 'vitest';
import { type KubernetesObject, readObject } from '../client/objects.ts';
import { resources } from '../client/resources.ts';
import { slimPod } from '../client/slim.ts';
import { scaledObject } from '../fake/operator.fixture.ts';
import { WantedReader } from '../operator/wanted.ts';
import { scaledShares } from './leadSizing.ts';
import { oomSamples } from './ooms.ts';
import { verticalAutoscalerOf } from './rivals.ts';
import { qosOf, sizablePod } from './sizedPod.ts';
import { targetTemplate } from './target.ts';
import { UsageMinutes } from './usageMinutes.ts';

const mib = 1024 * 1024;
const deployment = { resource: resources.deployments, namespace: 'shop', name: 'web' };

function read(kind: string, body: Record<string, unknown>, name = 'web'): KubernetesObject {
  const metadata = { name, namespace: 'shop', uid: name, generation: 3 };
  const object = readObject({ metadata, ...body }, { apiVersion: 'v1', kind });
  if (!object) throw new Error('no object');
  return object;
}

test.each([
  ['of the target', {}, 'vpa'],
  ['that recommends alone', { updatePolicy: { updateMode: 'Off' } }, null],
  ['that changes pods as they are made', { updatePolicy: { updateMode: 'Initial' } }, 'vpa'],
  ['of another kind', { targetRef: { kind: 'StatefulSet', name: 'web' } }, null],
  ['of another target', { targetRef: { kind: 'Deployment', name: 'api' } }, null],
])('a VerticalPodAutoscaler %s', (_name, more, expected) => {
  const spec = { targetRef: { kind: 'Deployment', name: 'web' }, ...more };
  const all = [read('VerticalPodAutoscaler', { spec }, 'vpa')];
  expect(verticalAutoscalerOf(all, deployment)).toBe(expected);
  expect(verticalAutoscalerOf(all, { ...deployment, namespace: 'other' })).toBeNull();
});

const template = { spec: { containers: [{ name: 'main' }] } };
const seen = { observedGeneration: 3, replicas: 2, updatedReplicas: 0 };
test.each([
  ['a Deployment that runs', 'Deployment', { replicas: 2 }, seen, { replicas: 2, isFree: false }],
  ['one at zero whose pods end', 'Deployment', { replicas: 0 }, seen, { replicas: 2, isFree: false }],
  ['one at zero', 'Deployment', { replicas: 0 }, {}, { replicas: 0, isFree: false }],
  ['one that says no count', 'Deployment', {}, {}, { replicas: 1, isFree: false }],
  ['one that stands still before a roll-out', 'Deployment', { replicas: 2, paused: true }, seen, { isFree: true }],
  ['one that just stands still', 'Deployment', { paused: true }, { ...seen, updatedReplicas: 2 }, { isFree: false }],
  ['one that is not seen yet', 'Deployment', { paused: true }, { ...seen, observedGeneration: 2 }, { isFree: false }],
  ['a StatefulSet', 'StatefulSet', { replicas: 2 }, seen, { isFree: false }],
  ['one that is replaced by hand', 'StatefulSet', { updateStrategy: { type: 'OnDelete' } }, seen, { isFree: true }],
])('the template of %s', (_name, kind, spec, status, expected) => {
  expect(targetTemplate(read(kind, { spec: { ...spec, template }, status }))).toMatchObject(expected);
});

test('a template of a kind that is not known is none', () => {
  expect(targetTemplate(read('Rollout', { spec: { template } })).containers).toBeNull();
});

test('a minute of samples is one: the mean of CPU, the most of memory, each sample once', () => {
  const minutes = new UsageMinutes();
  const startMs = 1_800_000_000_000;
  const at = (seconds: number, cpu: number, memory: number) => ({
    ...{ name: 'a', atMs: startMs + seconds * 1000, windowMs: 15_000 },
    containers: [
      { name: 'main', usage: { cpu, memory: memory * mib * 1000 } },
      { name: 'mesh', usage: { cpu: 9000, memory: 0 } },
    ],
  });
  const own = new Set(['main']);
  expect(minutes.take([at(0, 100, 10)], own)).toEqual([]);
  expect(minutes.take([at(0, 100, 10), at(15, 300, 50)], own)).toEqual([]);
  expect(minutes.take([at(30, 200, 20)], own)).toEqual([]);
  expect(minutes.latest('a', 'main')).toEqual({ cpuMilli: 200, memoryBytes: 20 * mib });
  expect(minutes.take([at(60, 700, 70)], own)).toEqual([
    {
      ...{ type: 'usage', container: 'main', replica: 'a', atMs: startMs + 30_000 },
      ...{ cpuMilli: 200, memoryBytes: 50 * mib },
    },
  ]);
  expect(minutes.latest('a', 'mesh')).toBeNull();
  minutes.keep(new Set());
  expect(minutes.latest('a', 'main')).toBeNull();
});

const terminated = { reason: 'OOMKilled', startedAt: '2026-11-23T10:00:00Z', finishedAt: '2026-11-23T10:05:00Z' };
const ended = (lastState: object) => ({
  spec: { containers: [{ name: 'main', resources: { limits: { memory: '1Gi' } } }] },
  status: { phase: 'Running', containerStatuses: [{ name: 'main', lastState }] },
});

it('sees in what is kept of a pod that a container ran out of memory, once', () => {
  const pod = sizablePod(slimPod(read('Pod', ended({ terminated }), 'a')));
  const sized = new Set(['main']);
  const { samples, latestMs } = oomSamples(pod, sized, 0);
  expect(samples).toEqual([
    { type: 'oom', container: 'main', replica: 'a', atMs: Date.parse(terminated.finishedAt), requestBytes: 1024 * mib },
  ]);
  expect(oomSamples(pod, sized, latestMs).samples).toEqual([]);
  const other = slimPod(read('Pod', ended({ terminated: { ...terminated, reason: 'Error' } }), 'a'));
  expect(oomSamples(sizablePod(other), sized, 0).samples).toEqual([]);
  expect(JSON.stringify(other.body)).not.toContain('terminated');
});

it.each([
  ['PodResizePending', 'Infeasible', 'infeasible'],
  ['PodResizePending', 'Deferred', 'deferred'],
  ['PodResizeInProgress', '', 'resizing'],
])('reads the condition %s %s', (type, reason, status) => {
  const conditions = [{ type, reason, status: 'True', message: 'so it is' }];
  expect(sizablePod(read('Pod', { spec: {}, status: { conditions } })).resize).toEqual({ status, message: 'so it is' });
  const past = [{ type, reason, status: 'False' }];
  expect(sizablePod(read('Pod', { spec: {}, status: { conditions: past } })).resize).toBeNull();
});

it.each([
  ['Guaranteed', [{ requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1', memory: '1Gi' } }]],
  ['Guaranteed', [{ limits: { cpu: '1', memory: '1Gi' } }]],
  ['Burstable', [{ limits: { cpu: '1' } }]],
  ['Burstable', [{ limits: { cpu: '1', memory: '1Gi' } }, {}]],
  ['BestEffort', [{ limits: { 'nvidia.com/gpu': 1 } }]],
])('classes a pod as the API server does: %s', (expected, all) => {
  const containers = all.map((one, index) => ({ name: `c${index}`, resources: one }));
  expect(qosOf(sizablePod(read('Pod', { spec: { containers } })).containers)).toBe(expected);
});

it.each([
  [[{ type: 'cpu', metricType: 'Utilization', metadata: { value: '70' } }], ['cpu']],
  [[{ type: 'memory', metricType: 'AverageValue', metadata: { value: '1Gi' } }], []],
  [[{ type: 'redis', metadata: { address: 'a:1', listName: 'l', listLength: '1' } }], []],
])('knows what the workload is scaled by as a share of its requests: %j', (triggers, expected) => {
  const body = { apiVersion: 'keda.sh/v1alpha1', ...scaledObject('web', { spec: { triggers, minReplicaCount: 1 } }) };
  const object = read('ScaledObject', body);
  const reader = new WantedReader({} as never, {} as never);
  const specOf = (of: KubernetesObject) => reader.specOf(of);
  const workload = { cluster: 'local', namespace: 'shop', name: 'web' };
  expect(scaledShares({ claimsOf: () => [object], specOf }, workload)).toEqual(expected);
});
