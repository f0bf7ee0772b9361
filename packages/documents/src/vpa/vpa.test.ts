import { expect, test } from 'vitest';
import { parseDocuments } from '../parse/parseDocuments.ts';
import { problemText } from '../problem.ts';
import { resolveVpa } from './resolve.ts';

const vpa = (spec = '') => `apiVersion: autoscaling.k8s.io/v1
kind: VerticalPodAutoscaler
metadata: { name: library }
spec:
  targetRef: { apiVersion: apps/v1, kind: Deployment, name: library }
${spec.replace(/^/gm, '  ')}
`;
const read = (text: string) => parseDocuments(text, { file: 'v.yaml' });
const resolved = (text: string) => resolveVpa(read(text).documents[0]?.document);
const errorsOf = (text: string) =>
  read(text)
    .problems.filter(({ severity }) => severity === 'error')
    .map(problemText);
const policy = (fields: string) =>
  vpa(`resourcePolicy:\n  containerPolicies:\n    - { containerName: app, ${fields} }`);

test('what is left out: pods are recreated, everything is recommended', () => {
  expect(resolved(vpa())).toEqual({
    key: { cluster: 'local', namespace: 'default', name: 'library' },
    labels: {},
    annotations: {},
    target: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'library' },
    updateMode: 'Recreate',
    minReplicas: null,
    evictionRequirements: [],
    evictAfterOomMs: null,
    containerPolicies: [],
    recommender: null,
  });
});

test('everything at once, in the units of the core', () => {
  const text = vpa(`updatePolicy:
  updateMode: InPlaceOrRecreate
  minReplicas: 3
  evictAfterOOMSeconds: 120
  evictionRequirements: [{ resources: [memory], changeRequirement: TargetHigherThanRequests }]
recommenders: [{ name: nightly }]
resourcePolicy:
  containerPolicies:
    - containerName: app
      minAllowed: { cpu: 50m, memory: 64Mi }
      maxAllowed: { cpu: 2 }
      controlledResources: [memory]
      controlledValues: RequestsOnly
      oomBumpUpRatio: "1.5"
      oomMinBumpUp: 200Mi
      memoryAggregationIntervalSeconds: 3600
      memoryAggregationIntervalCount: 24
    - { containerName: "*", mode: "Off" }`);
  expect(errorsOf(text)).toEqual([]);
  expect(resolved(text)).toMatchObject({
    updateMode: 'InPlaceOrRecreate',
    minReplicas: 3,
    evictAfterOomMs: 120_000,
    evictionRequirements: [{ resources: ['memory'], changeRequirement: 'TargetHigherThanRequests' }],
    recommender: 'nightly',
    containerPolicies: [
      {
        container: 'app',
        mode: 'Auto',
        minAllowed: { cpuMilli: 50, memoryBytes: 67_108_864 },
        maxAllowed: { cpuMilli: 2000 },
        controlledResources: ['memory'],
        controlledValues: 'RequestsOnly',
        oomBumpRatio: 1.5,
        oomMinBumpBytes: 209_715_200,
        memoryWindowMs: 3_600_000,
        memoryWindowCount: 24,
      },
      { container: '*', mode: 'Off', controlledResources: ['cpu', 'memory'] },
    ],
  });
});

test('Auto is an older name of Recreate, v1beta2 an older version with the same fields', () => {
  const text = vpa('updatePolicy: { updateMode: Auto }').replace('k8s.io/v1', 'k8s.io/v1beta2');
  expect(read(text).problems.map(({ severity, code }) => [severity, code])).toEqual([
    ['warning', 'older-version'],
    ['warning', 'mode-not-available'],
  ]);
  expect(resolved(text).updateMode).toBe('Recreate');
});

test.each([
  [
    policy('minAllowed: { cpu: 2 }, maxAllowed: { cpu: 500m }'),
    'v.yaml:8:74: error: maxAllowed of cpu is less than minAllowed; cpu is at v.yaml:8:50',
  ],
  [
    policy('mode: "Off", controlledValues: RequestsOnly'),
    'v.yaml:8:62: error: controlledValues says nothing for a container whose mode is Off; mode is at v.yaml:8:37',
  ],
  [policy('oomBumpUpRatio: 0.5'), 'v.yaml:8:47: error: oomBumpUpRatio must be at least 1, found 0.5'],
  [
    policy('minAllowed: { memory: 100m }'),
    'v.yaml:8:53: error: spec.resourcePolicy.containerPolicies[0].minAllowed.memory: "100m" is not a whole number of bytes (m means thousandths)\n  did you mean "100Mi"?',
  ],
  [
    vpa('updatePolicy: { updateMode: InPlaceOrRecrate }'),
    'v.yaml:6:31: error: spec.updatePolicy.updateMode has the unknown value "InPlaceOrRecrate"\n  allowed: Off, Initial, Recreate, Auto, InPlaceOrRecreate, InPlace\n  did you mean "InPlaceOrRecreate"?',
  ],
  [
    vpa('updatePolicy: { minReplicas: 0 }'),
    'v.yaml:6:32: error: spec.updatePolicy.minReplicas must be at least 1, found 0',
  ],
  [
    vpa('recommenders: [{ name: a }, { name: b }]'),
    'v.yaml:6:17: error: spec.recommenders must have at most 1 elements, found 2',
  ],
  [
    vpa().replace('k8s.io/v1', 'k8s.io/v1beta1'),
    'v.yaml:1:13: error: autoscaling.k8s.io/v1beta1 named its pods by a selector and is gone; write autoscaling.k8s.io/v1 with a targetRef',
  ],
])('%s', (text, expected) => {
  expect(errorsOf(text)).toEqual([expected]);
});
