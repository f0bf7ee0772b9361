import { beforeAll, expect, test } from 'vitest';
import { commandFolder } from '../runMain.fixture.ts';
import { planWorkloads } from './workloads.fixture.ts';

const { write, ebb: run } = commandFolder({ env: { NO_COLOR: '1' } });
const ebb = (...words: string[]) => run('plan', ...words, '-f', 'all.yaml', '--budget-units', '4000');

const documents = `${planWorkloads(3, { all: '  cluster: cloud\n' })}---
apiVersion: ebb.dev/v1alpha1
kind: Cluster
metadata: { name: cloud }
spec: { type: kubernetes, cloud: gcp, region: europe-west4 }
---
apiVersion: ebb.dev/v1alpha1
kind: NodePool
metadata: { name: gpu }
spec: { cluster: cloud, instanceTypes: [g2-standard-4, g2-standard-8, g2-standard-24], disruptionBudgets: [{ nodes: 100% }] }
`;

const machine = (id: string, instanceType: string, more = '') =>
  `- { id: ${id}, pool: cloud/default/gpu, cloud: gcp, region: europe-west4, zone: europe-west4-a, instanceType: ${instanceType}${more} }\n`;

beforeAll(() => {
  write('all.yaml', documents);
});

test('what is there is filled first, and only the rest is rented', async () => {
  write('one.yaml', machine('a', 'g2-standard-24', ', runs: { llm: 1 }'));
  const { code, out } = await ebb('--nodes', 'one.yaml', '--replicas', 'llm=3');
  expect(code).toBe(0);
  const lines = out.split('\n').map((line) => line.replaceAll(/ +/g, ' ').trim());
  expect(lines.slice(0, 2)).toEqual(['NODE INSTANCE GETS', 'a g2-standard-24 llm, web']);
  // Two of three have a place there: the machine has two GPUs, and one replica runs on it.
  expect(lines.some((line) => /^1 g2-standard-4 4 16 GiB L4 \S+ on-demand gpu /.test(line))).toBe(true);
  expect(lines).toContainEqual(expect.stringMatching(/^llm 2 2 /));
});

test('as `ebb get nodes -o json` prints them: replicas by id, and room that others take', async () => {
  const status = (id: string, more: object) => ({
    ...{ id, providerId: `gce://p/z/${id}`, cluster: 'cloud', pool: 'cloud/default/gpu', cloud: 'gcp' },
    ...{ region: 'europe-west4', zone: 'europe-west4-b', instanceType: 'g2-standard-4', capacityType: 'on-demand' },
    ...{ phase: 'ready', pricePerHourMicro: 700_000, replicas: [], message: '', ...more },
  });
  const items = [
    status('a', {
      replicas: ['llm-1a2b3-x9', 'other-11111-y1'],
      setAside: { cpuMilli: 3900, memoryBytes: 1, gpuMilli: 1000 },
    }),
    status('b', { setAside: { cpuMilli: 100, memoryBytes: 0, gpuMilli: 1000 } }),
    status('c', { phase: 'ending' }),
  ];
  write('nodes.json', JSON.stringify({ kind: 'NodeList', items }));
  const { code, out } = await ebb('--nodes', 'nodes.json', '--replicas', 'llm=2', '--replicas', 'web=1', '--json');
  expect(code).toBe(0);
  const found = JSON.parse(out);
  // b has room for the web server beside what is there, no GPU; a is full; c is on its way out.
  expect(found.bound).toEqual([{ node: 'b', instance: 'g2-standard-4', runs: [{ name: 'web', count: 1 }] }]);
  expect(found.nodes).toMatchObject([{ count: 1, runs: [{ name: 'llm', count: 1 }] }]);
  expect(found.workloads).toMatchObject([
    { name: 'llm', count: 1 },
    { name: 'web', count: 1 },
  ]);
});

test('limits of a pool count what is there', async () => {
  write('full.yaml', machine('a', 'g2-standard-4', ', runs: { llm: 1 }'));
  write('limit.yaml', documents.replace('spec: { cluster: cloud, ', 'spec: { cluster: cloud, maxNodes: 2, '));
  const words = [
    'plan',
    '-f',
    'limit.yaml',
    '--nodes',
    'full.yaml',
    '--replicas',
    'web=0',
    '--json',
    '--budget-units',
    '4000',
  ];
  const { code, out } = await run(...words);
  expect(code).toBe(0);
  expect(JSON.parse(out).nodes.reduce((sum: number, { count }: { count: number }) => sum + count, 0)).toBe(1);
});

test('consolidation: what goes, where its replicas go, what it saves, what stays', async () => {
  write(
    'two.yaml',
    machine('a', 'g2-standard-24', ', runs: { llm: 1 }') + machine('b', 'g2-standard-24', ', runs: { llm: 1 }'),
  );
  const { code, out } = await ebb('--nodes', 'two.yaml', '--consolidate');
  expect(code).toBe(0);
  expect(out).toMatch(/^1\. end [ab](, [ab])?: its pods cost [\d.]+ % less elsewhere; saves \$[\d.]+ an hour/m);
  expect(out).toMatch(/new places are ready before replicas leave/);
  expect(out).toMatch(/\$4\.2\d* an hour now, \$[\d.]+ then: [\d.]+ % less/);
  const json = JSON.parse((await ebb('--nodes', 'two.yaml', '--consolidate', '--json')).out);
  expect(json.costAfterMicro).toBeLessThan(json.costBeforeMicro);
  expect(json.costAfterMicro).toBeGreaterThanOrEqual(json.lowerBoundMicro);
  const saved = json.moves.reduce(
    (sum: number, move: { savingPerHourMicro: number }) => sum + move.savingPerHourMicro,
    0,
  );
  expect(json.costBeforeMicro - json.costAfterMicro).toBe(saved);
});

test('consolidation of what is as cheap as can be', async () => {
  write('good.yaml', machine('a', 'g2-standard-4', ', runs: { llm: 1 }'));
  const { code, out } = await ebb('--nodes', 'good.yaml', '--consolidate');
  expect(code).toBe(0);
  expect(out).toContain('no node should go');
  expect(out).toMatch(/STAYS\n {2}a: its replicas have no other place/);
});

test('what is not known is not moved', async () => {
  write('others.yaml', machine('a', 'g2-standard-24', ', runs: { llm: 1 }, setAside: { cpuMilli: 9000 }'));
  const { out } = await ebb('--nodes', 'others.yaml', '--consolidate', '--json');
  expect(JSON.parse(out)).toMatchObject({ moves: [], kept: [{ node: 'a', reason: 'do-not-disrupt' }] });
});

test.each([
  ['- { id: a }', 'bad.yaml: node 1: pool is missing'],
  ['a: 1', 'bad.yaml has no nodes: it must be a list, or an object with "items"'],
  ['- [', 'bad.yaml is neither YAML nor JSON'],
  [machine('a', 'g2-standard-4') + machine('a', 'g2-standard-4'), 'there are two nodes "a"'],
  [machine('a', 'g2-standard-5'), 'node a: the list of prices has no gcp g2-standard-5 on-demand in europe-west4'],
  [
    machine('a', 'g2-standard-4', ', capacityType: cheap'),
    'capacityType is one of on-demand, spot, reserved, not "cheap"',
  ],
  [machine('a', 'g2-standard-4', ', runs: { llm: 2 }'), 'node a: 1 of 2 replicas do not fit g2-standard-4'],
  [machine('a', 'g2-standard-4', ', runs: { lm: 1 }'), '--replicas: no Workload or class is "lm"; did you mean "llm"?'],
  [machine('a', 'g2-standard-4', ', runs: { llm: some }'), 'runs.llm is "some", not a whole number'],
  [machine('a', 'g2-standard-4').replace('default/gpu', 'default/gpus'), 'node a: no pool is "cloud/default/gpus"'],
])('%j is refused', async (text, message) => {
  write('bad.yaml', text);
  const { code, out, err } = await ebb('--nodes', 'bad.yaml');
  expect({ code, out, err }).toEqual({ code: 2, out: '', err: expect.stringContaining(message) });
});

test('--consolidate without nodes is no question', async () => {
  expect(await ebb('--consolidate')).toMatchObject({
    code: 2,
    err: expect.stringContaining('needs the nodes that are there'),
  });
});
