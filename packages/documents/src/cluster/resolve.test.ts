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
    provisioner: 'cloud',
    region: null,
    tokenSecretRef: null,
    nodeLimits: { nodes: null, cpuMilli: null, memoryBytes: null, gpuMilli: null },
    limits: {
      maxReplicas: null,
      capacity: { cpuMilli: null, memoryBytes: null, gpuMilli: null },
      maxPricePerHourMicro: null,
    },
    budget: null,
    namespaces: [],
    alarms: { idleCostAboveMicro: null, idleForMs: 3_600_000, webhook: null },
  });
  const text = document(
    'Cluster',
    `{ cloud: aws, region: eu-central-1, limits: { maxReplicas: 5, cpu: 1500m, memory: 4Gi, gpu: 2, maxPricePerHour: 2.5 },
      type: rehearsal, tokenSecretRef: { name: prod }, nodeLimits: { nodes: 40, cpu: 512, memory: 1Ti, gpu: 8 } }`,
  );
  expect(resolveCluster(first(text))).toMatchObject({
    cloud: 'aws',
    provisioner: 'cloud',
    region: 'eu-central-1',
    limits: {
      maxReplicas: 5,
      capacity: { cpuMilli: 1500, memoryBytes: 4_294_967_296, gpuMilli: 2000 },
      maxPricePerHourMicro: 2_500_000,
    },
    type: 'rehearsal',
    tokenSecretRef: { name: 'prod', key: 'token' },
    nodeLimits: { nodes: 40, cpuMilli: 512_000, memoryBytes: 2 ** 40, gpuMilli: 8000 },
  });
});

test('a token in the document is refused, and in no message', () => {
  for (const spec of ['{ token: hush-4711 }', '{ tokenSecretRef: hush-4711 }', '{ token: { value: hush-4711 }']) {
    const { documents, problems } = parseDocuments(document('Cluster', spec), { file: 'c.yaml' });
    expect(documents).toEqual([]);
    expect(problems.length).toBeGreaterThan(0);
    expect(JSON.stringify(problems.filter(({ path }) => path !== 'spec.tokenSecretRef'))).not.toContain('hush-4711');
  }
  expect(errorsOf(document('Cluster', '{ token: hush-4711 }'))[0]).toContain('did you mean "tokenSecretRef"?');
});

test('a NodePool: defaults, then everything in core units', () => {
  expect(resolveNodePool(first(document('NodePool', '{}')))).toEqual({
    key: { cluster: 'local', namespace: 'default', name: 'gpu' },
    labels: {},
    annotations: {},
    instanceTypes: [],
    capacityTypes: ['on-demand'],
    requirements: [],
    minNodes: 0,
    maxNodes: null,
    warmSpares: 0,
    weight: 0,
    limits: { cpuMilli: null, memoryBytes: null, gpuMilli: null },
    nodeLabels: {},
    taints: [],
    startupTaints: [],
    maxPods: null,
    reserved: { cpuMilli: 0, memoryBytes: 0 },
    consolidation: {
      policy: 'WhenEmptyOrUnderutilized',
      delayMs: 60_000,
      delayAfterScaleUpMs: 0,
      utilizationBelow: null,
      gpuUtilizationBelow: null,
    },
    disruptionBudgets: [{ nodes: { percent: 10 }, reasons: [], schedule: null, durationMs: null }],
    expireAfterMs: null,
    terminationGraceMs: null,
    startStages: { bootMs: 60_000, driverMs: 0, imageMs: 0, weightsMs: 0, totalMs: 60_000 },
    startTimeoutMs: 900_000,
    gpuSharing: { kind: 'none' },
    priceFactors: [],
    budget: { perHourMicro: null, perMonthMicro: null, currency: 'USD' },
    spot: null,
    machines: [],
    aws: null,
    gcp: null,
    azure: null,
    karpenter: null,
  });
  const text = document(
    'NodePool',
    `
  taints: [{ key: gpu, effect: NoSchedule }]
  startupTaints: [{ key: starting, effect: NoExecute }]
  requirements:
    - { key: kubernetes.io/arch, operator: In, values: [amd64], minValues: 1 }
    - { key: example.com/cores, operator: Gt, values: ["4"] }
  maxPods: 30
  reserved: { cpu: 400m, memory: 1Gi }
  consolidation: { policy: Never, delay: 5m, delayAfterScaleUp: 10m, utilizationBelow: 0.5 }
  disruptionBudgets: [{ nodes: 2, schedule: "0 9 * * *", duration: 8h, reasons: [Empty] }]
  expireAfter: 30d
  terminationGrace: 10m
  startStages: { boot: 50s, driver: 40s, image: 2m, weights: 90s, baked: [driver, image] }
  startTimeout: 20m
  gpuSharing: { type: timeSlicing, replicas: 4 }
  priceFactors:
    - { name: plan, factor: 0.6, instanceTypes: [g5.*], capacityTypes: [on-demand], commitmentPerHour: 4 }
    - { name: discount, factor: 0.9 }
  budget: { perMonth: 1200 }`,
  );
  expect(resolveNodePool(first(text))).toMatchObject({
    taints: [{ key: 'gpu', value: '', effect: 'NoSchedule' }],
    startupTaints: [{ key: 'starting', value: '', effect: 'NoExecute' }],
    requirements: [
      { key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'], minValues: 1 },
      { key: 'example.com/cores', operator: 'Gt', values: ['4'], minValues: null },
    ],
    maxPods: 30,
    reserved: { cpuMilli: 400, memoryBytes: 2 ** 30 },
    consolidation: { policy: 'Never', delayMs: 300_000, delayAfterScaleUpMs: 600_000, utilizationBelow: 0.5 },
    disruptionBudgets: [{ nodes: 2, reasons: ['Empty'], schedule: '0 9 * * *', durationMs: 28_800_000 }],
    expireAfterMs: 2_592_000_000,
    terminationGraceMs: 600_000,
    startStages: { bootMs: 50_000, driverMs: 0, imageMs: 0, weightsMs: 90_000, totalMs: 140_000 },
    startTimeoutMs: 1_200_000,
    gpuSharing: { kind: 'time-slicing', replicas: 4 },
    priceFactors: [
      {
        name: 'plan',
        factor: 0.6,
        instanceTypes: ['g5.*'],
        capacityTypes: ['on-demand'],
        commitmentPerHourMicro: 4_000_000,
      },
      { name: 'discount', factor: 0.9, instanceTypes: [], capacityTypes: [], commitmentPerHourMicro: null },
    ],
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
  [
    '{ requirements: [{ key: a, operator: in, values: [b] }] }',
    'c.yaml:4:44: error: spec.requirements[0].operator has the unknown value "in"\n  allowed: In, NotIn, Exists, DoesNotExist, Gt, Lt\n  did you mean "In"?',
  ],
  [
    '{ requirements: [{ key: a, operator: In }] }',
    'c.yaml:4:24: error: In needs at least one value, found none\n  allowed: values',
  ],
  [
    '{ requirements: [{ key: a, operator: Exists, values: [b] }] }',
    'c.yaml:4:60: error: Exists takes no values, found 1',
  ],
  [
    '{ requirements: [{ key: a, operator: Gt, values: ["1.5"] }] }',
    'c.yaml:4:56: error: Gt takes one whole number, found 1.5',
  ],
  [
    '{ requirements: [{ key: a, operator: In, values: [b], minValues: 2 }] }',
    'c.yaml:4:72: error: minValues 2 is more than the 1 values there are; values is at c.yaml:4:56',
  ],
  [
    '{ gpuSharing: { type: mig, replicas: 4 } }',
    'c.yaml:4:44: error: replicas belongs to timeSlicing and mps; the type is mig',
  ],
  [
    '{ priceFactors: [{ name: a, factor: 1 }, { name: a, factor: 2 }] }',
    'c.yaml:4:56: error: price factor "a" is there twice; name is at c.yaml:4:32',
  ],
])('%s', (spec, expected) => {
  expect(errorsOf(document('NodePool', spec))).toEqual([expected]);
});
