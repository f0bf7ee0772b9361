import type { NodeEvent, NodeObservation, Provider } from '@ebb/core';
import { resolveNodePool } from '@ebb/documents';
import { nodeLaunch, VirtualClock } from '@ebb/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { Drainer } from './drainer.ts';
import { fleetNode } from './fleetNode.fixture.ts';
import { joinedProvider } from './joinedProvider.ts';
import { nodeOf, objectOf, on, ours, podOf, ToldNodes } from './seenNodes.fixture.ts';

let clock: VirtualClock;
let told: ToldNodes;
let provider: Provider;
let drainer: Drainer;
let tell: (event: NodeEvent) => void;
let name: string;
const asked: string[] = [];
const events: NodeEvent[] = [];
const spec = {
  cluster: 'prod',
  labels: { tier: 'gpu' },
  taints: [{ key: 'nvidia.com/gpu', effect: 'NoSchedule' }],
  startupTaints: [{ key: 'starting', effect: 'NoSchedule' }],
};
const pool = resolveNodePool({
  apiVersion: 'ebb.dev/v1alpha1',
  kind: 'NodePool',
  metadata: { name: 'gpu' },
  spec,
});
const machine: NodeObservation = {
  ...{ id: 'n1', providerId: 'i-0abc', cluster: 'prod', pool: 'prod/default/gpu', phase: 'ready' },
  ...{ askedAtMs: 0, readyAtMs: 0, notice: null, message: '', failure: null },
  offering: { cloud: 'aws', region: 'us-east-1', zone: 'us-east-1a', instanceType: 'g5.xlarge', capacityType: 'spot' },
};

function open(): void {
  const inner: Provider = {
    name,
    launch: async ({ id }) => void asked.push(`launch ${id}`),
    terminate: async (node) => void asked.push(`terminate ${JSON.stringify(node)}`),
    list: async () => [machine],
    watch: (listener) => {
      tell = listener;
      return () => {};
    },
    close: async () => {},
  };
  drainer = new Drainer({ client: told.client, view: told, clock, mayWrite: () => true, log: () => {} });
  provider = joinedProvider({
    ...{ inner, cluster: 'prod', pools: () => [pool], view: told, drainer, client: told.client },
    hasGpus: (type) => type === 'g5.xlarge',
    mayWrite: () => true,
    log: () => {},
  });
  provider.watch((event) => events.push(event));
}

beforeEach(() => {
  clock = new VirtualClock();
  told = new ToldNodes();
  name = 'aws';
  asked.length = 0;
  events.length = 0;
  open();
});

const joins = (more: Parameters<typeof nodeOf>[1] = {}) =>
  nodeOf('ip-10-0-0-1', { spec: { providerID: 'aws:///us-east-1a/i-0abc' }, ...more });
async function seen(node?: ReturnType<typeof nodeOf>): Promise<NodeObservation | undefined> {
  if (node) told.objects = [node];
  told.tell('node');
  await clock.advance(0);
  const last = events.at(-1);
  return last?.type === 'node' ? last.node : last?.type === 'snapshot' ? last.nodes[0] : undefined;
}

describe('a machine in a cluster', () => {
  it('is ready when its node is: joined, labelled, without startup taints, with its GPUs', async () => {
    tell({ type: 'snapshot', nodes: [machine] });
    expect(await seen()).toMatchObject({ phase: 'running', message: 'its node has not joined the cluster' });
    expect(await seen(joins({ ready: false }))).toMatchObject({ phase: 'running' });
    expect(told.patches).toEqual([
      {
        name: 'ip-10-0-0-1',
        body: {
          metadata: {
            labels: {
              tier: 'gpu',
              'ebb.dev/cluster': 'prod',
              'ebb.dev/node': 'n1',
              'ebb.dev/pool': 'prod_default_gpu',
              'ebb.dev/capacity-type': 'spot',
            },
            annotations: { 'ebb.dev/joined': 'true' },
            resourceVersion: '1',
          },
          spec: {
            taints: [
              { key: 'nvidia.com/gpu', effect: 'NoSchedule' },
              { key: 'starting', effect: 'NoSchedule' },
            ],
          },
        },
      },
    ]);
    const node = told.objects[0];
    if (!node) throw new Error('no node');
    const status = (gpus: string) => ({
      allocatable: { cpu: '4', 'nvidia.com/gpu': gpus },
      conditions: [{ type: 'Ready', status: 'True' }],
    });
    const now = (taints: unknown[], gpus: string) =>
      objectOf('Node', { ...node.body, spec: { ...(node.body.spec as object), taints }, status: status(gpus) });
    const own = { key: 'nvidia.com/gpu', effect: 'NoSchedule' };
    expect(await seen(now([own, { key: 'starting', effect: 'NoSchedule' }], '0'))).toMatchObject({ phase: 'running' });
    expect((await seen(now([own], '0')))?.message).toContain('shows no GPU yet');
    expect(await seen(now([own], '1'))).toMatchObject({ phase: 'ready', failure: null });
    // What was taken off is not put on again.
    expect(told.patches.length).toBe(1);
    const sick = { ...status('1'), conditions: [{ type: 'Ready', status: 'Unknown' }] };
    const lost = objectOf('Node', { ...node.body, status: sick });
    expect(await seen(lost)).toMatchObject({ phase: 'running', failure: 'unreachable' });
  });

  it.each([
    ['aws:///us-east-1a/i-0abc', true],
    ['i-0abc', true],
    ['AWS:///us-east-1a/I-0ABC', true],
    ['aws:///us-east-1a/xi-0abc', false],
    ['aws:///us-east-1a/i-0abcd', false],
  ])('is the node with the provider id %s: %s', async (providerID, isIt) => {
    tell({ type: 'snapshot', nodes: [machine] });
    await seen(nodeOf('x', { spec: { providerID } }));
    expect(told.patches.length).toBe(isIt ? 1 : 0);
  });

  it("of one's own is known by its name", async () => {
    tell({ type: 'snapshot', nodes: [{ ...machine, providerId: 'rack-7' }] });
    await seen(nodeOf('rack-7'));
    expect(told.patches.length).toBe(1);
  });

  it('gets no taints twice where Karpenter brings them', async () => {
    name = 'karpenter';
    events.length = 0;
    open();
    tell({ type: 'snapshot', nodes: [machine] });
    await seen(nodeOf('x', { metadata: { labels: ours('n1') }, allocatable: { 'nvidia.com/gpu': '1' } }));
    expect(told.patches[0]?.body).not.toHaveProperty('spec');
    expect(await seen()).toMatchObject({ phase: 'ready' });
  });

  it('ends when its node is closed and empty, and the Node goes after it', async () => {
    const labels = { ...ours('n1') };
    told.objects = [joins({ metadata: { labels } })];
    told.pods = [on('ip-10-0-0-1', podOf('late'))];
    tell({ type: 'snapshot', nodes: [machine] });
    drainer.follow('prod', [fleetNode('n1')], new Set());
    await expect(provider.terminate({ id: 'n1' })).rejects.toMatchObject({ code: 'unavailable' });
    expect(asked).toEqual([]);
    told.pods = [];
    await provider.terminate({ id: 'n1' });
    expect(asked).toEqual(['terminate {"id":"n1"}']);
    tell({ type: 'node', node: { ...machine, phase: 'gone' } });
    await clock.advance(0);
    expect(told.asked).toEqual(['delete Node ip-10-0-0-1']);
    expect(events.at(-1)).toMatchObject({ type: 'node', node: { phase: 'gone' } });
  });

  it('passes launches, lists and the word that the provider is away on', async () => {
    await provider.launch(nodeLaunch('n2'));
    expect(asked).toEqual(['launch n2']);
    expect(await provider.list()).toMatchObject([{ id: 'n1', phase: 'running' }]);
    tell({ type: 'disconnected', message: 'away' });
    expect(events.at(-1)).toEqual({ type: 'disconnected', message: 'away' });
    await provider.close();
  });
});
