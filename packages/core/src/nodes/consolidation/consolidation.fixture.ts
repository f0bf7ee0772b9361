import fc from 'fast-check';
import { checkPlan } from '../placement/checkPlan.ts';
import { machine, node, noLimits, nvidia, plainSettings, pod, pool } from '../placement/placement.fixture.ts';
import type { PlacedPod, PlacementInput, PlacementNode, PlacementPod, Plan } from '../placement/types.ts';
import type { InstanceType } from '../types.ts';
import type {
  ConsolidationInput,
  ConsolidationMove,
  ConsolidationNode,
  ConsolidationPool,
  RunningPod,
} from './types.ts';

export const nowMs = 10_000_000;
export const types = {
  small: { type: machine('small', 2, 8), price: 0.1 },
  medium: { type: machine('medium', 4, 16), price: 0.2 },
  large: { type: machine('large', 8, 32), price: 0.4 },
  gpu: { type: machine('gpu', 8, 32, nvidia('A10G', 1, 24)), price: 1 },
  gpu4: { type: machine('gpu4', 32, 128, nvidia('A10G', 4, 24)), price: 5 },
};
type TypeName = keyof typeof types;

/** Pods that run, on the node's first GPUs where they need some. */
export function running(
  id: string,
  cores: number,
  change: Partial<RunningPod> = {},
  asked: Partial<PlacementPod> = {},
) {
  const place: PlacedPod = { id, gpus: [], instances: [] };
  const one = pod(id, { cpuMilli: cores * 1000, ...asked });
  return { pod: one, place, loadMs: 0, inFlight: 0, doNotDisrupt: false, ...change };
}

export function standing(
  name: string,
  typeName: TypeName,
  pods: readonly RunningPod[],
  change: Partial<ConsolidationNode> = {},
  empty: Partial<PlacementNode> = {},
): ConsolidationNode {
  const { type, price } = types[typeName];
  return {
    empty: emptyNode(name, type, empty),
    offering: {
      ...{ id: `a/${type.name}/on-demand`, instanceType: type, region: 'r1', zone: 'a', capacityType: 'on-demand' },
      pricePerHourMicro: Math.round(price * 1e6),
    },
    ...{ interruptionsPerHour: 0, pods, readyAtMs: 0, quietSinceMs: 0, doNotDisrupt: false, isGoing: false },
    ...{ notice: null, outdated: null },
    ...change,
  };
}

function emptyNode(name: string, type: InstanceType, change: Partial<PlacementNode>): PlacementNode {
  return node(name, type.cpuMilli / 1000, type.memoryBytes / 2 ** 30, {
    gpu: type.gpu,
    gpuUse: Array.from({ length: type.gpu?.count ?? 0 }, () => ({
      ...{ places: 0, gpuMilli: 0, memoryBytes: 0, instances: [] },
    })),
    ...change,
  });
}

export function rules(offered: readonly TypeName[], change: Partial<ConsolidationPool> = {}): ConsolidationPool {
  return {
    pool: pool(
      'p',
      offered.map((name) => types[name]),
    ),
    ...{ policy: 'WhenEmptyOrUnderutilized', delayMs: 60_000, delayAfterScaleUpMs: 0 },
    ...{ utilizationBelow: null, gpuUtilizationBelow: null, budgets: [], minNodes: 0, warmSpares: 0 },
    isSurgeAllowed: true,
    ...change,
  };
}

/** The pool's use is counted from the nodes. */
export function asking(
  nodes: readonly ConsolidationNode[],
  own: ConsolidationPool,
  change: Partial<ConsolidationInput> = {},
): ConsolidationInput {
  const used = { nodes: 0, cpuMilli: 0, memoryBytes: 0, gpus: 0, pricePerHourMicro: 0 };
  for (const { offering } of nodes) {
    used.nodes++;
    used.cpuMilli += offering.instanceType.cpuMilli;
    used.memoryBytes += offering.instanceType.memoryBytes;
    used.gpus += offering.instanceType.gpu?.count ?? 0;
    used.pricePerHourMicro += offering.pricePerHourMicro;
  }
  return {
    ...{ nowMs, nodes, settings: plainSettings },
    pools: [{ ...own, pool: { ...own.pool, used } }],
    gain: { minPerHourMicro: 0, minShare: 0, paybackMs: 3_600_000 },
    ...change,
  };
}

/** What `checkPlan` says of one move: written apart from what makes moves, node by node. */
export function checkMove(input: ConsolidationInput, move: ConsolidationMove): string[] {
  const removed = input.nodes.filter(({ empty }) => move.remove.includes(empty.name));
  const staying = input.nodes.filter(({ empty, isGoing }) => !isGoing && !move.remove.includes(empty.name));
  // What still runs on a node that goes already counts for rules between pods.
  const leaving = input.nodes.filter(({ isGoing, pods }) => isGoing && pods.length > 0);
  const at = (name: string) => move.relocate.filter(({ to }) => to === name).map(({ place }) => place);
  const asked: PlacementInput = {
    nowMs: input.nowMs,
    pods: removed.flatMap(({ pods }) => pods.map((one) => one.pod)),
    nodes: [
      ...staying.map(leftOf),
      ...leaving.map((one) => ({ ...leftOf(one), free: { cpuMilli: 0, memoryBytes: 0, pods: 0 } })),
    ],
    pools: input.pools.map(({ pool: own }) => {
      const used = { ...own.used };
      if (move.order === 'drain-first') {
        for (const { empty, offering } of removed) {
          if (empty.pool !== own.name) continue;
          used.nodes--;
          used.cpuMilli -= offering.instanceType.cpuMilli;
          used.memoryBytes -= offering.instanceType.memoryBytes;
          used.gpus -= offering.instanceType.gpu?.count ?? 0;
          used.pricePerHourMicro -= offering.pricePerHourMicro;
        }
      }
      return { ...own, used };
    }),
    settings: input.settings,
  };
  const buy = move.buy.map(({ name, pool: own, offering: id }) => {
    const entry = input.pools
      .find((one) => one.pool.name === own)
      ?.pool.offerings.find(({ offering }) => offering.id === id);
    const { zone = '', pricePerHourMicro = 0 } = entry?.offering ?? {};
    return { pool: own, offering: id, zone, pricePerHourMicro, pods: at(name) };
  });
  const price = buy.reduce((sum, one) => sum + one.pricePerHourMicro, 0);
  const made: Plan = {
    ...{ buy, pricePerHourMicro: price, costPerHourMicro: price, lowerBoundMicro: 0, gap: null, podPrices: [] },
    bind: staying.flatMap(({ empty: { name } }) => (at(name).length === 0 ? [] : [{ node: name, pods: at(name) }])),
    unplaceable: move.stranded.length === 0 ? [] : [{ reason: { kind: 'no-supply' }, pods: move.stranded }],
    ...{ foundBy: 'greedy', solver: null, workUnits: 0 },
  };
  return checkPlan(asked, made);
}

function leftOf({ empty, pods }: ConsolidationNode): PlacementNode {
  const sum = (amount: (one: PlacementPod) => number) => pods.reduce((total, one) => total + amount(one.pod), 0);
  return {
    ...empty,
    free: {
      cpuMilli: empty.free.cpuMilli - sum(({ cpuMilli }) => cpuMilli),
      memoryBytes: empty.free.memoryBytes - sum(({ memoryBytes }) => memoryBytes),
      pods: empty.free.pods - pods.length,
    },
    gpuUse: empty.gpuUse.map((use, index) => ({
      ...use,
      places: use.places + pods.flatMap(({ place }) => place.gpus).filter((gpu) => gpu === index).length,
    })),
    pods: [
      ...empty.pods,
      ...pods.map(({ pod: { workload, labels, antiAffinity } }) => ({ workload, labels, antiAffinity })),
    ],
  };
}

const anyPod = fc.record({
  cores: fc.constantFrom(0.5, 1, 1, 2, 3),
  app: fc.constantFrom('web', 'chat'),
  rule: fc.constantFrom('none', 'none', 'none', 'spread', 'apart', 'apart-zone'),
  needsGpu: fc.boolean(),
  loadMs: fc.constantFrom(0, 60_000, 600_000),
  inFlight: fc.constantFrom(0, 0, 2),
  doNotDisrupt: fc.integer({ min: 0, max: 11 }).map((n) => n === 0),
});

const anyNode = fc.record({
  typeName: fc.constantFrom<TypeName[]>('small', 'medium', 'large', 'gpu', 'gpu4'),
  zone: fc.constantFrom('a', 'b'),
  pods: fc.array(anyPod, { maxLength: 5 }),
  quietSinceMs: fc.constantFrom(0, 0, 0, nowMs - 1000),
  doNotDisrupt: fc.integer({ min: 0, max: 15 }).map((n) => n === 0),
  isGoing: fc.integer({ min: 0, max: 15 }).map((n) => n === 0),
  notice: fc.constantFrom(null, null, null, null, null, 'interruption' as const, 'rebalance' as const),
  outdated: fc.constantFrom(null, null, null, null, null, 'drift' as const, 'expiry' as const),
});

const anyBudget: fc.Arbitrary<ConsolidationPool['budgets'][number]> = fc.record({
  nodes: fc.oneof(
    fc.record({ kind: fc.constant('count' as const), count: fc.nat(3) }),
    fc.record({ kind: fc.constant('share' as const), share: fc.constantFrom(0.1, 0.5, 1) }),
  ),
  reasons: fc.subarray(['Empty', 'Underutilized', 'Drifted'] as const),
  isActive: fc.boolean(),
});

/** A cluster with a little of everything. Pods that do not fit their node are left out. */
export const anyCluster: fc.Arbitrary<ConsolidationInput> = fc
  .record({
    nodes: fc.array(anyNode, { maxLength: 10 }),
    offered: fc.subarray(Object.keys(types) as TypeName[]),
    budgets: fc.array(anyBudget, { maxLength: 2 }),
    policy: fc.constantFrom(
      'WhenEmpty' as const,
      ...Array<'WhenEmptyOrUnderutilized'>(4).fill('WhenEmptyOrUnderutilized'),
      'Never' as const,
    ),
    delayMs: fc.constantFrom(0, 60_000),
    minNodes: fc.constantFrom(0, 0, 2),
    warmSpares: fc.constantFrom(0, 0, 1),
    isSurgeAllowed: fc.boolean(),
    maxNodes: fc.constantFrom(null, null, 6),
    minShare: fc.constantFrom(0, 0.1, 0.3),
    paybackMs: fc.constantFrom(600_000, 3_600_000),
  })
  .map(({ nodes, offered, maxNodes, minShare, paybackMs, ...own }) => {
    let next = 0;
    const there = nodes.map(({ typeName, zone, pods, ...change }, n) => {
      const { type } = types[typeName];
      let left = type.cpuMilli;
      let gpus = 0;
      const on: RunningPod[] = [];
      for (const { cores, app, rule, needsGpu, ...one } of pods) {
        if (cores * 1000 > left) continue;
        left -= cores * 1000;
        const hasGpu = needsGpu && gpus < (type.gpu?.count ?? 0);
        const topology = rule === 'apart-zone' ? ('zone' as const) : ('hostname' as const);
        const id = `pod-${next++}`;
        on.push(
          running(
            id,
            cores,
            { ...one, place: { id, gpus: hasGpu ? [gpus++] : [], instances: [] } },
            {
              ...{ workload: app, labels: { app } },
              gpu: hasGpu ? { kind: 'whole', count: 1, vendor: null, minMemoryBytes: 0 } : null,
              spread: rule === 'spread' ? [{ topology: 'zone', maxSkew: 1, selector: { app } }] : [],
              antiAffinity: rule.startsWith('apart') ? [{ topology, selector: { app } }] : [],
            },
          ),
        );
      }
      return standing(`node-${n}`, typeName, on, change, { zone });
    });
    const offers = rules(offered, own);
    const limits = { ...noLimits, nodes: maxNodes };
    return asking(
      there,
      { ...offers, pool: { ...offers.pool, limits, startMs: 60_000 } },
      {
        gain: { minPerHourMicro: 10_000, minShare, paybackMs },
      },
    );
  });
