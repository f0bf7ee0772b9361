import { catalogueCurrency, loadCatalogue } from '@ebb/catalogue';
import type { ClassRecommendation } from '@ebb/client';
import { plan } from '@ebb/core';
import { resolveWorkload } from '@ebb/documents';
import { expect, test } from 'vitest';
import { machinesOf, type MachinesQuestion } from './machines.ts';

const gibibyte = 2 ** 30;
const spec = resolveWorkload(
  {
    apiVersion: 'ebb.dev/v1alpha1',
    kind: 'Workload',
    metadata: { name: 'web' },
    spec: {
      classes: [
        { name: 'plain', command: ['a'], resources: { requests: { cpu: 4, memory: '16Gi' } } },
        { name: 'heavy', command: ['b'], resources: { requests: { cpu: 2, memory: '4Gi', gpu: 1 } } },
      ],
    },
  },
  { baseDirectory: '/' },
);

function recommended(name: string, suggested: ClassRecommendation['suggested']): ClassRecommendation {
  return {
    ...{ class: name, amounts: null, suggested, applied: null, reasons: [] },
    ...{ requests: { cpuMilli: 0, memoryBytes: 0 }, limits: { cpuMilli: null, memoryBytes: null } },
    confidence: { samples: 100, historyMs: 7_200_000, enough: true, sentence: '' },
  };
}

async function question(change: Partial<MachinesQuestion> = {}): Promise<MachinesQuestion> {
  return {
    ...{ spec, clusters: [], pools: [], offerings: await loadCatalogue(), currency: catalogueCurrency },
    classes: [
      recommended('plain', { requests: { cpuMilli: 500, memoryBytes: gibibyte }, limits: {} }),
      recommended('heavy', null),
    ],
    replicas: new Map([['plain', 6]]),
    ...{ cloud: 'aws', region: 'us-east-1' },
    plan: async (input) => plan(input, { solver: null, seed: 1, workUnits: 2000 }),
    ...change,
  };
}

test('smaller requests need cheaper machines, each class by itself, GPUs kept', async () => {
  const [plain, heavy] = await machinesOf(await question());
  if (!plain?.suggested || 'problem' in plain.now || 'problem' in plain.suggested) throw new Error('no machines');
  expect(plain.replicas).toBe(6);
  for (const found of [plain.now, plain.suggested]) {
    expect(found.nodes.reduce((sum, { count, replicas }) => sum + count * replicas, 0)).toBe(6);
    const total = found.nodes.reduce((sum, { count, pricePerHourMicro }) => sum + count * pricePerHourMicro, 0);
    expect(found.pricePerHourMicro).toBe(total);
    expect(found.perReplicaMicro).toBe(Math.round(total / 6));
  }
  expect(plain.suggested.pricePerHourMicro).toBeLessThan(plain.now.pricePerHourMicro / 3);
  expect(heavy).toMatchObject({ replicas: 1, suggested: null, now: { nodes: [{ count: 1, replicas: 1 }] } });
  const gpus = (await loadCatalogue()).filter(({ instanceType }) => instanceType.gpu !== null);
  const named = heavy && 'nodes' in heavy.now ? heavy.now.nodes[0]?.instanceType : '';
  expect(gpus.map(({ instanceType }) => instanceType.name)).toContain(named);
});

test('what the latest roll-out applied counts as now', async () => {
  const requests = { cpuMilli: 500, memoryBytes: gibibyte };
  const applied = { revision: '1', atMs: 0, requests, limits: {}, documentRequests: requests, documentLimits: {} };
  const one = recommended('plain', { requests, limits: {} });
  const [plain] = await machinesOf(await question({ classes: [{ ...one, applied }] }));
  expect(plain?.now).toEqual(plain?.suggested);
});

test('an unknown place and a replica that fits nowhere are told', async () => {
  const [away] = await machinesOf(await question({ region: 'us-easr-1' }));
  expect(away?.now).toEqual({ problem: expect.stringContaining('us-easr-1') });
  const huge = { requests: { cpuMilli: 10_000_000, memoryBytes: gibibyte }, limits: {} };
  const [plain] = await machinesOf(await question({ classes: [recommended('plain', huge)] }));
  expect(plain?.suggested).toEqual({ problem: expect.stringMatching(/cpu|CPU|processors/) });
});
