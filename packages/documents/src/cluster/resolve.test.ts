import { expect, test } from 'vitest';
import { resolveNodePool } from '../nodePool/resolve.ts';
import { parseDocuments } from '../parse/parseDocuments.ts';
import { problemText } from '../problem.ts';
import { resolveCluster } from './resolve.ts';

const document = (kind: string, spec: string) =>
  `apiVersion: ebb.dev/v1alpha1\nkind: ${kind}\nmetadata: { name: gpu }\nspec: ${spec}\n`;
const first = (text: string) => parseDocuments(text, { file: 'c.yaml' }).documents[0]?.document;
const errorsOf = (text: string) =>
  parseDocuments(text, { file: 'c.yaml' })
    .problems.filter(({ severity }) => severity === 'error')
    .map(problemText);

test('a Cluster: defaults, then limits in core units', () => {
  expect(resolveCluster({ apiVersion: 'ebb.dev/v1alpha1', kind: 'Cluster', metadata: { name: 'local' } })).toEqual({
    key: { cluster: 'local', namespace: 'default', name: 'local' },
    labels: {},
    annotations: {},
    type: 'local',
    cloud: 'local',
    region: null,
    limits: {
      maxReplicas: null,
      capacity: { cpuMilli: null, memoryBytes: null, gpuMilli: null },
      maxPricePerHourMicro: null,
    },
  });
  const text = document(
    'Cluster',
    '{ cloud: aws, region: eu-central-1, limits: { maxReplicas: 5, cpu: 1500m, memory: 4Gi, gpu: 2, maxPricePerHour: 2.5 } }',
  );
  expect(resolveCluster(first(text))).toMatchObject({
    cloud: 'aws',
    region: 'eu-central-1',
    limits: {
      maxReplicas: 5,
      capacity: { cpuMilli: 1500, memoryBytes: 4_294_967_296, gpuMilli: 2000 },
      maxPricePerHourMicro: 2_500_000,
    },
  });
});

test('a NodePool: defaults, then everything in core units', () => {
  expect(resolveNodePool(first(document('NodePool', '{}')))).toEqual({
    key: { cluster: 'local', namespace: 'default', name: 'gpu' },
    labels: {},
    annotations: {},
    instanceTypes: [],
    capacityTypes: ['on-demand'],
    minNodes: 0,
    maxNodes: null,
    warmSpares: 0,
    weight: 0,
    limits: { cpuMilli: null, memoryBytes: null, gpuMilli: null },
    nodeLabels: {},
    taints: [],
    consolidation: { policy: 'WhenEmptyOrUnderutilized', delayMs: 60_000 },
    disruptionBudgets: [{ nodes: { percent: 10 }, schedule: null, durationMs: null }],
    expireAfterMs: null,
    gpuSharing: 'none',
    budget: { perHourMicro: null, perMonthMicro: null, currency: 'USD' },
  });
  const text = document(
    'NodePool',
    `
  taints: [{ key: gpu, effect: NoSchedule }]
  consolidation: { policy: Never, delay: 5m }
  disruptionBudgets: [{ nodes: 2, schedule: "0 9 * * *", duration: 8h }]
  expireAfter: 30d
  budget: { perMonth: 1200 }`,
  );
  expect(resolveNodePool(first(text))).toMatchObject({
    taints: [{ key: 'gpu', value: '', effect: 'NoSchedule' }],
    consolidation: { policy: 'Never', delayMs: 300_000 },
    disruptionBudgets: [{ nodes: 2, schedule: '0 9 * * *', durationMs: 28_800_000 }],
    expireAfterMs: 2_592_000_000,
    budget: { perMonthMicro: 1_200_000_000 },
  });
});

test.each([
  [
    '{ minNodes: 3, maxNodes: 2 }',
    'c.yaml:4:19: error: minNodes 3 is larger than maxNodes 2; maxNodes is at c.yaml:4:32',
  ],
  [
    '{ warmSpares: 3, maxNodes: 2 }',
    'c.yaml:4:21: error: warmSpares 3 is larger than maxNodes 2; maxNodes is at c.yaml:4:34',
  ],
  [
    '{ disruptionBudgets: [{ nodes: 1, schedule: "0 9 * * *" }] }',
    'c.yaml:4:29: error: a budget in time needs both schedule and duration; duration is missing',
  ],
  [
    '{ disruptionBudgets: [{ nodes: 101% }] }',
    'c.yaml:4:38: error: spec.disruptionBudgets[0].nodes "101%" must be a number or a percentage, such as 10%',
  ],
  [
    '{ capacityTypes: [spt] }',
    'c.yaml:4:25: error: spec.capacityTypes[0] has the unknown value "spt"\n  allowed: on-demand, spot, reserved\n  did you mean "spot"?',
  ],
])('%s', (spec, expected) => {
  expect(errorsOf(document('NodePool', spec))).toEqual([expected]);
});
