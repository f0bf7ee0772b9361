import { describe, expect, it } from 'vitest';
import { isNotToMove, isUnschedulable, podNeeds } from './podNeeds.ts';
import { podRequests } from './podRequests.ts';
import { podOf } from './seenNodes.fixture.ts';

const container = (requests: Record<string, string>, more = {}) => ({ name: 'c', resources: { requests }, ...more });

describe('what a pod sets aside', () => {
  it('adds containers, sidecars and overhead, and takes an init container where that is more', () => {
    const sidecar = container({ cpu: '500m', memory: '1Gi' }, { restartPolicy: 'Always' });
    const init = container({ cpu: '3', memory: '100Mi' });
    const containers = [container({ cpu: '1', memory: '2Gi' }), container({ cpu: '250m' })];
    const overhead = { cpu: '100m', memory: '128Mi' };
    const { cpuMilli, memoryBytes } = podRequests({ containers, initContainers: [sidecar, init], overhead });
    expect({ cpuMilli, memoryBytes }).toEqual({ cpuMilli: 3600, memoryBytes: 3 * 1024 ** 3 + 128 * 1024 ** 2 });
    // An init container before the sidecar runs without it.
    const first = podRequests({ containers, initContainers: [init, sidecar] });
    expect(first.cpuMilli).toBe(3000);
  });

  it('takes limits where there are no requests', () => {
    const { cpuMilli, gpu } = podRequests({
      containers: [{ name: 'c', resources: { limits: { cpu: '2', 'nvidia.com/gpu': '2' }, requests: { cpu: '1' } } }],
    });
    expect({ cpuMilli, gpu }).toEqual({
      cpuMilli: 1000,
      gpu: { kind: 'whole', count: 2, vendor: 'nvidia', minMemoryBytes: 0 },
    });
  });

  it.each([
    [{ 'nvidia.com/mig-1g.10gb': '2' }, { kind: 'mig', profile: '1g.10gb', count: 2 }, null],
    [{ 'nvidia.com/mig-1g.10gb.me': '1' }, { kind: 'mig', profile: '1g.10gb+me', count: 1 }, null],
    [{ 'nvidia.com/gpu.shared': '1' }, { kind: 'share', gpuMilli: 0, memoryBytes: 0, vendor: 'nvidia' }, null],
    [
      { 'nvidia.com/gpu': '1', 'nvidia.com/gpumem': '3000', 'nvidia.com/gpucores': '30' },
      { kind: 'share', gpuMilli: 300, memoryBytes: 3000 * 1024 ** 2, vendor: 'nvidia' },
      null,
    ],
    [{ 'amd.com/gpu': '1' }, { kind: 'whole', count: 1, vendor: 'amd', minMemoryBytes: 0 }, null],
    [{ cpu: '1' }, null, null],
    [{ 'nvidia.com/gpu.shared': '2' }, null, /no more of a GPU/],
    [{ 'nvidia.com/gpu': '1', 'nvidia.com/mig-1g.10gb': '1' }, null, /several kinds/],
    [{ 'example.com/fpga': '1' }, null, /example\.com\/fpga/],
  ])('reads %o', (requests, gpu, problem) => {
    const found = podRequests({ containers: [container(requests as Record<string, string>)] });
    expect(found.gpu).toEqual(gpu);
    if (problem === null) expect(found.problem).toBeNull();
    else expect(found.problem).toMatch(problem);
  });
});

describe('where a pod may run', () => {
  it('takes selectors, affinities, tolerations, spreads and anti-affinities', () => {
    const apart = { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'llm' } } };
    const pod = podOf('llm-1', {
      spec: {
        nodeSelector: { 'ebb.dev/pool': 'prod_default_gpu' },
        tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists' }, { operator: 'Exists' }],
        topologySpreadConstraints: [
          {
            maxSkew: 2,
            topologyKey: 'topology.kubernetes.io/zone',
            whenUnsatisfiable: 'DoNotSchedule',
            labelSelector: { matchLabels: { app: 'llm' } },
          },
          { maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' },
          { maxSkew: 1, topologyKey: 'rack', whenUnsatisfiable: 'DoNotSchedule' },
        ],
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['1', '2'] }] }],
            },
            preferredDuringSchedulingIgnoredDuringExecution: [
              { weight: 10, preference: { matchExpressions: [{ key: 'b', operator: 'Exists' }] } },
              {
                weight: 1,
                preference: {
                  matchExpressions: [{ key: 'ebb.dev/pool', operator: 'In', values: ['prod_default_cpu'] }],
                },
              },
            ],
          },
          podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [apart] },
        },
      },
    });
    const { pod: needs, notes, problem } = podNeeds(pod);
    const selector = { app: 'llm', 'ebb.dev/namespace': 'shop' };
    expect(problem).toBeNull();
    expect(needs).toMatchObject({
      workload: 'shop/ReplicaSet/llm-1',
      labels: selector,
      requirements: [{ key: 'ebb.dev/pool', operator: 'In', values: ['prod/default/gpu'] }],
      affinityTerms: [[{ key: 'a', operator: 'In', values: ['1', '2'] }]],
      preferred: [
        { weight: 10, requirements: [{ key: 'b', operator: 'Exists', values: [] }] },
        { weight: 1, requirements: [{ key: 'ebb.dev/pool', operator: 'In', values: ['prod/default/cpu'] }] },
      ],
      tolerations: [
        { key: 'nvidia.com/gpu', operator: 'Exists', value: '', effect: null },
        { key: null, operator: 'Exists', value: '', effect: null },
      ],
      spread: [{ topology: 'zone', maxSkew: 2, selector }],
      antiAffinity: [{ topology: 'hostname', selector }],
      interruptible: true,
    });
    expect(notes).toEqual(['the spread over rack is left to the scheduler']);
  });

  it('keeps shares and MIG instances to the nodes that show them', () => {
    const spec = (resource: string) => ({ spec: { containers: [container({ [resource]: '1' })] } });
    expect(podNeeds(podOf('a', spec('nvidia.com/gpu.shared'))).pod.requirements).toEqual([
      { key: 'nvidia.com/gpu.sharing-strategy', operator: 'In', values: ['time-slicing', 'mps'] },
    ]);
    expect(podNeeds(podOf('a', spec('nvidia.com/mig-1g.10gb'))).pod.requirements).toEqual([
      { key: 'nvidia.com/mig.config', operator: 'In', values: ['all-1g.10gb'] },
    ]);
    expect(podNeeds(podOf('a', spec('nvidia.com/gpu'))).pod.requirements).toEqual([]);
  });
});

describe('which pods count', () => {
  const unschedulable = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }];
  it.each([
    ['waits for a place', {}, true],
    ['was not looked at yet', { status: { phase: 'Pending' } }, false],
    [
      'is gated',
      { status: { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] } },
      false,
    ],
    ['asks to be left alone', { metadata: { annotations: { 'ebb.dev/node-pools': 'ignore' } } }, false],
    [
      'is of a DaemonSet',
      { metadata: { ownerReferences: [{ kind: 'DaemonSet', name: 'd', controller: true }] } },
      false,
    ],
    ['may wait for ever', { spec: { priority: -11 } }, false],
    ['gets the place of others', { status: { conditions: unschedulable, nominatedNodeName: 'n' } }, false],
    ['is on its way out', { metadata: { deletionTimestamp: '2026-11-23T00:00:00Z' } }, false],
    ['has ended', { status: { phase: 'Failed', conditions: unschedulable } }, false],
    ['has a node', { spec: { nodeName: 'n' } }, false],
  ])('one that %s', (_what, change, counts) => {
    expect(isUnschedulable(podOf('a', change))).toBe(counts);
  });

  it.each([
    [{}, false],
    [{ annotations: { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' } }, true],
    [{ annotations: { 'karpenter.sh/do-not-disrupt': 'true' } }, true],
    [{ ownerReferences: [] }, true],
    [{ ownerReferences: [], annotations: { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'true' } }, false],
  ])('stays where it runs with %o: %s', (metadata, stays) => {
    expect(isNotToMove(podOf('a', { metadata }))).toBe(stays);
  });
});
