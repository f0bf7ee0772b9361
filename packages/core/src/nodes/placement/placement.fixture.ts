import { noReserve } from './allocatable.ts';
import fc from 'fast-check';
import { noLimits } from '../planInput/poolsOf.ts';
import type { GpuNeed, GpuSharing, InstanceType, Requirement, Taint, Toleration } from '../types.ts';
import type {
  NodeLimits,
  PlacementInput,
  PlacementNode,
  PlacementPod,
  PlacementPool,
  PlacementSettings,
} from './types.ts';

export const gib = 2 ** 30;
export { noLimits };

export const plainSettings: PlacementSettings = {
  nodeChargeMicro: 0,
  nodeLifeMs: 24 * 3_600_000,
  preferencePriceMicro: 1000,
  maxPodsPerNode: null,
  maxWorkloadShare: 1,
  limits: noLimits,
};

export function pod(id: string, change: Partial<PlacementPod> = {}): PlacementPod {
  return {
    ...{ id, workload: 'web', labels: { app: 'web' }, cpuMilli: 1000, memoryBytes: gib, gpu: null },
    ...{ requirements: [], affinityTerms: [], preferred: [], tolerations: [], spread: [], antiAffinity: [] },
    ...{ clusters: null, regions: null, pools: null },
    ...{ interruptible: false, interruptionPriceMicro: 0, priority: 0 },
    ...change,
  };
}

export function pods(count: number, name: string, change: Partial<PlacementPod> = {}): PlacementPod[] {
  return Array.from({ length: count }, (_, i) => pod(`${name}-${i}`, change));
}

export function machine(name: string, cores: number, memoryGib: number, gpu: InstanceType['gpu'] = null): InstanceType {
  const base = { cloud: 'aws', architecture: 'amd64' as const, maxPods: 110, labels: {} };
  return { ...base, name, cpuMilli: cores * 1000, memoryBytes: memoryGib * gib, gpu };
}

export function nvidia(model: string, count: number, memoryGib: number): InstanceType['gpu'] {
  return { vendor: 'nvidia', model, count, memoryBytes: memoryGib * gib };
}

interface Offered {
  type: InstanceType;
  /** Currency units an hour. */
  price: number;
  zones?: string[];
  capacityType?: 'on-demand' | 'spot';
}

export function pool(name: string, offered: readonly Offered[], change: Partial<PlacementPool> = {}): PlacementPool {
  return {
    ...{ name, cluster: 'local', labels: {}, taints: [], sharing: { kind: 'none' }, limits: noLimits, startMs: 0 },
    reserve: noReserve,
    used: { nodes: 0, cpuMilli: 0, memoryBytes: 0, gpus: 0, pricePerHourMicro: 0 },
    offerings: offered.flatMap(({ type, price, zones = ['a'], capacityType = 'on-demand' }) =>
      zones.map((zone) => ({
        offering: {
          ...{ id: `${zone}/${type.name}/${capacityType}`, instanceType: type, region: 'r1', zone, capacityType },
          pricePerHourMicro: Math.round(price * 1e6),
        },
        ...{ backedOffUntilMs: null, stock: null, interruptionsPerHour: capacityType === 'spot' ? 0.05 : 0 },
      })),
    ),
    ...change,
  };
}

export function node(
  name: string,
  cores: number,
  memoryGib: number,
  change: Partial<PlacementNode> = {},
): PlacementNode {
  return {
    ...{
      name,
      pool: 'p',
      labels: {},
      taints: [],
      zone: 'a',
      region: 'r1',
      cluster: 'local',
      capacityType: 'on-demand',
    },
    free: { cpuMilli: cores * 1000, memoryBytes: memoryGib * gib, pods: 110 },
    ...{ gpu: null, sharing: { kind: 'none' }, gpuUse: [], pods: [] },
    ...change,
  };
}

export function input(change: Partial<PlacementInput>): PlacementInput {
  return { nowMs: 1000, pods: [], nodes: [], pools: [], settings: plainSettings, ...change };
}

const zones = ['a', 'b', 'c'];
const apps = ['web', 'chat', 'batch'];
const sharings: GpuSharing[] = [
  { kind: 'none' },
  { kind: 'time-slicing', replicas: 4 },
  { kind: 'mps', replicas: 2 },
  { kind: 'fraction' },
  { kind: 'mig' },
];
const migProfiles = ['1g.10gb', '2g.20gb', '3g.40gb', '7g.80gb', '1g.20gb'];

const anyGpuNeed: fc.Arbitrary<GpuNeed> = fc.oneof(
  fc.record({
    kind: fc.constant('whole' as const),
    count: fc.integer({ min: 1, max: 4 }),
    vendor: fc.constantFrom(null, 'nvidia' as const),
    minMemoryBytes: fc.constantFrom(0, 24 * gib, 80 * gib),
  }),
  fc.record({
    kind: fc.constant('share' as const),
    gpuMilli: fc.constantFrom(100, 250, 330, 500, 700),
    memoryBytes: fc.constantFrom(0, 4 * gib, 11 * gib, 30 * gib),
    vendor: fc.constant(null),
  }),
  fc.record({
    kind: fc.constant('mig' as const),
    profile: fc.constantFrom(...migProfiles),
    count: fc.integer({ min: 1, max: 3 }),
  }),
);

const anyRequirement: fc.Arbitrary<Requirement> = fc.constantFrom<Requirement[]>(
  { key: 'topology.kubernetes.io/zone', operator: 'In', values: ['a', 'b'] },
  { key: 'topology.kubernetes.io/zone', operator: 'NotIn', values: ['a'] },
  { key: 'generation', operator: 'Gt', values: ['5'] },
  { key: 'generation', operator: 'Exists', values: [] },
  { key: 'team', operator: 'DoesNotExist', values: [] },
);
const anySelector = fc.constantFrom(...apps).map((app) => ({ app }));
const anyTopology = fc.constantFrom('zone' as const, 'hostname' as const);
const rarely = <Item>(item: fc.Arbitrary<Item>) => fc.array(item, { maxLength: 1, size: 'small' });
const mostly = <Item>(usual: Item, other: fc.Arbitrary<Item>) =>
  fc.oneof({ arbitrary: fc.constant(usual), weight: 4 }, { arbitrary: other, weight: 1 });
const taint: Taint = { key: 'gpu', value: 'yes', effect: 'NoSchedule' };
const toleration: Toleration = { key: 'gpu', operator: 'Exists', value: '', effect: null };

const anyGroup = fc.record({
  count: fc.integer({ min: 1, max: 14 }),
  app: fc.constantFrom(...apps),
  cpuMilli: fc.constantFrom(100, 250, 900, 2000, 3700, 9000),
  memoryBytes: fc.constantFrom(0.2 * gib, gib, 3 * gib, 14 * gib).map(Math.round),
  gpu: mostly<GpuNeed | null>(null, anyGpuNeed),
  requirements: mostly<Requirement[]>([], fc.array(anyRequirement, { maxLength: 2 })),
  affinityTerms: mostly<Requirement[][]>(
    [],
    fc.array(fc.array(anyRequirement, { minLength: 1, maxLength: 2 }), { maxLength: 2 }),
  ),
  preferred: mostly<PlacementPod['preferred']>(
    [],
    rarely(
      fc.record({
        weight: fc.integer({ min: 1, max: 100 }),
        requirements: fc.array(anyRequirement, { minLength: 1, maxLength: 1 }),
      }),
    ),
  ),
  tolerations: fc.constantFrom<Toleration[][]>([], [toleration]),
  spread: mostly<PlacementPod['spread']>(
    [],
    rarely(fc.record({ topology: anyTopology, maxSkew: fc.integer({ min: 1, max: 2 }), selector: anySelector })),
  ),
  antiAffinity: mostly<PlacementPod['antiAffinity']>(
    [],
    rarely(fc.record({ topology: anyTopology, selector: anySelector })),
  ),
  regions: mostly<string[] | null>(null, fc.constantFrom(['r1'], ['r2'])),
  pools: mostly<string[] | null>(null, fc.constantFrom(['cpu'], ['gpu'])),
  interruptible: fc.boolean(),
  interruptionPriceMicro: fc.constantFrom(0, 50_000),
  priority: fc.integer({ min: 0, max: 2 }),
});

const anyMachines = fc.subarray(
  [
    { type: machine('small', 2, 4), price: 0.1 },
    { type: { ...machine('medium', 4, 16), labels: { generation: '6' } }, price: 0.2 },
    { type: machine('large', 16, 64), price: 0.77 },
    { type: machine('l4x1', 4, 16, nvidia('L4', 1, 24)), price: 0.8 },
    { type: machine('l4x4', 48, 192, nvidia('L4', 4, 24)), price: 4.6 },
    { type: machine('a100x2', 24, 170, nvidia('A100', 2, 80)), price: 7.2 },
  ],
  { minLength: 1 },
);
const anyLimit = (max: number) =>
  fc.oneof({ arbitrary: fc.constant(null), weight: 5 }, { arbitrary: fc.nat(max), weight: 1 });
const anyLimits: fc.Arbitrary<NodeLimits> = fc.record({
  nodes: anyLimit(6),
  cpuMilli: anyLimit(60_000),
  memoryBytes: anyLimit(200).map((size) => (size === null ? null : size * gib)),
  gpus: anyLimit(6),
  pricePerHourMicro: anyLimit(9_000_000),
});

const anyPool = (name: string) =>
  fc
    .record({
      machines: anyMachines,
      zones: fc.subarray(zones, { minLength: 1 }),
      spot: fc.boolean(),
      taints: mostly<Taint[]>([], fc.constant([taint])),
      labels: mostly<Record<string, string>>({}, fc.constant({ team: 'x' })),
      sharing: fc.constantFrom(...sharings),
      limits: anyLimits,
      backedOff: fc.nat(7),
      stock: mostly<number | null>(null, fc.nat(3)),
    })
    .map(({ machines, zones, spot, backedOff, stock, ...change }) => {
      const onDemand = machines.map((one) => ({ ...one, zones }));
      const offered = spot
        ? [...onDemand, ...onDemand.map((one) => ({ ...one, price: one.price * 0.4, capacityType: 'spot' as const }))]
        : onDemand;
      const made = pool(name, offered, change);
      const offerings = made.offerings.map((entry, index) => ({
        ...entry,
        backedOffUntilMs: index % 8 === backedOff ? 5000 : null,
        stock: index % 3 === 0 ? stock : null,
      }));
      return { ...made, offerings };
    });

const anyNode = fc
  .record({
    zone: fc.constantFrom(...zones),
    cores: fc.constantFrom(0, 1, 4, 15),
    memoryGib: fc.constantFrom(1, 8, 30),
    podsFree: fc.constantFrom(0, 3, 100),
    gpus: fc.constantFrom(0, 0, 1, 2),
    sharing: fc.constantFrom(...sharings),
    used: fc.boolean(),
    running: fc.array(
      fc.record({
        app: fc.constantFrom(...apps),
        antiAffinity: mostly<PlacementPod['antiAffinity']>(
          [],
          fc.array(fc.record({ topology: anyTopology, selector: anySelector }), { minLength: 1, maxLength: 1 }),
        ),
      }),
      { maxLength: 2 },
    ),
    taints: mostly<Taint[]>([], fc.constant([taint])),
  })
  .map(({ zone, cores, memoryGib, podsFree, gpus, sharing, used, running, taints }) =>
    node('', cores, memoryGib, {
      ...{ zone, taints, sharing },
      free: { cpuMilli: cores * 1000, memoryBytes: memoryGib * gib, pods: podsFree },
      gpu: gpus === 0 ? null : nvidia('A100', gpus, 80),
      gpuUse: Array.from({ length: gpus }, (_, i) => {
        const isUsed = used && i === 0;
        return {
          places: isUsed && sharing.kind !== 'mig' ? 1 : 0,
          gpuMilli: isUsed ? 400 : 0,
          memoryBytes: isUsed ? 30 * gib : 0,
          instances: isUsed && sharing.kind === 'mig' ? [{ profile: '2g.20gb', start: 2 }] : [],
        };
      }),
      pods: running.map(({ app, antiAffinity }) => ({ workload: app, labels: { app }, antiAffinity })),
    }),
  );

/** Inputs with a little of everything. */
export const anyInput: fc.Arbitrary<PlacementInput> = fc
  .record({
    groups: fc.array(anyGroup, { maxLength: 6 }),
    nodes: fc.array(anyNode, { maxLength: 5 }),
    cpu: anyPool('cpu'),
    gpu: anyPool('gpu'),
    settings: fc.record({
      nodeChargeMicro: fc.constantFrom(0, 10_000),
      nodeLifeMs: fc.constant(3_600_000),
      preferencePriceMicro: fc.constantFrom(0, 1000),
      maxPodsPerNode: mostly<number | null>(null, fc.integer({ min: 1, max: 8 })),
      maxWorkloadShare: fc.constantFrom(1, 1, 0.3),
      limits: anyLimits,
    }),
  })
  .map(({ groups, nodes, cpu, gpu, settings }) => ({
    ...{ nowMs: 1000, pools: [cpu, gpu], settings },
    nodes: nodes.map((one, index) => ({ ...one, name: `node-${index}` })),
    pods: groups.flatMap(({ count, app, ...change }, g) =>
      pods(count, `g${g}`, { ...change, workload: app, labels: { app }, clusters: null }),
    ),
  }));
