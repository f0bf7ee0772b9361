import { parseDocuments, resolveCluster, resolveNodePool, resolveWorkload } from '@ebb/documents';
import { expect, test } from 'vitest';
import { checkPlan } from '../placement/checkPlan.ts';
import { greedyPlan } from '../placement/plan.ts';
import type { PlacementPod } from '../placement/types.ts';
import type { InstanceType, Offering } from '../types.ts';
import { placementInputOf } from './placementInputOf.ts';
import type { PlacementQuestion } from './question.ts';

const gib = 2 ** 30;

function machine(name: string, cores: number, change: Partial<InstanceType> = {}): InstanceType {
  const labels = { 'kubernetes.io/arch': change.architecture ?? 'amd64', 'node.kubernetes.io/instance-type': name };
  const gpuLabels: Record<string, string> = change.gpu
    ? { 'ebb.dev/gpu-model': change.gpu.model, 'ebb.dev/gpu-vendor': change.gpu.vendor }
    : {};
  return {
    ...{ name, cloud: 'aws', architecture: 'amd64', cpuMilli: cores * 1000, memoryBytes: cores * 4 * gib, gpu: null },
    ...{ maxPods: 110, labels: { ...labels, ...gpuLabels } },
    ...change,
  };
}

const gpu = { vendor: 'nvidia' as const, model: 'L4', count: 1, memoryBytes: 24 * gib };

function offering(instanceType: InstanceType, price: number, change: Partial<Offering> = {}): Offering {
  const { region = 'us-east-1', zone = '*', capacityType = 'on-demand' } = change;
  const id = `${instanceType.cloud}/${region}/${zone}/${instanceType.name}/${capacityType}`;
  return { id, instanceType, region, zone, capacityType, pricePerHourMicro: price * 1e6 };
}

const small = machine('m7.large', 2);
const offerings = [
  offering(small, 0.1),
  offering(small, 0.04, { capacityType: 'spot' }),
  offering(small, 0.05, { capacityType: 'reserved' }),
  offering(small, 0.12, { region: 'eu-west-1' }),
  offering(machine('m7.2xlarge', 8), 0.4),
  offering(machine('m7g.large', 2, { architecture: 'arm64' }), 0.08),
  offering(machine('g6.xlarge', 4, { gpu }), 0.8),
  offering(machine('inf2.xlarge', 4, { gpu: { ...gpu, vendor: 'aws', model: 'Inferentia2' } }), 0.7),
  offering(machine('e2', 2, { cloud: 'gcp' }), 0.05, { region: 'us-east1' }),
];

const workload = (name: string, spec: string) =>
  `apiVersion: ebb.dev/v1alpha1\nkind: Workload\nmetadata: { name: ${name} }\nspec:\n  ${spec}\n`;
const plain = 'classes: [{ command: [x], resources: { requests: { cpu: 500m, memory: 1Gi } } }]';
const pool = (name: string, spec: string) =>
  `apiVersion: ebb.dev/v1alpha1\nkind: NodePool\nmetadata: { name: ${name} }\nspec: ${spec}\n`;
const cluster = (spec: string, name = 'local') =>
  `apiVersion: ebb.dev/v1alpha1\nkind: Cluster\nmetadata: { name: ${name} }\nspec: ${spec}\n`;

function ask(documents: string[], change: Partial<PlacementQuestion> = {}) {
  const { documents: parsed, problems } = parseDocuments(documents.join('---\n'), { file: 'd.yaml' });
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  const of = (kind: string) => parsed.filter((one) => one.kind === kind).map(({ document }) => document);
  return placementInputOf({
    workloads: of('Workload').map((one) => resolveWorkload(one, { baseDirectory: '/' })),
    pools: of('NodePool').map((one) => resolveNodePool(one)),
    clusters: of('Cluster').map((one) => resolveCluster(one)),
    ...{ offerings, currency: 'USD', replicas: new Map(), cloud: 'aws', region: 'us-east-1' },
    ...change,
  });
}

const podOf = (answer: ReturnType<typeof ask>): PlacementPod => {
  const [first] = answer.input.pods;
  if (!first) throw new Error('there is no pod');
  return first;
};
const idsOf = (answer: ReturnType<typeof ask>, index = 0) =>
  answer.input.pools[index]?.offerings.map(({ offering: { id } }) => id);

test('without a NodePool the region is one pool: on demand and spot, of machines that most programs run on', () => {
  const answer = ask([workload('web', plain)]);
  expect(answer.problems).toEqual([]);
  expect(answer.input.pools.map(({ name, sharing }) => [name, sharing.kind])).toEqual([['catalogue', 'none']]);
  expect(idsOf(answer)).toEqual([
    'aws/us-east-1/*/m7.large/on-demand',
    'aws/us-east-1/*/m7.large/spot',
    'aws/us-east-1/*/m7.2xlarge/on-demand',
    'aws/us-east-1/*/g6.xlarge/on-demand',
  ]);
  expect(answer.notes.join()).toContain('amd64');
});

test('a replica that speaks of architecture or vendor opens the other machines', () => {
  const spec = `${plain}\n  placement: { nodeSelector: { kubernetes.io/arch: arm64 } }`;
  const answer = ask([workload('web', spec)]);
  expect(idsOf(answer)).toContain('aws/us-east-1/*/m7g.large/on-demand');
  expect(idsOf(answer)?.join()).not.toContain('inf2');
  expect(greedyPlan(answer.input).buy.map(({ offering: id }) => id)).toEqual(['aws/us-east-1/*/m7g.large/on-demand']);
});

test('shares and MIG instances of GPUs get pools whose GPUs are shared so', () => {
  const share = 'classes: [{ command: [x], resources: { requests: { cpu: 1, gpu: 0.5 } } }]';
  const mig = 'classes: [{ command: [x], resources: { requests: { cpu: 1, gpuProfile: 1g.10gb } } }]';
  expect(ask([workload('a', share)]).input.pools.map(({ sharing }) => sharing.kind)).toEqual(['fraction']);
  const both = ask([workload('a', share), workload('b', mig)]).input.pools;
  expect(both.map(({ name, sharing }) => [name, sharing.kind])).toEqual([
    ['catalogue', 'fraction'],
    ['catalogue-mig', 'mig'],
  ]);
});

test('how many replicas: minReplicas, at least one, or what is asked for by name and class', () => {
  const two =
    'classes: [{ name: small, command: [x] }, { name: large, command: [x] }]\n  scaling: { minReplicas: 3, maxReplicas: 9 }';
  const documents = [workload('web', plain), workload('llm', two)];
  const counts = (replicas: Record<string, number>) =>
    ask(documents, { replicas: new Map(Object.entries(replicas)) }).groups.map(({ name, ids }) => [name, ids.length]);
  expect(counts({})).toEqual([['web', 1], ['llm:small', 3]]); // biome-ignore format: pairs
  expect(counts({ web: 5, 'default/llm:large': 2 })).toEqual([['web', 5], ['llm:large', 2]]); // biome-ignore format: pairs
  expect(counts({ web: 0, llm: 1, 'llm:large': 2 })).toEqual([['llm:small', 1], ['llm:large', 2]]); // biome-ignore format: pairs
  expect(ask(documents).notes).toContain('llm: all replicas are of class small; --replicas llm:large=N adds others');
  expect(ask(documents, { replicas: new Map([['wbe', 1]]) }).problems).toEqual([
    '--replicas: no Workload or class is "wbe"; did you mean "web"?',
  ]);
  expect(ask(documents, { replicas: new Map([['web', 200_000]]) }).problems.join()).toContain('at most 100000');
});

test('a NodePool in core words: what it buys, keeps, shares, and may cost', () => {
  const answer = ask([
    workload('web', plain),
    cluster('{ cloud: aws, region: us-east-1, nodeLimits: { nodes: 9, gpu: 2 } }'),
    pool(
      'own',
      `
  instanceTypes: [m7.large, m7.2xlarge]
  capacityTypes: [spot, on-demand]
  requirements: [{ key: topology.kubernetes.io/zone, operator: In, values: [us-east-1a] }, { key: team, operator: In, values: [a] }]
  taints: [{ key: t, effect: NoSchedule }]
  labels: { tier: x }
  maxNodes: 4
  maxPods: 12
  limits: { cpu: 64, memory: 100Gi, gpu: 2 }
  reserved: { cpu: 200m, memory: 1Gi }
  startStages: { boot: 50s, image: 10s }
  gpuSharing: { type: mps, replicas: 3 }
  priceFactors: [{ name: plan, factor: 0.5, instanceTypes: ['m7.2*'] }, { name: all, factor: 0.9, capacityTypes: [on-demand] }]
  budget: { perHour: 3, perMonth: 730 }`,
    ),
  ]);
  expect(answer.problems).toEqual([]);
  const [own] = answer.input.pools;
  expect(own).toMatchObject({
    ...{ name: 'own', cluster: 'local', labels: { team: 'a', tier: 'x' }, startMs: 60_000 },
    taints: [{ key: 't', value: '', effect: 'NoSchedule' }],
    sharing: { kind: 'mps', replicas: 3 },
    reserve: { cpuMilli: 200, memoryBytes: gib, memoryShare: 0, pods: 0 },
    limits: { nodes: 4, cpuMilli: 64_000, memoryBytes: 100 * gib, gpus: 2, pricePerHourMicro: 1_000_000 },
  });
  expect(own?.offerings.map(({ offering: one }) => [one.id, one.pricePerHourMicro, one.instanceType.maxPods])).toEqual([
    ['aws/us-east-1/us-east-1a/m7.large/on-demand', 90_000, 12],
    ['aws/us-east-1/us-east-1a/m7.large/spot', 40_000, 12],
    ['aws/us-east-1/us-east-1a/m7.2xlarge/on-demand', 200_000, 12],
  ]);
  expect(answer.input.settings.limits).toMatchObject({ nodes: 9, gpus: 2, cpuMilli: null });
});

test('a placement in core words', () => {
  const spec = `${plain}
  interruption: allowed
  priority: 7
  placement:
    regions: [us-east-1]
    pools: [{ name: a, priority: 10 }, { name: b, priority: 4 }, c]
    nodeSelector: { team: x }
    tolerations: [{ key: t, operator: Exists }]
    instances: { order: spotFirst, gpuNeeded: true }
    spread:
      - { by: zone, maxSkew: 1, required: true }
      - { by: node, max: 2, required: true }
      - { by: region, maxSkew: 1 }`;
  const answer = ask([
    workload('web', spec),
    ...['a', 'b', 'c'].map((name) => pool(name, '{ instanceTypes: [m7.large] }')),
  ]);
  expect(podOf(answer)).toMatchObject({
    ...{ id: 'web/0', workload: 'web', cpuMilli: 500, memoryBytes: gib, gpu: null, priority: 7, interruptible: true },
    ...{ clusters: null, regions: ['us-east-1'], pools: ['a', 'b', 'c'] },
    requirements: [
      { key: 'team', operator: 'In', values: ['x'] },
      { key: 'ebb.dev/gpu-model', operator: 'Exists', values: [] },
    ],
    preferred: [
      { weight: 100, requirements: [{ key: 'ebb.dev/capacity-type', operator: 'In', values: ['spot'] }] },
      { weight: 6, requirements: [{ key: 'ebb.dev/pool', operator: 'In', values: ['a'] }] },
      { weight: 4, requirements: [{ key: 'ebb.dev/pool', operator: 'In', values: ['a', 'b'] }] },
    ],
    tolerations: [{ key: 't', operator: 'Exists', value: '', effect: null }],
    spread: [
      { topology: 'zone', maxSkew: 1, selector: { 'ebb.dev/workload': 'web' } },
      { topology: 'hostname', maxSkew: 2, selector: { 'ebb.dev/workload': 'web' } },
    ],
  });
  expect(answer.notes.join('\n')).toContain('web: the spread by region is a wish');
  expect(idsOf(answer)).toEqual(['a', 'b', 'c'].map((zone) => `aws/us-east-1/us-east-1${zone}/m7.large/on-demand`));
});

test('a spread over zones is kept over the zones that are taken to be there', () => {
  const spec = `${plain}\n  placement: { spread: [{ by: zone, maxSkew: 1, required: true }] }`;
  const { input, notes } = ask([workload('web', spec)], { replicas: new Map([['web', 6]]) });
  expect(notes.join('\n')).toContain('zones of aws us-east-1 are taken to be us-east-1a, us-east-1b, us-east-1c');
  const found = greedyPlan(input);
  expect(checkPlan(input, found)).toEqual([]);
  const perZone = Map.groupBy(found.buy, ({ zone }) => zone);
  expect([...perZone.values()].map((nodes) => nodes.flatMap(({ pods }) => pods).length)).toEqual([2, 2, 2]);
});

test('workloads stay in their cluster; pools of one name are told apart', () => {
  const documents = [
    workload('web', plain),
    workload('far', `cluster: eu\n  ${plain}`),
    cluster('{ cloud: aws, region: us-east-1 }'),
    cluster('{ type: kubernetes, cloud: aws, region: eu-west-1 }', 'eu'),
    pool('p', '{ instanceTypes: [m7.large] }'),
    pool('p', '{ cluster: eu, instanceTypes: [m7.large] }'),
  ];
  const { input, problems } = ask(documents, { cloud: null, region: null });
  expect(problems).toEqual([]);
  expect(input.pods.map(({ workload: name, clusters }) => [name, clusters])).toEqual([
    ['web', ['local']],
    ['far', ['eu']],
  ]);
  const found = greedyPlan(input);
  expect(found.unplaceable).toEqual([]);
  const prices = Object.fromEntries(found.buy.map(({ pool: name, pricePerHourMicro }) => [name, pricePerHourMicro]));
  expect(prices).toEqual({ 'eu/p': 120_000, 'local/p': 100_000 });
});

test.each([
  [[], { cloud: null }, 'cluster local is in no cloud'],
  [[], { cloud: 'awz' }, 'has no cloud "awz"; did you mean "aws"?'],
  [[], { region: null }, 'cluster local has no region'],
  [[], { region: 'us-east-2' }, 'has no region "us-east-2" of aws; did you mean "us-east-1"?'],
  [[pool('p', '{ instanceTypes: [m7.lrge] }')], {}, 'no machine "m7.lrge" of aws; did you mean "m7.large"?'],
])('%# is refused', (documents, change, message) => {
  expect(ask([workload('web', plain), ...documents], change).problems.join('\n')).toContain(message);
});

test.each([
  ['{ instanceTypes: [g6.xlarge], minNodes: 1, weight: 3 }', 'us-east-1', 'pool p: minNodes, weight not heeded'],
  ['{ instanceTypes: [g6.xlarge] }', 'eu-west-1', 'has no g6.xlarge in aws eu-west-1'],
  ['{ requirements: [{ key: x, operator: Exists }] }', 'us-east-1', 'no machine of aws us-east-1 that fits it'],
  ['{ budget: { perHour: 3, currency: EUR } }', 'us-east-1', 'its budget is in EUR, prices are in USD'],
  ['{ priceFactors: [{ name: s, factor: 0.5, commitmentPerHour: 4 }] }', 'us-east-1', 's has a commitment'],
])('%s in %s is noted', (spec, region, note) => {
  const answer = ask([workload('web', plain), pool('p', spec)], { region });
  expect(answer.problems).toEqual([]);
  expect(answer.notes.join('\n')).toContain(note);
});
