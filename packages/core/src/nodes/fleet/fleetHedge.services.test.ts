import { describe, expect, it } from 'vitest';
import { noLimits, pod, pool } from '../placement/placement.fixture.ts';
import type { SpotSettings } from '../spot/hedgePool.ts';
import { Fleet, fleetPool, fleetSpec, minuteMs, shown, sold, typesOf, waiting } from './fleet.fixture.ts';
import { noFaults } from './runs.fixture.ts';
import { Simulation } from './simulation.fixture.ts';
import { Dice } from './world.fixture.ts';
import type { FleetPool } from './types.ts';

const hourMs = 60 * minuteMs;
const zones = ['a', 'b'];
const { medium } = sold;
const hedge = (change: Partial<SpotSettings> = {}): SpotSettings => ({
  ...{ onDemandFloor: { count: 0 }, fallback: true, spread: 'zone', overProvision: 'auto' },
  ...{ shortfallTarget: 0.003, startMs: 2 * minuteMs },
  ...change,
});
const offered = pool('p', [
  { ...medium, zones },
  { ...medium, price: 0.06, zones, capacityType: 'spot' },
]);
const hedgedPool = (spot: SpotSettings | null, change: Partial<FleetPool['consolidation']['pool']> = {}) =>
  fleetPool({ ...offered, ...change }, { spot }, { delayMs: minuteMs });
/** Each fills a node. */
const asked = (id: string) => ({ cpuMilli: 4000, interruptible: true, interruptionPriceMicro: 1000, workload: id });
const few = (count: number) => Array.from({ length: count }, (_, i) => waiting(`w${i}`, 4, asked('web')));
const kinds = (fleet: Fleet) => fleet.nodes.map(({ offering }) => offering.id).sort();
const countOf = (fleet: Fleet, capacityType: string) =>
  fleet.nodes.filter(({ offering, going }) => going === null && offering.capacityType === capacityType).length;

function started(spot: SpotSettings | null, count = 4): Fleet {
  const fleet = new Fleet(fleetSpec([hedgedPool(spot)]));
  fleet.pods = few(count);
  fleet.step();
  fleet.ready();
  return fleet;
}

/** On virtual time, with all that was asked for ready at each step. */
function pass(fleet: Fleet, hours: number): void {
  for (let minute = 0; minute < hours * 60; minute += 5) fleet.ready(5 * minuteMs);
}

describe('a pool with a spot hedge', () => {
  it('has more nodes than pods need, in more than one zone, and tells why', () => {
    const plain = started(null);
    expect(plain.nodes).toHaveLength(4);
    const fleet = started(hedge());
    const spot = kinds(fleet).filter((id) => id.endsWith('spot'));
    expect(new Set(spot)).toEqual(new Set(['a/medium/spot', 'b/medium/spot']));
    expect(fleet.nodes.length).toBeGreaterThan(4);
    const codes = fleet.last.decision.reasons.flatMap((reason) => (reason.code === 'spot' ? [reason.reason.code] : []));
    expect(codes).toContain('spot-spread');
    expect(fleet.last.decision.revisitAtMs).toBeLessThanOrEqual(fleet.nowMs + 5 * minuteMs);
  });

  it('moves its pods to nodes that are ready when a zone is lost, and buys others meanwhile', () => {
    const fleet = started(hedge());
    pass(fleet, 1);
    fleet.machines = fleet.nodes.filter(({ offering }) => offering.id !== 'a/medium/spot').map((node) => shown(node));
    const actions = fleet.step(minuteMs);
    const readyIds = new Set(fleet.nodes.filter(({ phase }) => phase === 'ready').map(({ id }) => id));
    const bound = fleet.pods.map((one) => one.bound?.node ?? '');
    expect(bound.every((id) => readyIds.has(id))).toBe(true);
    expect(typesOf(actions)).toContain('launch');
    // A zone that has just been lost a few minutes after it came is left alone: a storm.
    expect(fleet.memory?.losses.length).toBeGreaterThan(0);
  });

  it('keeps its hedge, gives on demand back when spot has held, and goes to zero', () => {
    const fleet = started(hedge({ startMs: 10 * minuteMs }));
    expect(countOf(fleet, 'on-demand')).toBeGreaterThan(0);
    pass(fleet, 1);
    const spot = countOf(fleet, 'spot');
    expect(spot).toBeGreaterThan(4);
    const before = kinds(fleet);
    // Longer than empty nodes stay that are no hedge.
    for (let i = 0; i < 5; i++) expect(fleet.ready(30_000)).toEqual([]);
    expect(kinds(fleet)).toEqual(before);
    pass(fleet, 40);
    expect(countOf(fleet, 'on-demand')).toBe(0);
    expect(countOf(fleet, 'spot')).toBeGreaterThanOrEqual(4);
    fleet.pods = [];
    pass(fleet, 1);
    expect(fleet.nodes).toEqual([]);
    expect(fleet.last.decision.revisitAtMs).toBeNull();
    // What was learned of the markets is kept.
    expect(fleet.memory?.hedges?.[0]?.decision.memory.markets).toHaveLength(2);
  });

  it('keeps the floor on demand, also when there is a cheaper place', () => {
    const fleet = started(hedge({ onDemandFloor: { share: 0.5 } }));
    pass(fleet, 40);
    expect(countOf(fleet, 'on-demand')).toBe(2);
    const fixed = started(hedge({ onDemandFloor: { count: 1 } }));
    fixed.pods = [...fixed.pods, waiting('firm', 4)];
    pass(fixed, 40);
    // The pod that may not be interrupted has the floor's node.
    expect(countOf(fixed, 'on-demand')).toBe(1);
  });

  it('falls back on demand in a storm, drains that without hurry when spot has held, and never under work in flight', () => {
    const fleet = started(hedge({ startMs: 10 * minuteMs }));
    for (let lost = 0; lost < 3; lost++) {
      fleet.machines = fleet.nodes
        .filter(({ offering }) => offering.capacityType !== 'spot')
        .map((node) => shown(node));
      fleet.step(minuteMs);
      fleet.ready();
    }
    expect(fleet.memory?.hedges?.[0]?.decision.reasons.map(({ code }) => code)).toContain('spot-fallback');
    expect(countOf(fleet, 'on-demand')).toBe(4);
    fleet.pods = fleet.pods.map((one) => ({ ...one, inFlight: 1 }));
    const given = new Set<string>();
    for (let i = 0; i < 60 * 12 && given.size === 0; i++) {
      for (const action of fleet.ready(5 * minuteMs)) {
        if (action.type === 'drain') expect(action.order).toBe('ready-first');
        if (action.type === 'drain') given.add(action.node);
      }
    }
    expect(given.size).toBeGreaterThan(0);
    // Its pod is still there: it is not ended.
    fleet.ready(10 * minuteMs);
    for (const id of given) {
      expect(fleet.nodes.find((node) => node.id === id)?.phase).toBe('draining');
      expect(fleet.pods.some(({ bound }) => bound?.node === id)).toBe(true);
    }
  });

  it('buys nothing on demand without a fallback, floor apart, and for pods that may not be interrupted', () => {
    const fleet = new Fleet(fleetSpec([hedgedPool(hedge({ fallback: false, onDemandFloor: { count: 1 } }))]));
    fleet.pods = [...few(4), waiting('firm', 4), waiting('hard', 4)];
    fleet.step();
    expect(countOf(fleet, 'on-demand')).toBe(2);
    for (const node of fleet.nodes.filter(({ offering }) => offering.capacityType === 'spot')) {
      fleet.refused('stock-out', node.id);
    }
    expect(countOf(fleet, 'on-demand')).toBe(2);
    expect(fleet.codes()).toContain('unplaceable');
  });

  it('never goes over a limit, tells what it lacks, and yields to pods', () => {
    const fleet = new Fleet(fleetSpec([hedgedPool(hedge(), { limits: { ...noLimits, nodes: 5 } })]));
    fleet.pods = few(4);
    fleet.step();
    expect(fleet.nodes).toHaveLength(5);
    expect(fleet.codes()).toContain('short');
    fleet.ready();
    fleet.pods = [...fleet.pods, waiting('firm', 4)];
    for (let i = 0; i < 6; i++) fleet.ready();
    expect(fleet.nodes.length).toBeLessThanOrEqual(5);
    expect(fleet.pods.every(({ bound }) => bound !== null)).toBe(true);
  });

  it('takes memories without hedges, and specs that know nothing of them', () => {
    const fleet = started(null);
    const { hedges: _none, ...old } = fleet.memory ?? {};
    fleet.memory = structuredClone(old) as typeof fleet.memory;
    const { spot: _spot, repairAfterMs: _repair, ...oldPool } = hedgedPool(null);
    fleet.spec = fleetSpec([oldPool as FleetPool]);
    expect(fleet.ready()).toEqual([]);
    fleet.spec = fleetSpec([hedgedPool(hedge())]);
    expect(typesOf(fleet.ready())).toContain('launch');
  });
});

/** Four pods for four days; each zone has spot for up to five hours and then none for up to an hour. */
function restless(own: FleetPool) {
  const daysMs = 4 * 24 * hourMs;
  const podOf = (id: string) => pod(id, asked('web'));
  const simulation = new Simulation(7, {
    ...{ spec: fleetSpec([own], { workUnits: 3 }), faults: noFaults, pod: podOf },
  });
  const dice = new Dice(11);
  for (const zone of zones) {
    for (let atMs = dice.upTo(6 * hourMs); atMs < daysMs; ) {
      simulation.later(atMs, () => simulation.cloud.takeSpot(zone));
      atMs += 10 * minuteMs + dice.upTo(50 * minuteMs);
      simulation.later(atMs, () => simulation.cloud.noSpotIn.delete(zone));
      atMs += 10 * minuteMs + dice.upTo(5 * hourMs);
    }
  }
  simulation.later(1, () => simulation.replicas.want(4));
  simulation.later(daysMs, () => simulation.replicas.want(0));
  const total = { shortMs: 0, costMicro: 0, launches: 0 };
  let passedMs = 0;
  simulation.advance((forMs) => {
    passedMs += forMs;
    for (const { offering } of simulation.cloud.machines.values()) {
      total.costMicro += (offering.pricePerHourMicro * forMs) / hourMs;
    }
    // The first start is the same for all.
    if (passedMs < hourMs || passedMs > daysMs) return;
    const ready = simulation.memory?.nodes.filter(({ id, phase }) => {
      return (phase === 'ready' || phase === 'draining') && simulation.cloud.machines.get(id)?.phase === 'ready';
    });
    const pods = (ready ?? []).filter(({ id }) => simulation.replicas.on(id).length > 0).length;
    if (pods < 4) total.shortMs += forMs;
  });
  expect(simulation.wrong).toEqual([]);
  return { ...total, launches: simulation.launches, shortShare: total.shortMs / daysMs };
}

it('in two restless zones: ready far more often than without a hedge, and cheaper than on demand', () => {
  const onDemand = restless(
    hedgedPool(null, { offerings: offered.offerings.filter(({ offering }) => offering.capacityType === 'on-demand') }),
  );
  const plain = restless(hedgedPool(null));
  const hedged = restless(hedgedPool(hedge()));
  expect(onDemand.shortShare).toBe(0);
  expect(plain.shortShare).toBeGreaterThan(0.004);
  expect(hedged.shortShare).toBeLessThan(plain.shortShare / 3);
  expect(hedged.costMicro).toBeLessThan(0.8 * onDemand.costMicro);
  // A zone without spot is tried with one machine, not with all that are wanted there.
  expect(hedged.launches).toBeLessThan(3 * plain.launches);
});
