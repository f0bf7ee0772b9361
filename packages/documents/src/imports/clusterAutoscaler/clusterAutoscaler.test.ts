import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { resolveCluster } from '../../cluster/resolve.ts';
import { resolveNodePool } from '../../nodePool/resolve.ts';
import { parseDocuments } from '../../parse/parseDocuments.ts';
import { flagRules } from './flags.ts';
import { ignoredFlags } from './ignoredFlags.ts';
import { importClusterAutoscaler } from './importClusterAutoscaler.ts';

const image = 'registry.k8s.io/autoscaling/cluster-autoscaler:v1.34.1';
const deployment = (container: object) =>
  stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'cluster-autoscaler', namespace: 'kube-system' },
    spec: { template: { spec: { containers: [{ name: 'sidecar', image: 'envoy' }, container] } } },
  });
const withFlags = (...command: string[]) => deployment({ image, command: ['./cluster-autoscaler', ...command] });
const priorities = (text: string) =>
  stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'cluster-autoscaler-priority-expander' },
    data: { priorities: text },
  });

const read = (...texts: string[]) =>
  importClusterAutoscaler(texts.map((text, index) => ({ name: `${index}.yaml`, text })));
function right(...texts: string[]) {
  const imported = read(...texts);
  expect(imported.problems).toEqual([]);
  const [cluster, ...pools] = imported.documents;
  return {
    ...imported,
    cluster: resolveCluster(cluster?.document),
    pools: pools.map((one) => resolveNodePool(one.document)),
  };
}
const firstPool = (...flags: string[]) => right(withFlags('--nodes=0:3:a', ...flags)).pools[0];
function outcome(...flags: string[]) {
  const found = read(withFlags(...flags)).fields.at(-1);
  return found && [found.field, found.result, found.becomes, found.reason];
}

describe('node groups', () => {
  test('each --nodes is a NodePool, with its name as the cloud has it beside', () => {
    const { cluster, pools, fields } = right(
      withFlags('--cloud-provider=aws', '--cluster-name=Shop.EU', '--nodes=1:10:shop-Web', '--nodes', '0:4:shop-gpu'),
    );
    expect(cluster).toMatchObject({ key: { name: 'shop-eu' }, type: 'kubernetes', cloud: 'aws', region: null });
    expect(pools.map(({ key, minNodes, maxNodes, annotations }) => [key, minNodes, maxNodes, annotations])).toEqual([
      [{ cluster: 'shop-eu', namespace: 'default', name: 'shop-web' }, 1, 10, { 'ebb.dev/node-group': 'shop-Web' }],
      [{ cluster: 'shop-eu', namespace: 'default', name: 'shop-gpu' }, 0, 4, { 'ebb.dev/node-group': 'shop-gpu' }],
    ]);
    expect(fields.map(({ result }) => result)).toEqual(['honoured', 'honoured', 'honoured', 'honoured']);
  });

  test('of GCE the address has the zone', () => {
    const url = 'https://www.googleapis.com/compute/v1/projects/p/zones/europe-west4-b/instanceGroups/gke-pool-1';
    const { cluster, pools } = right(withFlags(`--nodes=0:5:${url}`));
    expect(cluster).toMatchObject({ cloud: 'gcp', region: 'europe-west4' });
    expect(pools[0]).toMatchObject({
      key: { name: 'gke-pool-1' },
      requirements: [{ key: 'topology.kubernetes.io/zone', operator: 'In', values: ['europe-west4-b'] }],
    });
  });

  test.each([
    ['asg:tag=k8s.io/cluster-autoscaler/enabled,k8s.io/cluster-autoscaler/shop', 'shop', 'shop', 0, null],
    ['asg:tag=k8s.io/cluster-autoscaler/enabled=true', 'cluster-autoscaler', 'discovered', 0, null],
    ['mig:namePrefix=gke-shop,min=1,max=8', 'cluster-autoscaler', 'gke-shop', 1, 8],
    ['label:pool=gpu,min=0,max=600', 'cluster-autoscaler', 'discovered', 0, 600],
  ])('found by %s', (value, clusterName, name, minNodes, maxNodes) => {
    const { cluster, pools, fields, documents } = right(withFlags(`--node-group-auto-discovery=${value}`));
    expect(cluster.key.name).toBe(clusterName);
    expect(pools[0]).toMatchObject({ key: { name }, minNodes, maxNodes });
    expect(fields[0]).toMatchObject({ result: 'approximated' });
    expect(documents[1]?.notes[0]).toMatch(/^it stands for all groups/);
  });

  test('names that come to the same are told apart', () => {
    const { pools } = right(withFlags('--nodes=0:1:a_b', '--nodes=0:1:a-b', '--nodes=0:1:A.B'));
    expect(pools.map(({ key }) => key.name)).toEqual(['a-b', 'a-b-2', 'a-b-3']);
  });
});

describe('flags', () => {
  test("the autoscaler's own defaults where none are given", () => {
    expect(firstPool()).toMatchObject({
      consolidation: {
        policy: 'WhenEmptyOrUnderutilized',
        delayMs: 600_000,
        delayAfterScaleUpMs: 600_000,
        utilizationBelow: 0.5,
        gpuUtilizationBelow: 0.5,
      },
      disruptionBudgets: [
        { nodes: 10, reasons: [] },
        { nodes: 1, reasons: ['Underutilized'] },
      ],
      terminationGraceMs: 600_000,
      startTimeoutMs: 900_000,
      expireAfterMs: null,
    });
  });

  test.each<[string, object]>([
    ['--scale-down-unneeded-time=5m30s', { consolidation: { delayMs: 330_000 } }],
    ['--scale-down-delay-after-add=1m', { consolidation: { delayAfterScaleUpMs: 60_000 } }],
    ['--scale-down-utilization-threshold=0.65', { consolidation: { utilizationBelow: 0.65 } }],
    ['--scale_down_gpu_utilization_threshold=.2', { consolidation: { gpuUtilizationBelow: 0.2 } }],
    ['--scale-down-enabled=false', { consolidation: { policy: 'Never' } }],
    ['--scale-down-enabled', { consolidation: { policy: 'WhenEmptyOrUnderutilized' } }],
    ['--max-node-provision-time=20m', { startTimeoutMs: 1_200_000 }],
    ['--max-graceful-termination-sec=30', { terminationGraceMs: 30_000 }],
    ['--max-scale-down-parallelism=4', { disruptionBudgets: [{ nodes: 4 }, { nodes: 1 }] }],
    ['--max-drain-parallelism=3', { disruptionBudgets: [{ nodes: 10 }, { nodes: 3, reasons: ['Underutilized'] }] }],
    ['--startup-taint=node.cilium.io/agent-not-ready', { startupTaints: [{ key: 'node.cilium.io/agent-not-ready' }] }],
    ['-ignore-taint=a=b:NoSchedule', { startupTaints: [{ key: 'a', effect: 'NoSchedule' }] }],
  ])('%s', (flag, expected) => {
    expect(firstPool(flag)).toMatchObject(expected);
  });

  test('limits of the whole cluster', () => {
    const { cluster } = right(
      withFlags(
        '--max-nodes-total=40',
        '--cores-total=8:512',
        '--memory-total=0:2048',
        '--gpu-total=nvidia-l4:0:4',
        '--gpu-total=nvidia-a100:0:8',
      ),
    );
    expect(cluster.nodeLimits).toEqual({ nodes: 40, cpuMilli: 512_000, memoryBytes: 2 ** 41, gpuMilli: 12_000 });
  });

  test.each([
    [
      ['--skip-nodes-with-local-storage=false'],
      'ignored',
      'only replicas are moved, and they keep nothing on their node',
    ],
    [['--balance-similar-node-groups'], 'ignored', expect.stringContaining('placement.spread')],
    [['--scan-interval', '30s'], 'ignored', 'nodes are planned when something happens, not at intervals'],
    [['--expander=least-waste'], 'ignored', expect.stringContaining('least-waste is not asked')],
    [['--expander=price'], 'honoured', null],
    [['--expander=price,random'], 'approximated', expect.stringContaining('random is not asked')],
    [['--expander=priority'], 'approximated', expect.stringContaining('its ConfigMap is not among the files')],
    [['--cloud-provider=hetzner'], 'approximated', expect.stringContaining('the prices of hetzner are not known')],
    [['--enforce-node-group-min-size=true'], 'honoured', null],
    [['--scale-down-delay-type-local', '--scale-down-delay-after-add=1m'], 'honoured', null],
    [['--scan-intervall=9s'], 'ignored', 'Cluster Autoscaler has no such flag; did you mean "--scan-interval"?'],
    [['--zzz'], 'ignored', 'Cluster Autoscaler has no such flag'],
  ])('%j', (flags, result, reason) => {
    expect(outcome(...flags)).toEqual([expect.anything(), result, expect.toSatisfy(() => true), reason]);
  });

  test('every flag has one answer', () => {
    const both = [...ignoredFlags.keys()].filter((name) => Object.hasOwn(flagRules, name));
    expect(both).toEqual([]);
    expect(ignoredFlags.size + Object.keys(flagRules).length).toBeGreaterThan(120);
  });

  test('priorities become weights, in order where they go beyond 100', () => {
    const flags = withFlags('--expander=priority', '--nodes=0:1:web', '--nodes=0:1:web-spot', '--nodes=0:1:other');
    const weights = (text: string) => right(flags, priorities(text)).pools.map(({ weight }) => weight);
    expect(weights('10:\n  - ^web\n50:\n  - .*spot.*')).toEqual([10, 50, 0]);
    expect(weights('10: [^web]\n5000: [spot]')).toEqual([1, 2, 0]);
    // Without the expander they say nothing.
    expect(right(withFlags('--nodes=0:1:web'), priorities('10: [web]')).pools[0]?.weight).toBe(0);
  });
});

describe('the container', () => {
  test('is found by its image or command, in any kind, and by a script', () => {
    const nodes = '--nodes=0:3:a';
    const texts = [
      deployment({ image, args: [nodes] }),
      deployment({ image: 'mirror.local/ca@sha256:00', command: ['/cluster-autoscaler'], args: [nodes] }),
      deployment({
        image: 'gke.gcr.io/cluster-autoscaler-amd64:1.2',
        command: ['sh', '-c', `exec ./cluster-autoscaler '${nodes}' --v=4 2>&1`],
      }),
      stringify({ kind: 'Pod', metadata: { name: 'ca' }, spec: { containers: [{ image, command: [nodes] }] } }),
    ];
    for (const text of texts) expect(right(text).pools.map(({ key }) => key.name)).toEqual(['a']);
  });

  test('its region is in a variable; of the others no value is shown', () => {
    const env = [
      { name: 'AWS_REGION', value: 'eu-central-1' },
      { name: 'AWS_SECRET_ACCESS_KEY', value: 'hush' },
    ];
    const answer = right(deployment({ image, command: ['--nodes=0:3:a', '--tokn=hush'], env }));
    expect(answer.cluster.region).toBe('eu-central-1');
    expect(JSON.stringify(answer)).not.toContain('hush');
    expect(answer.fields.map(({ field, result }) => [field, result])).toEqual([
      ['--nodes', 'honoured'],
      ['--tokn', 'ignored'],
      ['env AWS_REGION', 'honoured'],
      ['env AWS_SECRET_ACCESS_KEY', 'ignored'],
    ]);
  });

  test('where there is none, that is said', () => {
    expect(read('kind: Deployment\nmetadata: { name: web }\n').problems).toMatchObject([
      { severity: 'error', message: expect.stringMatching(/^there is no Deployment of Cluster Autoscaler in it/) },
    ]);
  });
});

test.each([
  [['--nodes=5:3:a'], '15:15 --nodes has a minimum of 5, which is more than its 3'],
  [['--nodes=3:a'], '--nodes must be MIN:MAX:NAME, found "3:a"'],
  [['--nodes=0:1:a', '--nodes=0:2:a'], '16:15 --nodes names the group "a" a second time'],
  [['--nodes'], '--nodes needs a value'],
  [['--scale-down-unneeded-time=5'], '--scale-down-unneeded-time is not right: "5" is not a duration'],
  [['--scale-down-utilization-threshold=1.5'], '--scale-down-utilization-threshold must be a number from 0 to 1'],
  [['--scale-down-enabled=maybe'], '--scale-down-enabled must be true or false, found "maybe"'],
  [['--cores-total=5'], '--cores-total must be MIN:MAX, found "5"'],
  [['--gpu-total=a:1'], '--gpu-total must be TYPE:MIN:MAX, found "a:1"'],
  [['--expander=pricey'], '--expander has the unknown expander "pricey"'],
  [['--node-group-auto-discovery=asg'], '--node-group-auto-discovery must be asg:tag=KEYS'],
])('wrong: %j', (flags, expected) => {
  const errors = read(withFlags(...flags)).problems.map(({ line, column, message }) => `${line}:${column} ${message}`);
  expect(errors).toContainEqual(expect.stringContaining(expected));
});

test.each(['no: map', '[1]', '10: web', '10: ["("]', 'x: [a]', '{'])('wrong priorities: %s', (text) => {
  const { problems, documents } = read(withFlags('--nodes=0:1:a', '--expander=priority'), priorities(text));
  expect(problems).toMatchObject([{ severity: 'error', file: '1.yaml', path: 'data.priorities' }]);
  expect(documents).toHaveLength(2);
});

test('right flags become documents that read back the same', () => {
  const group = fc.record({
    name: fc.stringMatching(/^[A-Za-z][A-Za-z0-9._-]{0,70}$/),
    min: fc.nat(50),
    more: fc.nat(50),
  });
  const groups = fc.uniqueArray(group, { selector: ({ name }) => name, minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(groups, fc.integer({ min: 60, max: 100_000 }), fc.nat(100), (found, seconds, percent) => {
      const flags = found.map(({ name, min, more }) => `--nodes=${min}:${min + more}:${name}`);
      const { documents, pools } = right(
        withFlags(
          ...flags,
          `--scale-down-unneeded-time=${seconds}s`,
          `--scale-down-utilization-threshold=${percent / 100}`,
        ),
      );
      const back = parseDocuments(documents.map(({ document }) => stringify(document)).join('---\n'), { file: 'b' });
      expect(back.documents.map(({ document }) => document)).toEqual(documents.map(({ document }) => document));
      expect(
        pools.map(({ annotations, minNodes, maxNodes }) => [annotations['ebb.dev/node-group'], minNodes, maxNodes]),
      ).toEqual(found.map(({ name, min, more }) => [name, min, min + more]));
      expect(new Set(pools.map(({ key }) => key.name)).size).toBe(found.length);
      for (const { consolidation } of pools) {
        expect(consolidation).toMatchObject({ delayMs: seconds * 1000, utilizationBelow: percent / 100 });
      }
    }),
    { numRuns: 60 },
  );
});
