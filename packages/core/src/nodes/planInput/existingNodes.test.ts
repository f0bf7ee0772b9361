import { resolveCluster, resolveNodePool, resolveWorkload } from '@ebb/documents';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkPlan } from '../placement/checkPlan.ts';
import { greedyPlan } from '../placement/plan.ts';
import type { Offering } from '../types.ts';
import { type ExistingNode, withExistingNodes } from './existingNodes.ts';
import { fleetPartsOf } from './fleetParts.ts';
import { placementInputOf } from './placementInputOf.ts';

const gib = 1024 ** 3;
const head = (kind: string, name: string) => ({ apiVersion: 'ebb.dev/v1alpha1', kind, metadata: { name } });

const offering = (name: string, cpus: number, gpus: number, pricePerHourMicro: number): Offering => ({
  ...{ id: `gcp/r/*/${name}/on-demand`, region: 'r', zone: '*', capacityType: 'on-demand', pricePerHourMicro },
  instanceType: {
    ...{
      name,
      cloud: 'gcp',
      architecture: 'amd64',
      cpuMilli: cpus * 1000,
      memoryBytes: cpus * 4 * gib,
      maxPods: 110,
      labels: {},
    },
    gpu: gpus === 0 ? null : { vendor: 'nvidia', model: 'L4', count: gpus, memoryBytes: 24 * gib },
  },
});
const offerings = [offering('small', 4, 1, 700_000), offering('large', 16, 4, 2_500_000)];
const cluster = resolveCluster({ ...head('Cluster', 'c'), spec: { type: 'rehearsal', cloud: 'gcp', region: 'r' } });
const pools = [resolveNodePool({ ...head('NodePool', 'p'), spec: { cluster: 'c', maxNodes: 8 } })];

function workload(name: string, requests: object) {
  const spec = { cluster: 'c', classes: [{ name: 'default', command: ['serve'], resources: { requests } }] };
  return resolveWorkload({ ...head('Workload', name), spec }, { baseDirectory: '/' });
}
const workloads = [workload('llm', { cpu: 2, memory: '4Gi', gpu: 1 }), workload('web', { cpu: '500m', memory: '1Gi' })];

function ask(replicas: Record<string, number>, nodes: readonly ExistingNode[]) {
  const question = {
    ...{ workloads, pools, offerings, currency: 'USD', clusters: [cluster], cloud: null, region: null },
    replicas: new Map(Object.entries(replicas)),
    namesAreKeys: true,
  };
  const parts = fleetPartsOf({ ...question, cluster, isBudgetOpen: () => true });
  const answer = placementInputOf(question);
  return withExistingNodes({
    ...{ question, answer, nodes, loadMs: 1000 },
    pools: parts.pools.map(({ consolidation }) => consolidation),
  });
}

const node = (
  id: string,
  instanceType: string,
  runs: Record<string, number>,
  setAside: ExistingNode['setAside'] = null,
) => ({
  ...{ id, pool: 'p', cloud: 'gcp', region: 'r', zone: 'r-a', instanceType, pricePerHourMicro: null, setAside },
  capacityType: 'on-demand' as const,
  runs: new Map(Object.entries(runs)),
});

test('what runs keeps its place; what is left, is asked for; limits count what is there', () => {
  const { input, running, problems } = ask({ llm: 3, web: 1 }, [node('a', 'large', { llm: 2 })]);
  expect(problems).toEqual([]);
  expect(input.pods.map(({ id }) => id)).toEqual(['llm/2', 'web/0']);
  expect(input.nodes).toMatchObject([{ name: 'a', zone: 'r-a', free: { cpuMilli: 12_000 } }]);
  expect(input.nodes[0]?.gpuUse.map(({ places }) => places)).toEqual([1, 1, 0, 0]);
  expect(running[0]?.pods.map(({ place }) => place)).toEqual([
    { id: 'llm/0', gpus: [0], instances: [] },
    { id: 'llm/1', gpus: [1], instances: [] },
  ]);
  expect(input.pools[0]?.used).toMatchObject({ nodes: 1, gpus: 4, pricePerHourMicro: 2_500_000 });
});

test('what others have is taken off, and the node is not touched', () => {
  const setAside = { cpuMilli: 5000, memoryBytes: 8 * gib, gpuMilli: 3000 };
  const { running, input } = ask({ llm: 1 }, [node('a', 'large', { llm: 1 }, setAside)]);
  expect(running[0]).toMatchObject({ doNotDisrupt: true, empty: { free: { cpuMilli: 13_000 } } });
  expect(input.nodes[0]).toMatchObject({ free: { cpuMilli: 11_000, memoryBytes: 56 * gib } });
  expect(input.nodes[0]?.gpuUse.map(({ places }) => places)).toEqual([1, 0, 1, 1]);
});

test('any nodes: plans over them keep all rules, and no replica is counted twice', () => {
  const kinds = fc.record({ type: fc.constantFrom('small', 'large'), llm: fc.nat(4), web: fc.nat(8) });
  fc.assert(
    fc.property(fc.array(kinds, { maxLength: 5 }), fc.nat(6), fc.nat(20), (list, llm, web) => {
      const nodes = list.map(({ type, llm: l, web: w }, index) => {
        const runs = {
          ...(l > 0 ? { llm: Math.min(l, type === 'small' ? 1 : 4) } : {}),
          ...(w > 0 ? { web: Math.min(w, 4) } : {}),
        };
        return node(`n${index}`, type, runs);
      });
      const count = (name: string) => nodes.reduce((sum, { runs }) => sum + (runs.get(name) ?? 0), 0);
      const { input, running, problems } = ask({ llm: llm + count('llm'), web: web + count('web') }, nodes);
      expect(problems).toEqual([]);
      expect(input.pods.length).toBe(llm + web);
      expect(running.flatMap(({ pods }) => pods).length).toBe(count('llm') + count('web'));
      const plan = greedyPlan(input);
      expect(checkPlan(input, plan)).toEqual([]);
      expect(plan.buy.length + nodes.length).toBeLessThanOrEqual(8);
    }),
    { numRuns: 200 },
  );
});
