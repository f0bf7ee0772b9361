import { expect, test } from 'vitest';
import type { FleetNode } from '../fleet/types.ts';
import { machine, pool, pods, input } from '../placement/placement.fixture.ts';
import { greedyPlan } from '../placement/plan.ts';
import { hedgePool, type PoolHedgeQuestion } from './hedgePool.ts';
import { specOf } from './spot.fixture.ts';

const minuteMs = 60_000;
const small = machine('small', 4, 16);
const { offerings } = pool('gpu', [
  { type: small, price: 1 },
  { type: small, price: 0.3, zones: ['a', 'b', 'c'], capacityType: 'spot' },
]);
const { onDemandPricePerHourMicro: _price, ...settings } = specOf();

function node(id: string, offeringId: string, phase: FleetNode['phase'] = 'ready'): FleetNode {
  const found = offerings.find(({ offering }) => offering.id === offeringId);
  if (!found) throw new Error(`no offering ${offeringId}`);
  return {
    ...{ id, pool: 'gpu', offering: found.offering, revision: '1', phase, askedAtMs: 0, acceptedAtMs: 0, isSeen: true },
    ...{ readyAtMs: 0, quietSinceMs: 0, podsKey: '', replaces: [], going: null, notice: null, attempts: 0 },
    ...{ askAgainAtMs: null, doNotDisrupt: false },
  } as FleetNode;
}

const question = (change: Partial<PoolHedgeQuestion> = {}): PoolHedgeQuestion => ({
  ...{ settings, memory: null, nowMs: 0, offerings, nodes: [], losses: [], nodesNeeded: 4 },
  ...change,
});
const offeringOf = (hedge: ReturnType<typeof hedgePool>, id: string) =>
  hedge?.offerings.find(({ offering }) => offering.id === id);

test('plan buys spot no further than the hedge lets it, and on demand where that ends', () => {
  const hedge = hedgePool(question());
  const stocks = ['a', 'b', 'c'].map((zone) => offeringOf(hedge, `${zone}/small/spot`)?.stock ?? Number.NaN);
  const spot = stocks.reduce((sum, stock) => sum + stock, 0);
  expect(Math.max(...stocks)).toBeLessThanOrEqual(spot / 2);
  expect(hedge?.nodesWanted).toBe(spot + (hedge?.onDemandNodes ?? 0));
  expect(offeringOf(hedge, 'a/small/on-demand')).toMatchObject({ stock: null, interruptionsPerHour: 0 });
  const bought = greedyPlan(
    input({
      pods: pods(20, 'web', { cpuMilli: 4000, interruptible: true }),
      pools: [{ ...pool('gpu', []), offerings: hedge?.offerings ?? [] }],
    }),
  ).buy;
  expect(bought.filter(({ offering }) => offering.endsWith('spot'))).toHaveLength(spot);
  expect(bought.filter(({ offering }) => offering.endsWith('on-demand'))).toHaveLength(20 - spot);
});

test('losses make a market dearer by what they interrupt, and soon after a start pause it', () => {
  const nodes = ['a', 'b', 'c'].map((zone) => node(`n-${zone}`, `${zone}/small/spot`));
  const first = hedgePool(question({ nodes }));
  const nowMs = 10 * minuteMs;
  const losses = [
    { offering: 'a/small/spot', atMs: nowMs },
    { offering: 'a/small/spot', atMs: nowMs - 1 },
  ];
  const left = nodes.slice(1);
  const second = hedgePool(question({ memory: first?.decision.memory ?? null, nowMs, nodes: left, losses }));
  const [a, b] = ['a', 'b'].map((zone) => offeringOf(second, `${zone}/small/spot`));
  expect(a?.interruptionsPerHour).toBeGreaterThan(b?.interruptionsPerHour ?? Number.POSITIVE_INFINITY);
  expect(a?.backedOffUntilMs).toBe(nowMs + 5 * minuteMs);
  expect(a?.stock).toBe(0);
  expect(b?.backedOffUntilMs).toBeNull();
  expect(second?.decision.memory.markets.find(({ id }) => id === 'a/small/spot')?.storms).toBe(1);
});

test('an offering that the fleet has backed off is not asked for, and one under notice counts for nothing', () => {
  const refused = offerings.map((entry) => {
    return entry.offering.id === 'a/small/spot' ? { ...entry, backedOffUntilMs: 3 * minuteMs } : entry;
  });
  const notice = { kind: 'interruption' as const, goesAtMs: 2 * minuteMs };
  const nodes = [{ ...node('n-b', 'b/small/spot'), notice }, node('n-c', 'c/small/spot', 'draining')];
  const hedge = hedgePool(question({ offerings: refused, nodes }));
  expect(offeringOf(hedge, 'a/small/spot')).toMatchObject({ stock: 0, backedOffUntilMs: 3 * minuteMs });
  // Paused as long as it is backed off: not one refusal after the other.
  const market = hedge?.decision.memory.markets.find(({ id }) => id === 'a/small/spot');
  expect(market).toMatchObject({ refusals: 1, pausedUntilMs: 3 * minuteMs });
  const wanted = hedge?.decision.spot.reduce((sum, { count }) => sum + count, 0) ?? 0;
  const stock = ['b', 'c'].map((zone) => offeringOf(hedge, `${zone}/small/spot`)?.stock ?? 0);
  expect((stock[0] ?? 0) + (stock[1] ?? 0)).toBe(wanted);
});

test('no hedge where there is no spot; with nothing on demand neither floor nor fallback', () => {
  const only = (capacityType: string) => offerings.filter(({ offering }) => offering.capacityType === capacityType);
  expect(hedgePool(question({ offerings: only('on-demand') }))).toBeNull();
  const floor = { ...settings, onDemandFloor: { count: 2 } };
  const hedge = hedgePool(question({ settings: floor, offerings: only('spot') }));
  expect(hedge?.onDemandNodes).toBe(0);
  expect(hedge?.nodesWanted).toBeGreaterThan(4);
});
