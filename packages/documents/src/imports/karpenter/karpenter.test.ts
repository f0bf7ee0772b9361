import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { resolveCluster } from '../../cluster/resolve.ts';
import { resolveNodePool } from '../../nodePool/resolve.ts';
import { parseDocuments } from '../../parse/parseDocuments.ts';
import { importKarpenter } from './importKarpenter.ts';

const pool = (spec: object, more: object = {}) =>
  stringify({
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    metadata: { name: 'gpu' },
    spec: { template: { spec: { nodeClassRef, requirements: [], ...more } }, ...spec },
  });
const nodeClassRef = { group: 'karpenter.k8s.aws', kind: 'EC2NodeClass', name: 'main' };
const nodeClass = (spec: object) =>
  stringify({ apiVersion: 'karpenter.k8s.aws/v1', kind: 'EC2NodeClass', metadata: { name: 'main' }, spec });

const read = (...texts: string[]) => importKarpenter(texts.map((text, index) => ({ name: `${index}.yaml`, text })));
function poolOf(...texts: string[]) {
  const { documents, problems } = read(...texts);
  expect(problems).toEqual([]);
  const found = documents.find(({ kind }) => kind === 'NodePool');
  return resolveNodePool(found?.document);
}
function clusterOf(...texts: string[]) {
  const found = read(...texts).documents.find(({ kind }) => kind === 'Cluster');
  return resolveCluster(found?.document);
}
function outcome(text: string, field: string) {
  const found = read(text).fields.find((one) => one.field === field);
  return found && [found.result, found.becomes ?? found.reason];
}
const require = (...requirements: object[]) => ({ requirements });

describe('a NodePool', () => {
  test("has Karpenter's defaults where it does not say", () => {
    expect(poolOf(pool({}))).toMatchObject({
      key: { cluster: 'karpenter', name: 'gpu' },
      expireAfterMs: 720 * 3_600_000,
      consolidation: { policy: 'WhenEmptyOrUnderutilized', delayMs: 0 },
      disruptionBudgets: [{ nodes: { percent: 10 }, reasons: [] }],
      capacityTypes: ['on-demand'],
      terminationGraceMs: null,
      maxNodes: null,
    });
  });

  test.each<[string, object, object, object]>([
    ['weight', { weight: 7 }, {}, { weight: 7 }],
    ['a fixed size', { replicas: 3 }, {}, { minNodes: 3, maxNodes: 3, consolidation: { policy: 'Never' } }],
    [
      'limits',
      { limits: { cpu: '100', memory: '1000Gi', 'nvidia.com/gpu': 4, nodes: 9 } },
      {},
      { limits: { cpuMilli: 100_000, memoryBytes: 1000 * 2 ** 30, gpuMilli: 4000 }, maxNodes: 9 },
    ],
    [
      'a fixed size is kept under a larger limit',
      { limits: { nodes: 9 }, replicas: 3 },
      {},
      { minNodes: 3, maxNodes: 3 },
    ],
    [
      'disruption',
      {
        disruption: {
          consolidationPolicy: 'WhenEmpty',
          consolidateAfter: '1h30m',
          budgets: [{ nodes: '3' }, { nodes: '0', schedule: '@daily', duration: '10h', reasons: ['Drifted', 'Empty'] }],
        },
      },
      {},
      {
        consolidation: { policy: 'WhenEmpty', delayMs: 5_400_000 },
        disruptionBudgets: [
          { nodes: 3, reasons: [], schedule: null },
          { nodes: 0, reasons: ['Drifted', 'Empty'], schedule: '0 0 * * *', durationMs: 36_000_000 },
        ],
      },
    ],
    [
      'never',
      { disruption: { consolidateAfter: 'Never', consolidationPolicy: 'WhenEmpty' } },
      { expireAfter: 'Never' },
      { consolidation: { policy: 'Never' }, expireAfterMs: null },
    ],
    [
      'expiry',
      {},
      { expireAfter: '48h', terminationGracePeriod: '1h' },
      { expireAfterMs: 172_800_000, terminationGraceMs: 3_600_000 },
    ],
    [
      'taints',
      {},
      {
        taints: [{ key: 'nvidia.com/gpu', value: 'yes', effect: 'NoSchedule' }],
        startupTaints: [{ key: 'a', effect: 'NoExecute' }],
      },
      {
        taints: [{ key: 'nvidia.com/gpu', value: 'yes', effect: 'NoSchedule' }],
        startupTaints: [{ key: 'a', value: '', effect: 'NoExecute' }],
      },
    ],
    [
      'machines',
      {},
      require({ key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand', 'spot'] }, {
        key: 'node.kubernetes.io/instance-type',
        operator: 'In',
        values: ['g5.xlarge', 'g6.xlarge'],
      }, { key: 'kubernetes.io/arch', operator: 'NotIn', values: ['arm64'] }),
      {
        capacityTypes: ['spot', 'on-demand'],
        instanceTypes: ['g5.xlarge', 'g6.xlarge'],
        requirements: [{ key: 'kubernetes.io/arch', operator: 'NotIn', values: ['arm64'], minValues: null }],
      },
    ],
    [
      'all but spot',
      {},
      require({ key: 'karpenter.sh/capacity-type', operator: 'NotIn', values: ['spot'] }),
      { capacityTypes: ['reserved', 'on-demand'] },
    ],
    [
      'as many kinds as asked for',
      {},
      require({ key: 'node.kubernetes.io/instance-type', operator: 'In', values: ['a', 'b'], minValues: 2 }),
      { instanceTypes: [], requirements: [{ values: ['a', 'b'], minValues: 2 }] },
    ],
    [
      'comparisons with the bound itself',
      {},
      require({ key: 'a', operator: 'Gte', values: ['8'] }, { key: 'b', operator: 'Lte', values: ['8'] }, {
        key: 'c',
        operator: 'Gte',
        values: ['0'],
      }),
      {
        requirements: [
          { key: 'a', operator: 'Gt', values: ['7'] },
          { key: 'b', operator: 'Lt', values: ['9'] },
          { key: 'c', operator: 'Exists', values: [] },
        ],
      },
    ],
  ])('%s', (_name, spec, template, expected) => {
    expect(poolOf(pool(spec, template))).toMatchObject(expected);
  });

  test('labels of the template are those of the nodes, and do-not-disrupt keeps them', () => {
    const text = pool({}).replace(
      'template:',
      'template:\n    metadata:\n      labels: { team: vision }\n      annotations: { karpenter.sh/do-not-disrupt: "true", note: x }',
    );
    expect(poolOf(text)).toMatchObject({ nodeLabels: { team: 'vision' }, consolidation: { policy: 'Never' } });
    expect(outcome(text, 'spec.template.metadata.annotations.note')).toEqual([
      'ignored',
      'annotations of nodes are not used here',
    ]);
  });
});

describe('its node class and cluster', () => {
  const discovery = [{ tags: { 'karpenter.sh/discovery': 'Shop_EU' } }];

  test('give name, cloud, region, and what each node keeps for itself', () => {
    const zones = require({ key: 'topology.kubernetes.io/zone', operator: 'In', values: ['eu-west-1a', 'eu-west-1b'] });
    const kubelet = {
      maxPods: 40,
      systemReserved: { cpu: '200m', memory: '512Mi' },
      kubeReserved: { cpu: '100m', memory: '256Mi', 'ephemeral-storage': '1Gi' },
      evictionHard: { 'memory.available': '256Mi', 'nodefs.available': '10%' },
    };
    const texts = [pool({}, zones), nodeClass({ subnetSelectorTerms: discovery, kubelet })] as const;
    expect(poolOf(...texts)).toMatchObject({
      key: { cluster: 'shop-eu' },
      maxPods: 40,
      reserved: { cpuMilli: 300, memoryBytes: 2 ** 30 },
    });
    expect(clusterOf(...texts)).toMatchObject({
      key: { name: 'shop-eu' },
      type: 'kubernetes',
      cloud: 'aws',
      region: 'eu-west-1',
    });
  });

  test('a name that is given wins', () => {
    const sources = [{ name: 'k.yaml', text: `${pool({})}---\n${nodeClass({ subnetSelectorTerms: discovery })}` }];
    const { documents } = importKarpenter(sources, 'prod');
    expect(documents.map(({ kind, document }) => `${kind} ${document.metadata.name}`)).toEqual([
      'Cluster prod',
      'NodePool gpu',
    ]);
  });

  test('of another cloud', () => {
    const azure = { nodeClassRef: { group: 'karpenter.azure.com', kind: 'AKSNodeClass', name: 'main' } };
    expect(clusterOf(pool({}, azure))).toMatchObject({ cloud: 'azure', region: null });
    const [cluster, own] = read(pool({}, azure)).documents;
    expect(cluster?.notes).toEqual(['the region is not known: write spec.region, by which prices are looked up']);
    expect(own?.notes[0]).toBe('the AKSNodeClass "main" is not among the files');
  });

  test('user data is in no answer', () => {
    const answer = JSON.stringify(read(nodeClass({ userData: 'export TOKEN=hush' })));
    expect(answer).not.toContain('hush');
    expect(answer).toContain('spec.userData');
  });
});

describe('what does not count, or is wrong, is named', () => {
  test.each<[object, object, string, [string, string]]>([
    [
      { wieght: 3 },
      {},
      'spec.wieght',
      ['ignored', 'NodePool (karpenter.sh/v1) has no such field; did you mean "weight"?'],
    ],
    [{ limits: { pods: 3 } }, {}, 'spec.limits.pods', ['ignored', 'a pool is bounded by cpu, memory, GPUs and nodes']],
    [
      { disruption: { consolidationPolicy: 'Balanced' } },
      {},
      'spec.disruption.consolidationPolicy',
      ['approximated', 'consolidation.policy'],
    ],
    [{}, { expireAfter: '5s' }, 'spec.template.spec.expireAfter', ['approximated', 'expireAfter']],
    [
      {},
      { nodeclassRef: nodeClassRef },
      'spec.template.spec.nodeclassRef',
      ['ignored', 'NodePool (karpenter.sh/v1) has no such field; did you mean "nodeClassRef"?'],
    ],
  ])('%#', (spec, template, field, expected) => {
    expect(outcome(pool(spec, template), field)).toEqual(expected);
  });

  test.each<[object, object, string]>([
    [{ weight: 101 }, {}, '13:11 spec.weight must be a whole number from 0 to 100, found 101'],
    [{ weight: 'x' }, {}, 'spec.weight must be a whole number from 0 to 100, found the string "x"'],
    [{ limits: { cpu: '4x' } }, {}, 'spec.limits.cpu is not right'],
    [
      { disruption: { consolidateAfter: '5d' } },
      {},
      'spec.disruption.consolidateAfter is not right: "5d" is not a duration',
    ],
    [
      { disruption: { budgets: [{ nodes: '101%' }] } },
      {},
      'disruptionBudgets[0].nodes "101%" must be a number or a perc',
    ],
    [
      { disruption: { budgets: [{ nodes: 1, reasons: ['Bored'] }] } },
      {},
      'must be one of Underutilized, Empty, Drifted',
    ],
    [{}, { taints: [{ key: 'a', effect: 'No' }] }, 'spec.template.spec.taints[0] must be one of NoSchedule'],
    [{}, require({ key: 'a', operator: 'in', values: ['b'] }), 'requirements[0] must be one of In, NotIn'],
    [{}, require({ key: 'a', operator: 'In' }), 'In needs at least one value, found none'],
    [{}, require({ key: 'a', operator: 'In', values: ['b'], vales: 1 }), 'has the unknown field "vales"'],
    [
      {},
      require({ key: 'karpenter.sh/capacity-type', operator: 'In', values: ['spt'] }),
      'unknown capacity type "spt"',
    ],
  ])('wrong: %#', (spec, template, expected) => {
    const { problems } = read(pool(spec, template));
    const errors = problems.map(({ severity, line, column, message }) => `${severity} ${line}:${column} ${message}`);
    expect(errors).toContainEqual(expect.stringContaining(expected));
    expect(problems.every(({ line }) => line > 1)).toBe(true);
  });

  test('other versions are errors, other kinds are left aside', () => {
    const messages = (text: string) => read(text).problems.map(({ severity, message }) => `${severity}: ${message}`);
    expect(messages('apiVersion: karpenter.sh/v1beta1\nkind: NodePool\n')).toEqual([
      'error: NodePool (karpenter.sh/v1beta1) is not read; write karpenter.sh/v1 and karpenter.k8s.aws/v1',
    ]);
    expect(messages('apiVersion: v1\nkind: Service\n')).toEqual([
      'warning: Service (v1) is left aside: NodePool (karpenter.sh/v1) and EC2NodeClass (karpenter.k8s.aws/v1) are read',
    ]);
    expect(
      read(
        'apiVersion: v1\nkind: List\nitems:\n- kind: NodePool\n  apiVersion: karpenter.sh/v1\n  metadata: { name: a }\n  spec: { weight: 1 }',
      ).documents,
    ).toHaveLength(2);
  });
});

/** Right NodePools, as random as their schema allows. */
const word = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
const requirement = fc.oneof(
  fc.record({
    key: fc.constantFrom('example.com/a', 'kubernetes.io/arch', 'karpenter.k8s.aws/instance-family'),
    operator: fc.constantFrom('In', 'NotIn'),
    values: fc.uniqueArray(word, { minLength: 1, maxLength: 4 }),
  }),
  fc.record({
    key: fc.constantFrom('example.com/cores', 'example.com/gpus'),
    operator: fc.constantFrom('Gt', 'Lt', 'Gte', 'Lte'),
    values: fc.tuple(fc.nat(100).map(String)),
  }),
);
const duration = fc.integer({ min: 60, max: 1_000_000 }).map((seconds) => `${seconds}s`);
const spec = fc.record(
  {
    weight: fc.integer({ min: 1, max: 100 }),
    limits: fc.record({ cpu: fc.nat(1000).map(String), memory: fc.nat(1000).map((gib) => `${gib}Gi`) }),
    disruption: fc.record({
      consolidateAfter: fc.oneof(duration, fc.constant('Never')),
      consolidationPolicy: fc.constantFrom('WhenEmpty', 'WhenEmptyOrUnderutilized'),
      budgets: fc.array(
        fc.record({
          nodes: fc.oneof(
            fc.nat(100).map(String),
            fc.nat(100).map((n) => `${n}%`),
          ),
        }),
        {
          minLength: 1,
          maxLength: 3,
        },
      ),
    }),
  },
  { requiredKeys: [] },
);
const template = fc.record({
  requirements: fc.array(requirement, { maxLength: 5 }),
  expireAfter: fc.oneof(duration, fc.constant('Never')),
  taints: fc.array(fc.record({ key: word, effect: fc.constantFrom('NoSchedule', 'NoExecute') }), { maxLength: 3 }),
});

test('a right NodePool becomes documents that read back the same, with every field told of once', () => {
  fc.assert(
    fc.property(spec, template, (own, inner) => {
      const text = pool(own, inner);
      const { documents, fields, problems } = read(text);
      expect(problems).toEqual([]);
      const written = documents.map(({ document }) => stringify(document)).join('---\n');
      const back = parseDocuments(written, { file: 'back.yaml' });
      expect(back.documents.map(({ document }) => document)).toEqual(documents.map(({ document }) => document));
      const resolved = resolveNodePool(back.documents[1]?.document);
      expect(resolved.requirements).toHaveLength(inner.requirements.length);
      expect(resolved.taints).toHaveLength(inner.taints.length);
      expect(resolved.weight).toBe(own.weight ?? 0);
      const expiry = inner.expireAfter === 'Never' ? null : Number.parseInt(inner.expireAfter, 10) * 1000;
      expect(resolved.expireAfterMs).toBe(expiry);
      const told = fields.map(({ field }) => field);
      expect(new Set(told).size).toBe(told.length);
      for (const leaf of leavesOf({ spec: own }, '').concat(leavesOf({ spec: { template: { spec: inner } } }, ''))) {
        expect(
          told.filter((field) => leaf === field || leaf.startsWith(`${field}.`) || leaf.startsWith(`${field}[`)),
        ).toHaveLength(1);
      }
    }),
    { numRuns: 60 },
  );
});

function leavesOf(value: unknown, path: string): string[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => leavesOf(item, `${path}[${index}]`));
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, path === '' ? key : `${path}.${key}`));
}
