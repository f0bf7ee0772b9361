import { expect, test } from 'vitest';
import { InvalidDocumentError } from '../invalidDocument.ts';
import { parseDocuments } from '../parse/parseDocuments.ts';
import { problemText } from '../problem.ts';
import { resolveHpa } from './resolve.ts';

const hpa = (spec: string) => `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: shop, namespace: store }
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: shop }
${spec.replace(/^/gm, '  ')}
`;
const read = (text: string) => parseDocuments(text, { file: 'h.yaml' });
const resolved = (text: string) => resolveHpa(read(text).documents[0]?.document);
const errorsOf = (text: string) =>
  read(text)
    .problems.filter(({ severity }) => severity === 'error')
    .map(problemText);
const external = 'metrics: [{ type: External, external: { metric: { name: q }, target: { type: Value, value: 5 } } }]';

test('what is left out is as in Kubernetes: one replica at least, CPU at 80 %, no behaviour', () => {
  expect(resolved(hpa('maxReplicas: 6'))).toEqual({
    key: { cluster: 'local', namespace: 'store', name: 'shop' },
    labels: {},
    annotations: {},
    target: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop' },
    minReplicas: 1,
    maxReplicas: 6,
    metrics: [{ type: 'Resource', name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } }],
    behavior: null,
  });
  expect(resolved(hpa('maxReplicas: 6\nmetrics: []\nbehavior: {}'))).toMatchObject({
    metrics: [{ name: 'cpu' }],
    behavior: null,
  });
});

test('every kind of metric, its quantities as thousandths', () => {
  const text = hpa(`maxReplicas: 20
metrics:
  - type: Resource
    resource: { name: memory, target: { type: AverageValue, averageValue: 1536Mi } }
  - type: ContainerResource
    containerResource: { name: cpu, container: app, target: { type: Utilization, averageUtilization: 55 } }
  - type: Pods
    pods: { metric: { name: packets_per_second }, target: { type: AverageValue, averageValue: "1.5k" } }
  - type: Object
    object:
      describedObject: { apiVersion: networking.k8s.io/v1, kind: Ingress, name: front }
      metric: { name: requests }
      target: { type: Value, value: 10k }
  - type: External
    external:
      metric: { name: backlog, selector: { matchLabels: { queue: orders } } }
      target: { type: AverageValue, averageValue: 100m }`);
  expect(resolved(text).metrics).toEqual([
    { type: 'Resource', name: 'memory', target: { type: 'AverageValue', averageValueMilli: 1_610_612_736_000 } },
    {
      type: 'ContainerResource',
      name: 'cpu',
      container: 'app',
      target: { type: 'Utilization', averageUtilization: 55 },
    },
    {
      type: 'Pods',
      name: 'packets_per_second',
      selector: null,
      target: { type: 'AverageValue', averageValueMilli: 1_500_000 },
    },
    {
      type: 'Object',
      name: 'requests',
      selector: null,
      describedObject: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'front' },
      target: { type: 'Value', valueMilli: 10_000_000 },
    },
    {
      type: 'External',
      name: 'backlog',
      selector: { matchLabels: { queue: 'orders' }, matchExpressions: [] },
      target: { type: 'AverageValue', averageValueMilli: 100 },
    },
  ]);
});

test('one side of behavior fills the other; policies replace the whole list', () => {
  const text = hpa(`maxReplicas: 20
behavior:
  scaleUp:
    tolerance: 50m
    policies: [{ type: Pods, value: 2, periodSeconds: 30 }]`);
  expect(resolved(text).behavior).toEqual({
    scaleUp: {
      stabilizationMs: 0,
      selectPolicy: 'Max',
      policies: [{ type: 'Pods', value: 2, periodMs: 30_000 }],
      tolerance: 0.05,
    },
    scaleDown: {
      stabilizationMs: null,
      selectPolicy: 'Max',
      policies: [{ type: 'Percent', value: 100, periodMs: 15_000 }],
      tolerance: null,
    },
  });
});

test('autoscaling/v1 becomes v2, said in a warning', () => {
  const text = `apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
metadata: { name: shop }
spec:
  scaleTargetRef: { kind: Deployment, name: shop }
  maxReplicas: 4
  targetCPUUtilizationPercentage: 65
`;
  const { documents, problems } = read(text);
  expect(problems.map(({ code, line }) => [code, line])).toEqual([
    ['older-version', 1],
    ['mode-not-available', 2],
  ]);
  expect(documents[0]?.document).toEqual({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'shop' },
    spec: {
      scaleTargetRef: { kind: 'Deployment', name: 'shop' },
      maxReplicas: 4,
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 65 } } },
      ],
    },
  });
});

test('a v1 export that hides metrics in an annotation is not read as if it had none', () => {
  const text = `apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
metadata:
  name: shop
  annotations: { autoscaling.alpha.kubernetes.io/metrics: '[{}]' }
spec: { scaleTargetRef: { kind: Deployment, name: shop }, maxReplicas: 4 }
`;
  expect(errorsOf(text)[0]).toContain('h.yaml:5:59: error: the annotation');
});

test.each(['autoscaling/v2beta1', 'autoscaling/v2beta2'])('%s is named as removed', (version) => {
  expect(errorsOf(hpa('maxReplicas: 2').replace('autoscaling/v2', version))).toEqual([
    `h.yaml:1:13: error: HorizontalPodAutoscaler ${version} was removed from Kubernetes (1.26); convert it to autoscaling/v2, as \`kubectl convert\` does`,
  ]);
});

test('another version of the group gets the nearest one', () => {
  expect(errorsOf(hpa('maxReplicas: 2').replace('autoscaling/v2', 'autoscaling/v3'))[0]).toContain(
    'did you mean "autoscaling/v2"?',
  );
});

test('an export of a cluster gives the same document as what was applied', () => {
  const exported = `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  creationTimestamp: null
  name: shop
  namespace: store
  uid: 2f9d
  resourceVersion: "88"
  managedFields: [{ manager: kubectl }]
  annotations: { kubectl.kubernetes.io/last-applied-configuration: "{}" }
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: shop }
  maxReplicas: 6
  behavior: null
status: { currentReplicas: 3, conditions: [] }
`;
  const { documents, problems } = read(exported);
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(documents[0]?.document).toEqual(read(hpa('maxReplicas: 6')).documents[0]?.document);
});

test('a target whose type and number differ is told, and the number counts', () => {
  const text = hpa(
    'maxReplicas: 3\nmetrics: [{ type: Resource, resource: { name: cpu, target: { type: Utilization, averageValue: 500m } } }]',
  );
  expect(read(text).problems.find(({ code }) => code === 'no-effect')?.path).toBe(
    'spec.metrics[0].resource.target.type',
  );
  expect(resolved(text).metrics[0]?.target).toEqual({ type: 'AverageValue', averageValueMilli: 500 });
});

const cpu = (target: string) =>
  `maxReplicas: 3\nmetrics:\n  - type: Resource\n    resource: { name: cpu, target: ${target} }`;
const up = (rules: string) => `maxReplicas: 3\nbehavior:\n  scaleUp: ${rules}`;

test.each([
  ['maxReplicas: 0', 'h.yaml:6:16: error: spec.maxReplicas must be at least 1, found 0'],
  [
    'minReplicas: 5\nmaxReplicas: 3',
    'h.yaml:7:16: error: maxReplicas 3 is less than minReplicas 5; minReplicas is at h.yaml:6:16',
  ],
  [
    'minReplicas: 0\nmaxReplicas: 3',
    'h.yaml:6:16: error: minReplicas 0 needs an Object or External metric, because at 0 there are no pods to measure anything of',
  ],
  [
    cpu('{ type: Utilization, averageUtilization: 0 }'),
    'h.yaml:9:79: error: spec.metrics[0].resource.target.averageUtilization must be at least 1, found 0',
  ],
  [
    cpu('{ type: AverageValue, averageValue: "0" }'),
    'h.yaml:9:74: error: spec.metrics[0].resource.target.averageValue: "0" must be more than 0',
  ],
  [
    cpu('{ type: Utilization }'),
    'h.yaml:9:38: error: the target needs averageUtilization or averageValue\n  allowed: averageUtilization, averageValue',
  ],
  [
    cpu('{ type: Utilization, averageUtilization: 50, averageValue: 1 }'),
    'h.yaml:9:97: error: a target has one number, not both averageUtilization and averageValue; averageUtilization is at h.yaml:9:79',
  ],
  [
    'maxReplicas: 3\nmetrics:\n  - type: Pods\n    resource: { name: cpu, target: { type: Utilization, averageUtilization: 50 } }',
    'h.yaml:9:17: error: a metric of type Pods is described in the field "pods", which is missing\n  allowed: pods',
  ],
  [
    'maxReplicas: 3\nmetrics: [{ type: resource }]',
    'h.yaml:7:21: error: spec.metrics[0].type has the unknown value "resource"\n  allowed: Resource, ContainerResource, Pods, Object, External\n  did you mean "Resource"?',
  ],
  [
    up('{ stabilizationWindowSeconds: 3601 }'),
    'h.yaml:8:44: error: spec.behavior.scaleUp.stabilizationWindowSeconds must be at most 3600, found 3601',
  ],
  [
    up('{ policies: [{ type: Pods, value: 0, periodSeconds: 15 }] }'),
    'h.yaml:8:48: error: spec.behavior.scaleUp.policies[0].value must be at least 1, found 0',
  ],
  [
    up('{ policies: [{ type: Pods, value: 1, periodSeconds: 1801 }] }'),
    'h.yaml:8:66: error: spec.behavior.scaleUp.policies[0].periodSeconds must be at most 1800, found 1801',
  ],
  [up('{ policies: [] }'), 'h.yaml:8:26: error: spec.behavior.scaleUp.policies must not be empty'],
  [up('{ tolerance: -0.1 }'), 'h.yaml:8:27: error: spec.behavior.scaleUp.tolerance: "-0.1" is negative'],
  [
    up('{ selectPolicy: Disable }'),
    'h.yaml:8:30: error: spec.behavior.scaleUp.selectPolicy has the unknown value "Disable"\n  allowed: Max, Min, Disabled\n  did you mean "Disabled"?',
  ],
])('%s', (spec, expected) => {
  expect(errorsOf(hpa(spec))).toEqual([expected]);
});

test('zero with an external metric is right', () => {
  expect(errorsOf(hpa(`minReplicas: 0\nmaxReplicas: 3\n${external}`))).toEqual([]);
});

test('resolving something wrong throws with every problem', () => {
  expect(() => resolveHpa({ kind: 'HorizontalPodAutoscaler' })).toThrow(InvalidDocumentError);
});
