import { expect, it } from 'vitest';
import { checkPlan } from './checkPlan.ts';
import { gib, input, machine, node, noLimits, nvidia, pod, pool } from './placement.fixture.ts';
import { greedyPlan } from './plan.ts';
import type { PlacementInput, PlacementPod, Plan } from './types.ts';

const gpu: PlacementPod['gpu'] = { kind: 'share', gpuMilli: 600, memoryBytes: gib, vendor: null };
const antiAffinity = [{ topology: 'hostname' as const, selector: { app: 'alone' } }];
const some = input({
  pods: [
    pod('a', { gpu }),
    pod('b', { gpu }),
    pod('c', { labels: { app: 'alone' }, antiAffinity }),
    pod('d', { labels: { app: 'alone' } }),
    pod('e', { requirements: [{ key: 'topology.kubernetes.io/zone', operator: 'In', values: ['a'] }] }),
  ],
  nodes: [node('n', 1, 4)],
  pools: [
    pool('p', [{ type: machine('m', 8, 32, nvidia('L4', 2, 24)), price: 1, zones: ['a', 'b'] }], {
      sharing: { kind: 'fraction' },
      limits: { ...noLimits, pricePerHourMicro: 3_000_000 },
    }),
  ],
});
const good = greedyPlan(some);

/** The plan with all pods on one new node of a zone. */
const together = (zone: string, gpus: readonly number[]): Plan => ({
  ...good,
  bind: [],
  buy: [
    {
      ...{ pool: 'p', offering: `${zone}/m/on-demand`, zone, pricePerHourMicro: 1_000_000 },
      pods: some.pods.map(({ id }, i) => ({ id, gpus: i < 2 ? [gpus[i] ?? 0] : [], instances: [] })),
    },
  ],
  pricePerHourMicro: 1_000_000,
  costPerHourMicro: 1_000_000,
  lowerBoundMicro: 1,
});

it('finds nothing wrong with a plan that can be carried out', () => {
  expect(checkPlan(some, good)).toEqual([]);
});

it.each<[string, Plan, RegExp, Partial<PlacementInput>?]>([
  ['pods that must be apart', together('a', [0, 1]), /must be apart/],
  ['a GPU shared by too many', together('a', [0, 0]), /more than was declared/],
  ['another zone', together('b', [0, 1]), /e may not be in this place/],
  ['a pod that is missing', { ...good, buy: good.buy.slice(1) }, /is told 0 times/],
  [
    'a pod that is told twice',
    { ...good, unplaceable: [{ reason: { kind: 'no-supply' }, pods: ['a'] }] },
    /is told 2 times/,
  ],
  ['a bound above the cost', { ...good, lowerBoundMicro: good.costPerHourMicro + 1 }, /bound is above/],
  ['a price that is not the sum', { ...good, pricePerHourMicro: 1 }, /price is told/],
  [
    'a budget',
    good,
    /pricePerHourMicro is/,
    { settings: { ...some.settings, limits: { ...noLimits, pricePerHourMicro: 1 } } },
  ],
  ['too little room', good, /more CPU/, { pods: some.pods.map((one) => ({ ...one, cpuMilli: 9000 })) }],
  ['an offering that is backed off', good, /backed off/, { pools: some.pools.map(backedOff) }],
  ['a node that is not there', { ...good, bind: [{ node: 'x', pods: [] }] }, /does not exist/],
])('finds %s', (_, made, wrong, change) => {
  expect(checkPlan({ ...some, ...change }, made).join('\n')).toMatch(wrong);
});

function backedOff(one: PlacementInput['pools'][number]): PlacementInput['pools'][number] {
  return { ...one, offerings: one.offerings.map((entry) => ({ ...entry, backedOffUntilMs: 5000 })) };
}
