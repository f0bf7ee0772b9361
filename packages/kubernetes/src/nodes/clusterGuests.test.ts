import type { FleetAction, FleetDecision, FleetMemory, FleetNode, FleetSpec } from '@ebb/core';
import { VirtualClock } from '@ebb/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { ClusterGuests } from './clusterGuests.ts';
import { Drainer } from './drainer.ts';
import { fleetNode } from './fleetNode.fixture.ts';
import { nodeOf, objectOf, on, ours, podOf, ToldNodes } from './seenNodes.fixture.ts';

let clock: VirtualClock;
let told: ToldNodes;
let guests: ClusterGuests;
let book: FleetNode[];
const log: string[] = [];
const spec = { cluster: 'prod', pools: [] } as unknown as FleetSpec;
const memoryOf = (nodes: FleetNode[]) => ({ nodes }) as unknown as FleetMemory;

beforeEach(async () => {
  clock = new VirtualClock();
  told = new ToldNodes();
  log.length = 0;
  const note = (_: string, text: string) => log.push(text);
  const drainer = new Drainer({ client: told.client, view: told, clock, mayWrite: () => true, log: note });
  guests = new ClusterGuests({ view: told, clock, drainer, log: note });
  book = [fleetNode('n1')];
  told.objects = [nodeOf('a', { metadata: { labels: ours('n1') }, allocatable: { 'nvidia.com/gpu': '1' } })];
});

const observe = () => guests.observe(spec, memoryOf(book));
function decide(...actions: FleetAction[]): void {
  guests.decided('prod', { actions, reasons: [] } as unknown as FleetDecision, memoryOf(book));
}
const waiting = () =>
  observe()
    .pods.filter(({ bound }) => bound === null)
    .map(({ pod }) => pod.id.split('/')[1]);
const bind = (pod: string, node: string) =>
  ({ type: 'bind', pod, node, place: { id: pod, gpus: [], instances: [] } }) as const;

describe('what a fleet is shown', () => {
  it('has what runs on nodes of its own and what waits, and nothing else', () => {
    told.objects.push(nodeOf('b', { metadata: { labels: { 'ebb.dev/cluster': 'other', 'ebb.dev/node': 'n1' } } }));
    const daemon = { ownerReferences: [{ kind: 'DaemonSet', name: 'd', controller: true }] };
    told.pods = [
      on('a', podOf('runs', { spec: { containers: [{ resources: { requests: { 'nvidia.com/gpu': '1' } } }] } })),
      on('a', podOf('leaves', { metadata: { deletionTimestamp: '2026-11-23T00:00:00Z' } })),
      on('a', podOf('agent', { metadata: daemon })),
      on('b', podOf('theirs')),
      podOf('waits'),
      podOf('starts', { status: { phase: 'Pending' } }),
    ];
    const { pods } = observe();
    expect(pods.map(({ pod, bound, isLeaving }) => [pod.id.split('/')[1], bound?.node ?? null, isLeaving])).toEqual([
      ['leaves', 'n1', true],
      ['runs', 'n1', false],
      ['waits', null, false],
    ]);
    expect(pods[1]?.bound?.place.gpus).toEqual([0]);
  });

  it('names nodes that are to be left alone', () => {
    const annotated = (annotations: Record<string, string>) => {
      told.objects = [nodeOf('a', { metadata: { labels: ours('n1'), annotations } })];
      return observe().doNotDisrupt;
    };
    expect(annotated({ 'cluster-autoscaler.kubernetes.io/scale-down-disabled': 'true' })).toEqual(['n1']);
    expect(annotated({ 'karpenter.sh/do-not-disrupt': 'true' })).toEqual(['n1']);
    // Ebb's own word to Karpenter, which Karpenter brings to the node.
    expect(annotated({ 'karpenter.sh/do-not-disrupt': 'true', 'ebb.dev/offering': 'aws' })).toEqual([]);
    expect(annotated({})).toEqual([]);
  });

  it('has nodes of others as long as the scheduler may not have seen their room', async () => {
    told.objects.push(
      nodeOf('b'),
      nodeOf('down', { ready: false }),
      nodeOf('closed', { spec: { unschedulable: true } }),
    );
    told.pods = [on('b', podOf('theirs'))];
    expect(observe().others).toMatchObject([{ name: 'node/b', free: { cpuMilli: 3000, pods: 109 } }]);
    await clock.advance(5000);
    expect(observe().others).toEqual([]);
    // More pods there are no room; one that has gone is.
    told.pods.push(on('b', podOf('another')));
    expect(observe().others).toEqual([]);
    told.pods = [];
    expect(observe().others?.length).toBe(1);
  });

  it('tells once for all that happens in a turn, and of DaemonSets by their name', async () => {
    const heard: string[] = [];
    guests.watch((what) => heard.push(what));
    for (let count = 0; count < 5; count++) told.tell('pod');
    told.tell('daemonSet');
    told.tell('document');
    await clock.advance(0);
    expect(heard).toEqual(['overhead', 'pods']);
  });
});

describe('a pod for which a node was found', () => {
  it('is shown there until the scheduler has it', () => {
    told.pods = [podOf('waits')];
    const id = observe().pods[0]?.pod.id ?? '';
    book = [fleetNode('n1', { phase: 'starting' })];
    decide(bind(id, 'n1'));
    expect(observe().pods[0]?.bound?.node).toBe('n1');
    decide({ type: 'unbind', pod: id, node: 'n1', reason: 'lost' });
    expect(waiting()).toEqual(['waits']);
  });

  it('looks for another kind when the scheduler does not put it on a ready node, and rests after three', async () => {
    told.pods = [podOf('waits')];
    const id = observe().pods[0]?.pod.id ?? '';
    for (const [index, type] of ['g5.xlarge', 'g5.2xlarge', 'g5.4xlarge'].entries()) {
      const node = fleetNode(`n${index + 1}`);
      const instanceType = { ...node.offering.instanceType, name: type };
      book = [{ ...node, offering: { ...node.offering, instanceType } }];
      decide(bind(id, node.id));
      expect(observe().pods[0]?.bound?.node).toBe(node.id);
      await clock.advance(9999);
      expect(observe().pods[0]?.bound?.node).toBe(node.id);
      await clock.advance(1);
      if (index < 2) expect(waiting()).toEqual(['waits']);
    }
    expect(observe().pods).toEqual([]);
    expect(log.at(-1)).toContain('left alone for ten minutes');
    await clock.advance(600_000);
    expect(waiting()).toEqual(['waits']);
  });

  it('names the kinds that the scheduler would not have', async () => {
    told.pods = [podOf('waits')];
    decide(bind(observe().pods[0]?.pod.id ?? '', 'n1'));
    observe();
    await clock.advance(10_000);
    expect(observe().pods[0]?.pod.requirements).toEqual([
      { key: 'node.kubernetes.io/instance-type', operator: 'NotIn', values: ['g5.xlarge'] },
    ]);
  });

  it('waits again at once where another pod took its room, and blames no kind', () => {
    const large = { spec: { containers: [{ resources: { requests: { cpu: '3' } } }] } };
    told.pods = [podOf('waits', large)];
    decide(bind(observe().pods[0]?.pod.id ?? '', 'n1'));
    told.pods.push(on('a', podOf('first', large)));
    const found = observe().pods.find(({ bound }) => bound === null);
    expect(found?.pod.requirements).toEqual([]);
  });

  it('says once why no machine can be chosen', () => {
    told.pods = [
      podOf('strange', { spec: { containers: [{ resources: { requests: { 'example.com/fpga': '1' } } }] } }),
    ];
    expect(observe().pods).toEqual([]);
    observe();
    expect(log.filter((line) => line.includes('example.com/fpga')).length).toBe(1);
  });
});

describe('what DaemonSets take of a new node', () => {
  const pool = (taints: { key: string; value: string; effect: 'NoSchedule' }[]) =>
    ({
      ...{ reserve: { cpuMilli: 200, memoryBytes: 0, memoryShare: 0, pods: 0 }, taints, labels: { tier: 'gpu' } },
      ...{ cluster: 'prod', name: 'prod/default/gpu', offerings: [{ offering: fleetNode('x').offering }] },
    }) as unknown as Parameters<ClusterGuests['overheadOf']>[0];
  const daemonSet = (more: Record<string, unknown> = {}) => {
    const containers = [{ resources: { requests: { cpu: '100m', memory: '128Mi' } } }];
    return objectOf('DaemonSet', { metadata: { name: 'd' }, spec: { template: { spec: { containers, ...more } } } });
  };
  const gpuTaint = [{ key: 'nvidia.com/gpu', value: '', effect: 'NoSchedule' as const }];
  const none = { cpuMilli: 0, memoryBytes: 0, memoryShare: 0, pods: 0 };
  const some = { cpuMilli: 100, memoryBytes: 128 * 1024 ** 2, memoryShare: 0, pods: 1 };

  it.each([
    ['everywhere', {}, [], some],
    ['kept away by a taint', {}, gpuTaint, none],
    ['with a toleration', { tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists' }] }, gpuTaint, some],
    ['for other nodes', { nodeSelector: { tier: 'web' } }, [], none],
    ['for these', { nodeSelector: { tier: 'gpu', 'kubernetes.io/arch': 'amd64' } }, [], some],
    ['for nodes of its pool', { nodeSelector: { 'ebb.dev/pool': 'prod_default_gpu' } }, [], some],
    ['for nodes of another pool', { nodeSelector: { 'ebb.dev/pool': 'prod_default_cpu' } }, [], none],
    ['for machines on demand', { nodeSelector: { 'ebb.dev/capacity-type': 'on-demand' } }, [], some],
    ['for one node by its name', { nodeSelector: { 'kubernetes.io/hostname': 'a' } }, [], some],
    ['by a label that nodes do not have', { nodeSelector: { strange: 'yes' } }, [], none],
  ])('%s', (_what, more, taints, overhead) => {
    told.daemons = [daemonSet(more)];
    expect(guests.overheadOf(pool(taints))).toEqual(overhead);
  });
});
