import { beforeAll, expect, test } from 'vitest';
import { commandFolder } from '../runMain.fixture.ts';
import { planWorkloads } from './workloads.fixture.ts';

const { write, ebb: run } = commandFolder({ env: { NO_COLOR: '1' } });
const ebb = (...words: string[]) => run('plan', ...words);

const documents = planWorkloads(2, { web: '  interruption: allowed\n' });

beforeAll(() => {
  write('all.yaml', documents);
});

const place = ['-f', 'all.yaml', '--cloud', 'aws', '--region', 'us-east-1', '--budget-units', '4000'];

test('the table: nodes, prices of replicas, total and how far it is from the cheapest possible', async () => {
  const { code, out, err } = await ebb(...place);
  expect({ code, err }).toMatchObject({ code: 0, err: expect.stringContaining('placing 3 replicas') });
  const lines = out.split('\n').map((line) => line.replaceAll(/ +/g, ' ').trim());
  expect(lines[0]).toBe('NODES INSTANCE VCPU MEMORY GPU ZONE CAPACITY POOL USD/H EACH USD/H RUNS ON EACH');
  expect(lines.some((line) => /^\d+ g6\.xlarge 4 16 GiB L4 \S+ on-demand catalogue 0\.8048 .*llm/.test(line))).toBe(
    true,
  );
  expect(out).toMatch(/llm +2 +2 +\d/);
  expect(out).toMatch(/^\d nodes: \$1\.\d\d an hour, \$\d+\.\d\d a month of 730 hours$/m);
  expect(out).toMatch(/this one is (at most \d+(\.\d)? % above )?the cheapest possible/);
});

test('JSON adds up, and is the same for the same seed and work', async () => {
  const first = await ebb(...place, '--replicas', 'web=30', '--json');
  expect(first.code).toBe(0);
  const found = JSON.parse(first.out);
  let price = 0;
  const runs: Record<string, number> = {};
  for (const { count, offering, runs: each } of found.nodes) {
    price += count * offering.pricePerHourMicro;
    for (const one of each) runs[one.name] = (runs[one.name] ?? 0) + count * one.count;
  }
  expect(runs).toEqual({ llm: 2, web: 30 });
  expect(found).toMatchObject({ currency: 'USD', pricePerHourMicro: price, pricePerMonthMicro: price * 730 });
  expect(found).toMatchObject({ solver: 'highs', unplaceable: [] });
  expect(found.lowerBoundMicro).toBeGreaterThan(0);
  expect(found.costPerHourMicro).toBeGreaterThanOrEqual(found.lowerBoundMicro);
  expect((await ebb(...place, '--replicas', 'web=30', '--json')).out).toBe(first.out);
});

test('guessed prices are told, and so is that the bound is weak', async () => {
  const { code, out } = await ebb(...place, '--solver', 'none');
  expect(code).toBe(0);
  expect(out).toContain('Prices were guessed: the bound is weak.');
  expect(JSON.parse((await ebb(...place, '--solver', 'none', '--json')).out)).toMatchObject({ solver: null });
});

test('the simplex does for a small choice', async () => {
  const pool = 'apiVersion: ebb.dev/v1alpha1\nkind: NodePool\nmetadata: { name: p }\n';
  write('one.yaml', `${pool}spec: { instanceTypes: [g6.xlarge, g6.12xlarge] }\n`);
  const { code, out } = await ebb(...place, '-f', 'one.yaml', '--solver', 'simplex', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ solver: 'simplex', unplaceable: [] });
});

test('what has no place is told with its reason, exit code 1', async () => {
  write('huge.yaml', documents.replace('gpuMemory: 20Gi', 'gpuMemory: 900Gi'));
  const huge = await ebb('-f', 'huge.yaml', ...place.slice(2));
  expect(huge.code).toBe(1);
  expect(huge.out).toMatch(
    /no place for\n {2}llm \(2 replicas\): needs 900 GiB of GPU memory, the largest offered has \d+ GiB/,
  );
  expect(huge.out).toMatch(/llm +2 +0\n/);
  const json = JSON.parse((await ebb('-f', 'huge.yaml', ...place.slice(2), '--json')).out);
  expect(json.unplaceable).toMatchObject([{ name: 'llm', count: 2, reason: { kind: 'gpu-memory' } }]);
});

test('NodePools of the documents, with taint and limit, where the Cluster is', async () => {
  write(
    'pool.yaml',
    `apiVersion: ebb.dev/v1alpha1
kind: Cluster
metadata: { name: local }
spec: { cloud: aws, region: us-east-1 }
---
apiVersion: ebb.dev/v1alpha1
kind: NodePool
metadata: { name: gpu }
spec: { instanceTypes: [g6.xlarge], maxNodes: 1 }
---
apiVersion: ebb.dev/v1alpha1
kind: NodePool
metadata: { name: kept }
spec: { instanceTypes: [g6.2xlarge], taints: [{ key: kept, effect: NoSchedule }] }
`,
  );
  const { code, out, err } = await ebb('-f', 'all.yaml', '-f', 'pool.yaml', '--replicas', 'web=0');
  expect(code).toBe(1);
  expect(out).toMatch(/1 +g6\.xlarge .* gpu .* llm/);
  expect(out).toContain('llm (1 replica): is over the limit of 1 nodes of pool gpu');
  // That this machine has no nodes is no news for a dry run.
  expect(err).not.toContain('this version runs replicas');
});

test.each([
  [['-f', 'all.yaml'], 'cluster local is in no cloud: --cloud and --region name a place'],
  [['-f', 'all.yaml', '--cloud', 'awz'], 'the list of prices has no cloud "awz"; did you mean "aws"?'],
  [[...place.slice(0, 4), '--region', 'us-est-1'], 'no region "us-est-1" of aws; did you mean "us-east-1"?'],
  [[...place, '--replicas', 'lm=3'], '--replicas: no Workload or class is "lm"; did you mean "llm"?'],
  [[...place, '--replicas', 'llm'], '--replicas: "llm" is not NAME=N'],
  [[...place, '--replicas', 'llm=1', '--replicas', 'llm=2'], '"llm" is given twice'],
  [[...place, '--time', '4s'], '--budget-units and --time both bound the work'],
  [[...place.slice(0, 6), '--time', 'soon'], '"soon"'],
  [[...place, '--solver', 'glpk'], 'glpk'],
  [['-f', 'none.yaml'], 'there is no file or folder "none.yaml"'],
])('%j is refused', async (words, message) => {
  const { code, out, err } = await ebb(...words);
  expect({ code, out, err }).toEqual({ code: 2, out: '', err: expect.stringContaining(message) });
});

test('documents without a Workload are no question', async () => {
  write('no.yaml', 'apiVersion: ebb.dev/v1alpha1\nkind: NodePool\nmetadata: { name: p }\n');
  expect(await ebb('-f', 'no.yaml')).toMatchObject({
    code: 2,
    err: expect.stringContaining('there is no Workload among 1 document'),
  });
});
