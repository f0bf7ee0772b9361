import { fleetStep } from '@ebb/core';
import type { WorkloadInput } from '@ebb/documents';
import type { NodePorts } from '@ebb/engine';
import { openProvider } from '@ebb/providers';
import { clusterInput, nodePoolInput, offering } from '@ebb/testing';
import { expect, test } from 'vitest';
import { comparableWorkload } from '../policies/comparableWorkload.ts';
import { policyDocuments } from '../policies/registry.ts';
import { simulate, type SimulateOptions } from './simulate.ts';
import { tokenModel, traceOf } from './simulate.fixture.ts';

const second = 1_000_000;
const minute = 60 * second;
const model = tokenModel(1);
const gib = 1024 ** 3;
const offerings = [
  offering('small', 0.36, { cpuMilli: 2000, memoryBytes: 8 * gib }),
  offering('large', 1.2, { cpuMilli: 8000, memoryBytes: 32 * gib }),
];

const nodes: SimulateOptions['nodes'] = (clock): NodePorts => ({
  currency: 'USD',
  workUnits: 500,
  offerings: async () => offerings,
  open: (cluster, { pools, book }) =>
    openProvider(
      'rehearsal',
      { cluster: cluster.key.name, region: cluster.region, pools },
      { clock, book, log: () => {}, secrets: async () => null },
    ),
  step: async (spec, memory, observation) => fleetStep(spec, memory, observation, null),
  window: () => ({ isOpen: true, changesAtMs: null }),
});

const base = comparableWorkload('model', model);
const placed: WorkloadInput = {
  ...base,
  spec: {
    ...base.spec,
    classes: [{ command: ['serve'], concurrency: 1, resources: { requests: { cpu: 0.9, memory: '1Gi' } } }],
    placement: { clusters: ['cloud'] },
  },
};
const places = [
  clusterInput('cloud', { type: 'rehearsal', cloud: 'aws', region: 'r1' }),
  nodePoolInput('cpu', {
    cluster: 'cloud',
    startStages: { boot: '30s' },
    consolidation: { delay: '30s' },
    disruptionBudgets: [{ nodes: '100%' }],
  }),
];

function rehearse(atUs: readonly number[], policy: string, more: Partial<SimulateOptions> = {}) {
  const trace = traceOf(atUs.map((at) => ({ atUs: at, tokens: 2000 })));
  const documents = [...places, ...policyDocuments(policy, placed, { model, maxReplicas: 20 })];
  return simulate({ trace, documents, model, seed: 1, policy, nodes, ...more });
}

test('machines are rented for replicas, waited for and paid by the second, and go', async () => {
  const run = await rehearse([minute, 40 * minute, 60 * minute], 'keepalive:1m', { spanMs: 7_200_000 });
  expect(run.served).toBe(3);
  // Thirty seconds for the machine, ten for the replica.
  expect(run.waitMs.p50).toBeGreaterThan(39_900);
  expect(run.waitMs.max).toBeLessThan(42_000);
  expect(run.machines).toMatchObject({ bought: 3, most: 1, currency: 'USD' });
  expect(run.machines?.kinds).toMatchObject([{ instanceType: 'small', capacityType: 'on-demand', bought: 3 }]);
  const seconds = run.machines?.seconds ?? 0;
  // Each: 40 s until it serves, 2 s of work, a minute's keep-alive, half a minute of quiet, a look at savings every ten seconds.
  expect(seconds / 3).toBeGreaterThan(130);
  expect(seconds / 3).toBeLessThan(150);
  expect(Number(run.costMicro)).toBeCloseTo((seconds * 360_000) / 3600, -1);
  expect(run.costMicro).toBe(run.machines?.costMicro);
});

test('the same seed gives the same run', async () => {
  const moments = Array.from({ length: 200 }, (_, index) => index * 7 * second);
  const [one, other] = await Promise.all([rehearse(moments, 'priced'), rehearse(moments, 'priced')]);
  expect(one.digest).toBe(other.digest);
  expect(one.machines).toEqual(other.machines);
  expect(one.served).toBe(200);
});

test('many replicas share few machines', async () => {
  const moments = Array.from({ length: 600 }, (_, index) => minute + index * 0.5 * second);
  const run = await rehearse(moments, 'keepalive:1m');
  expect(run.served).toBe(600);
  expect(run.mostReplicas).toBeGreaterThan(4);
  expect(run.machines?.most).toBeLessThan(run.mostReplicas);
});

test('without anything to rent from, replicas run as ever', async () => {
  const trace = traceOf([{ atUs: 1000, tokens: 1000 }]);
  const documents = policyDocuments('keepalive:1m', base, { model, maxReplicas: 20 });
  const run = await simulate({ trace, documents, model, seed: 1, policy: 'keepalive:1m', nodes });
  expect(run).not.toHaveProperty('machines');
  expect(run.served).toBe(1);
});
