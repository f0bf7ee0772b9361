import { describe, expect, it } from 'vitest';
import { checkPlan } from './checkPlan.ts';
import { gib, input, machine, noLimits, node, nvidia, plainSettings, pod, pods, pool } from './placement.fixture.ts';
import { plan as planWith } from './plan.ts';
import { unplaceableSentence } from './unplaceableSentence.ts';
import type { PlacementInput, PlacementPod } from './types.ts';

const plan = (some: PlacementInput) => {
  const made = planWith(some, { solver: null, seed: 1, workUnits: 200 });
  expect(checkPlan(some, made)).toEqual([]);
  return made;
};
const small = machine('small', 2, 8);
const large = machine('large', 16, 64);
const l4 = machine('l4', 8, 32, nvidia('L4', 1, 24));
const a100 = machine('a100', 24, 170, nvidia('A100', 2, 80));
const whole = (count: number, minMemoryBytes = 0): PlacementPod['gpu'] => ({
  kind: 'whole',
  count,
  vendor: null,
  minMemoryBytes,
});
const share = (gpuMilli: number, memoryGib: number): PlacementPod['gpu'] => ({
  ...{ kind: 'share', gpuMilli, vendor: null },
  memoryBytes: memoryGib * gib,
});
const cpuPool = pool('cpu', [
  { type: small, price: 0.1, zones: ['a', 'b', 'c'] },
  { type: large, price: 0.7, zones: ['a', 'b', 'c'] },
]);

describe('a plan', () => {
  it('uses nodes that are there before it buys, and costs nothing then', () => {
    const made = plan(input({ pods: pods(3, 'w'), nodes: [node('n', 4, 16)], pools: [cpuPool] }));
    expect(made).toMatchObject({ buy: [], costPerHourMicro: 0, lowerBoundMicro: 0, gap: 0 });
    expect(made.bind).toMatchObject([{ node: 'n', pods: [{ id: 'w-0' }, { id: 'w-1' }, { id: 'w-2' }] }]);
  });

  it('buys the mix that is cheapest, and more for a node charge: fewer, larger ones', () => {
    const some = input({ pods: pods(16, 'w'), pools: [cpuPool] });
    expect(plan(some).pricePerHourMicro).toBe(700_000);
    const dear = pool('cpu', [
      { type: small, price: 0.1 },
      { type: large, price: 0.85 },
    ]);
    expect(plan({ ...some, pools: [dear] }).buy).toHaveLength(8);
    const charged = { ...plainSettings, nodeChargeMicro: 20_000 };
    expect(plan({ ...some, pools: [dear], settings: charged })).toMatchObject({
      buy: [{ offering: 'a/large/on-demand' }],
      pricePerHourMicro: 850_000,
      costPerHourMicro: 870_000,
    });
  });

  it('pays for start-up over the life of a node', () => {
    const slow = { ...cpuPool, startMs: 6 * 60_000 };
    const settings = { ...plainSettings, nodeLifeMs: 3_600_000 };
    expect(plan(input({ pods: [pod('w')], pools: [slow], settings })).costPerHourMicro).toBe(110_000);
  });

  it('rents spot only for what may be interrupted, and prices interruptions', () => {
    const spot = pool('p', [
      { type: small, price: 0.1 },
      { type: small, price: 0.04, capacityType: 'spot' },
    ]);
    const offeringFor = (change: Partial<PlacementPod>) =>
      plan(input({ pods: [pod('w', change)], pools: [spot] })).buy[0]?.offering;
    expect(offeringFor({})).toBe('a/small/on-demand');
    expect(offeringFor({ interruptible: true })).toBe('a/small/spot');
    expect(offeringFor({ interruptible: true, interruptionPriceMicro: 2_000_000 })).toBe('a/small/on-demand');
  });

  it('prefers what is preferred when that costs less than it is worth', () => {
    const preferred = [
      { weight: 100, requirements: [{ key: 'topology.kubernetes.io/zone', operator: 'In' as const, values: ['b'] }] },
    ];
    const twoZones = pool('p', [
      { type: small, price: 0.1, zones: ['a'] },
      { type: machine('dearer', 2, 8), price: 0.15, zones: ['b'] },
    ]);
    const zoneAt = (preferencePriceMicro: number) =>
      plan(
        input({
          pods: [pod('w', { preferred })],
          pools: [twoZones],
          settings: { ...plainSettings, preferencePriceMicro },
        }),
      ).buy[0]?.zone;
    expect([zoneAt(100), zoneAt(1000)]).toEqual(['a', 'b']);
  });

  it('spreads over zones and nodes, and keeps apart what must be apart', () => {
    const selector = { app: 'web' };
    const spread = plan(
      input({ pods: pods(7, 'w', { spread: [{ topology: 'zone', maxSkew: 1, selector }] }), pools: [cpuPool] }),
    );
    const counts = ['a', 'b', 'c'].map(
      (zone) => spread.buy.filter((one) => one.zone === zone).flatMap((one) => one.pods).length,
    );
    expect(counts.toSorted((a, b) => a - b)).toEqual([2, 2, 3]);
    const alone = plan(
      input({ pods: pods(3, 'w', { antiAffinity: [{ topology: 'hostname', selector }] }), pools: [cpuPool] }),
    );
    expect(alone.buy).toHaveLength(3);
    const byZone = plan(
      input({ pods: pods(5, 'w', { antiAffinity: [{ topology: 'zone', selector }] }), pools: [cpuPool] }),
    );
    expect(byZone.unplaceable).toEqual([{ reason: { kind: 'topology', topology: 'zone' }, pods: ['w-3', 'w-4'] }]);
  });

  it('puts no larger part of a workload on one node than is allowed', () => {
    const settings = { ...plainSettings, maxWorkloadShare: 0.25 };
    expect(plan(input({ pods: pods(12, 'w'), pools: [cpuPool], settings })).buy.length).toBeGreaterThanOrEqual(4);
  });

  it('shares GPUs only as declared', () => {
    const shares = pods(6, 's', { cpuMilli: 100, memoryBytes: gib, gpu: share(300, 5) });
    const nodesWith = (sharing: PlacementInput['pools'][number]['sharing']) =>
      plan(input({ pods: shares, pools: [pool('p', [{ type: l4, price: 0.8 }], { sharing })] })).buy.length;
    expect(nodesWith({ kind: 'none' })).toBe(6);
    expect(nodesWith({ kind: 'fraction' })).toBe(2);
    expect(nodesWith({ kind: 'mps', replicas: 2 })).toBe(3);
    const tooMany = plan(
      input({
        pods: shares,
        pools: [pool('p', [{ type: l4, price: 0.8 }], { sharing: { kind: 'mps', replicas: 8 } })],
      }),
    );
    expect(tooMany.unplaceable[0]?.reason).toEqual({ kind: 'gpu-memory', needBytes: 5 * gib, largestBytes: 3 * gib });
  });

  it('lays out MIG instances, beside those that are there', () => {
    const want = (profile: string, count: number) => ({
      cpuMilli: 100,
      memoryBytes: gib,
      gpu: { kind: 'mig' as const, profile, count },
    });
    const mig = pool('p', [{ type: a100, price: 7 }], { sharing: { kind: 'mig' } });
    const made = plan(
      input({ pods: [...pods(3, 'x', want('3g.40gb', 1)), ...pods(4, 'y', want('1g.10gb', 1))], pools: [mig] }),
    );
    expect(made.buy).toHaveLength(1);
    const there = node('n', 8, 64, {
      ...{ gpu: nvidia('A100', 1, 80), sharing: { kind: 'mig' } },
      gpuUse: [{ places: 0, gpuMilli: 0, memoryBytes: 0, instances: [{ profile: '3g.40gb', start: 4 }] }],
    });
    const beside = plan(input({ pods: pods(2, 'z', want('3g.40gb', 1)), nodes: [there] }));
    expect(beside.bind[0]?.pods[0]?.instances).toEqual([{ profile: '3g.40gb', start: 0 }]);
    expect(beside.unplaceable[0]?.pods).toEqual(['z-1']);
  });

  it('stops at limits and budgets, those with priority first', () => {
    const some = [...pods(2, 'low', { cpuMilli: 2000 }), ...pods(2, 'high', { cpuMilli: 2000, priority: 5 })];
    const limited = (limits: Partial<typeof noLimits>) =>
      plan(
        input({
          pods: some,
          pools: [pool('p', [{ type: small, price: 0.1 }], { limits: { ...noLimits, ...limits } })],
        }),
      ).unplaceable;
    expect(limited({ pricePerHourMicro: 250_000 })).toEqual([
      { reason: { kind: 'limit', pool: 'p', limit: 'pricePerHourMicro', max: 250_000 }, pods: ['low-0', 'low-1'] },
    ]);
    expect(limited({ nodes: 3 })).toMatchObject([{ reason: { limit: 'nodes', max: 3 }, pods: ['low-1'] }]);
  });

  it('has the same price for a pod however many there are', () => {
    const made = plan(input({ pods: pods(32, 'w'), pools: [pool('p', [{ type: small, price: 0.1 }])] }));
    expect(made.podPrices).toMatchObject([{ pricePerHourMicro: 50_000 }]);
  });
});

describe('what has no place', () => {
  const gpus = pool('gpu', [{ type: l4, price: 0.8 }], { taints: [{ key: 'gpu', value: '', effect: 'NoSchedule' }] });
  const reasonOf = (change: Partial<PlacementPod>, pools = [cpuPool, gpus], more: Partial<PlacementInput> = {}) =>
    plan(input({ pods: [pod('w', change)], pools, ...more })).unplaceable[0]?.reason;
  const tolerations = [{ key: 'gpu', operator: 'Exists' as const, value: '', effect: null }];

  it.each<[string, Partial<PlacementPod>, object]>([
    [
      'GPU memory',
      { gpu: whole(1, 80 * gib), tolerations },
      { kind: 'gpu-memory', needBytes: 80 * gib, largestBytes: 24 * gib },
    ],
    ['GPU count', { gpu: whole(4), tolerations }, { kind: 'gpu-count', need: 4, largest: 1 }],
    ['a taint', { gpu: whole(1), pools: ['gpu'] }, { kind: 'taint', pool: 'gpu' }],
    ['CPU', { cpuMilli: 20_000 }, { kind: 'cpu', needMilli: 20_000, largestMilli: 16_000 }],
    ['memory', { memoryBytes: 100 * gib }, { kind: 'memory', largestBytes: 64 * gib }],
    ['a region', { regions: ['r2'] }, { kind: 'nowhere', what: 'region', allowed: ['r2'], offered: ['r1'] }],
    ['a pool', { pools: ['none'] }, { kind: 'nowhere', what: 'pool', offered: ['cpu', 'gpu'] }],
    [
      'a label',
      { requirements: [{ key: 'topology.kubernetes.io/zone', operator: 'In', values: ['x'] }] },
      { kind: 'label', label: 'topology.kubernetes.io/zone', offered: ['a', 'b', 'c'] },
    ],
    [
      'itself',
      {
        requirements: [
          { key: 'k', operator: 'Exists', values: [] },
          { key: 'k', operator: 'DoesNotExist', values: [] },
        ],
      },
      { kind: 'contradiction', label: 'k' },
    ],
  ])('says that it misses by %s', (_, change, reason) => {
    expect(reasonOf(change)).toMatchObject(reason);
  });

  it('says it in words', () => {
    const sentenceOf = (change: Partial<PlacementPod>, pools = [cpuPool, gpus]) => {
      const reason = reasonOf(change, pools);
      return reason && unplaceableSentence(reason);
    };
    expect(sentenceOf({ gpu: whole(1, 80 * gib), tolerations })).toBe(
      'needs 80 GiB of GPU memory, the largest offered has 24 GiB',
    );
    expect(sentenceOf({ gpu: whole(1) })).toBe('does not tolerate gpu:NoSchedule of pool gpu');
    expect(sentenceOf({ regions: ['r2'] })).toBe('may run in region r2 only, there is r1');
    expect(sentenceOf({}, [{ ...cpuPool, limits: { ...noLimits, pricePerHourMicro: 50_000 } }])).toBe(
      'is over the limit of 0.05 an hour of pool cpu',
    );
  });

  it('says that the nodes there are full when nothing is for sale', () => {
    const made = plan(input({ pods: pods(3, 'w'), nodes: [node('n', 2, 8)] }));
    expect(made.unplaceable).toEqual([{ reason: { kind: 'full', nodes: 1 }, pods: ['w-2'] }]);
  });

  it('says that only spot is offered, what is out of stock and until when, and that nothing is offered', () => {
    expect(reasonOf({}, [pool('s', [{ type: small, price: 0.1, capacityType: 'spot' }])])).toEqual({
      kind: 'interruption',
      offered: ['s'],
    });
    const out = pool('o', [{ type: small, price: 0.1 }]);
    const offerings = out.offerings.map((entry) => ({ ...entry, backedOffUntilMs: 9000 }));
    expect(reasonOf({}, [{ ...out, offerings }])).toEqual({
      kind: 'stock-out',
      offerings: ['a/small/on-demand'],
      untilMs: 9000,
    });
    expect(reasonOf({}, [{ ...out, offerings }], { nowMs: 9000 })).toBeUndefined();
    expect(reasonOf({}, [])).toEqual({ kind: 'no-supply' });
  });
});

it('a plan for one pod among a thousand nodes looks at little', () => {
  const nodes = Array.from({ length: 1000 }, (_, i) => node(`n${i}`, i % 2, 4));
  const made = plan(input({ pods: [pod('w')], nodes, pools: [cpuPool] }));
  expect(made.bind).toMatchObject([{ node: 'n1' }]);
  expect(made.workUnits).toBeLessThan(10);
});
