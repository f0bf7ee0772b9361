import { resolveWorkload, type WorkloadInput } from '@ebb/documents';
import { expect, test } from 'vitest';
import { defaultAibrixSettings } from './algorithms/aibrixApa.ts';
import { defaultClarifaiSettings } from './algorithms/clarifai.ts';
import { defaultKpaSettings } from './algorithms/kpaSettings.ts';
import { defaultKubeAiSettings } from './algorithms/kubeAi.ts';
import { defaultRaySettings } from './algorithms/rayServe.ts';
import { defaultSkySettings } from './algorithms/skyServe.ts';
import { decide } from './decide.ts';
import { decisionSpecOf } from './spec.ts';

type Scaling = NonNullable<WorkloadInput['spec']['scaling']>;

function specOf(scaling: Scaling, concurrency = 4) {
  const command = ['serve'];
  const document: WorkloadInput = {
    apiVersion: 'ebb.dev/v1alpha1',
    kind: 'Workload',
    metadata: { name: 'captions' },
    spec: {
      classes: [
        { name: 'large', command, concurrency, pricePerHour: 2 },
        { name: 'small', command, concurrency, pricePerHour: 1 },
      ],
      scaling: { maxReplicas: 8, ...scaling },
    },
  };
  return decisionSpecOf(resolveWorkload(document, { baseDirectory: '/' }));
}

const shared = { workload: 'local/default/captions', classes: ['small', 'large'] };
const bounds = { minReplicas: 0, maxReplicas: 8 };

test("Ebb's own policy when none is named, and while the workload is paused", () => {
  expect(specOf({})).toMatchObject({
    policy: 'priced',
    onTimeMs: 5000,
    classes: [{ name: 'small' }, { name: 'large' }],
  });
  expect(specOf({ paused: true })).toMatchObject({ policy: 'priced' });
  expect(specOf({ triggers: [{ type: 'concurrency', target: 1 }] })).toMatchObject({ policy: 'windows' });
  expect(specOf({ policy: { type: 'ray' }, paused: true })).toMatchObject({ policy: 'windows' });
});

test('a policy without fields has the defaults of its origin', () => {
  const kpa = { ...defaultKpaSettings, containerConcurrency: 4, minScale: 0, maxScale: 8 };
  expect(specOf({ policy: { type: 'knative' } })).toEqual({ ...kpa, ...shared, policy: 'kpa' });
  expect(specOf({ policy: { type: 'ray' } })).toEqual({
    ...defaultRaySettings,
    ...shared,
    ...bounds,
    initialReplicas: 0,
    policy: 'ray',
  });
  expect(specOf({ policy: { type: 'skyserve' } })).toEqual({
    ...defaultSkySettings,
    ...shared,
    ...bounds,
    policy: 'skyserve',
  });
  expect(specOf({ policy: { type: 'kubeai' } })).toEqual({
    ...defaultKubeAiSettings,
    ...shared,
    ...bounds,
    policy: 'kubeai',
  });
  expect(specOf({ policy: { type: 'aibrix' } })).toEqual({
    ...defaultAibrixSettings,
    ...shared,
    ...bounds,
    policy: 'aibrix',
  });
  expect(specOf({ policy: { type: 'clarifai' } })).toEqual({
    ...defaultClarifaiSettings,
    ...shared,
    ...bounds,
    concurrency: 4,
    policy: 'clarifai',
  });
});

test('a class without a limit: none for Knative, a guess where a number is needed', () => {
  expect(specOf({ policy: { type: 'knative' } }, 0)).toMatchObject({ containerConcurrency: 0 });
  expect(specOf({ policy: { type: 'clarifai' } }, 0)).toMatchObject({ concurrency: 10 });
});

test('triggers of the policy slo keep their kinds, names and steps', () => {
  const triggers: Extract<Scaling['policy'], { type: 'slo' }>['triggers'] = [
    { type: 'responseTime', above: '2s', below: '500ms', decrease: { replicas: 2 } },
    { type: 'queueWait', above: '100ms', window: '10s' },
    { type: 'throughput', name: 'pictures', above: 12.5, increase: { factor: 3 } },
  ];
  expect(specOf({ keepAlive: '5m', policy: { type: 'slo', startTime: '45s', triggers } })).toEqual({
    ...shared,
    ...bounds,
    policy: 'slo',
    startTimeMs: 45_000,
    keepAliveMs: 300_000,
    triggers: [
      {
        type: 'responseTime',
        name: 'responseTime',
        windowMs: 30_000,
        aboveMs: 2000,
        belowMs: 500,
        increase: { replicas: 1, factor: 2 },
        decrease: { replicas: 2, factor: 1 },
      },
      {
        type: 'queueWait',
        name: 'queueWait',
        windowMs: 10_000,
        aboveMs: 100,
        belowMs: null,
        increase: { replicas: 1, factor: 2 },
        decrease: { replicas: 1, factor: 1 },
      },
      {
        type: 'throughput',
        name: 'pictures',
        windowMs: 30_000,
        abovePerReplica: 12.5,
        belowPerReplica: null,
        increase: { replicas: 1, factor: 3 },
        decrease: { replicas: 1, factor: 1 },
      },
    ],
  });
});

test('the policy that is named decides: from zero Ray Serve starts one for a single request', () => {
  const counts = { ready: 0, starting: 0, draining: 0, failed: 0, inFlight: 0 };
  const { decision, memory } = decide(specOf({ policy: { type: 'ray', targetOngoingRequests: 1 } }), null, {
    nowMs: 1000,
    causes: ['request-held'],
    readings: [],
    classes: { small: { ...counts, held: 1 }, large: { ...counts, held: 0 } },
    lastActiveAtMs: 1000,
    countsKnown: true,
  });
  expect(memory.policy).toBe('ray');
  expect(decision).toMatchObject({ replicas: 1, classes: { small: 1 } });
});
