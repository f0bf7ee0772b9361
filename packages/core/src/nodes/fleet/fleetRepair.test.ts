import { describe, expect, it } from 'vitest';
import { noLimits, plainSettings, pool } from '../placement/placement.fixture.ts';
import { Fleet, fleetPool, fleetSpec, minuteMs, shown, smallPool, sold, typesOf, waiting } from './fleet.fixture.ts';

function fleetOf(nodes: number): Fleet {
  const fleet = new Fleet(fleetSpec([fleetPool(smallPool())]));
  fleet.pods = Array.from({ length: nodes }, (_, i) => waiting(`p${i}`, 2));
  fleet.step();
  fleet.ready();
  return fleet;
}

/** The first so many nodes are shown as running and not ready, the others as ready. */
function sicken(fleet: Fleet, sick: number): void {
  fleet.machines = fleet.nodes.map((node, i) =>
    shown(node, i < sick ? { phase: 'running', failure: 'unreachable' } : {}),
  );
}

describe('a node that was ready and is not', () => {
  it('is replaced after its grace: its pods first, then it ends', () => {
    const fleet = fleetOf(1);
    sicken(fleet, 1);
    expect(fleet.step(minuteMs)).toEqual([]);
    expect(fleet.last.decision.revisitAtMs).toBe(fleet.nowMs + 10 * minuteMs);
    expect(fleet.step(10 * minuteMs - 1)).toEqual([]);
    expect(fleet.step(1)).toMatchObject([{ type: 'drain', order: 'ready-first', reason: { kind: 'unready' } }]);
    expect(fleet.step(minuteMs)).toEqual([]);
    fleet.pods = [];
    expect(fleet.step(minuteMs)).toMatchObject([{ type: 'terminate', reason: { kind: 'unready' } }]);
  });

  it('stays when it is ready again in time; each time counts anew', () => {
    const fleet = fleetOf(1);
    for (let i = 0; i < 3; i++) {
      sicken(fleet, 1);
      expect(fleet.step(9 * minuteMs)).toEqual([]);
      expect(fleet.ready()).toEqual([]);
    }
  });

  it('goes with no more than a fifth of its pool at once', () => {
    const fleet = fleetOf(10);
    sicken(fleet, 6);
    fleet.step(minuteMs);
    expect(typesOf(fleet.step(10 * minuteMs))).toEqual(['drain', 'drain']);
    expect(fleet.step(minuteMs)).toEqual([]);
    // When they are gone, the next goes: of eight one.
    const going = fleet.nodes.slice(0, 2).map(({ id }) => id);
    fleet.pods = fleet.pods.filter(({ bound }) => !going.includes(bound?.node ?? ''));
    expect(typesOf(fleet.step(minuteMs))).toEqual(['terminate', 'terminate']);
    expect(typesOf(fleet.step(minuteMs))).toEqual(['drain']);
  });

  it('is left alone where the pool says so, and while the provider is away', () => {
    const fleet = fleetOf(1);
    sicken(fleet, 1);
    fleet.step(minuteMs);
    fleet.machines = null;
    expect(fleet.step(60 * minuteMs)).toEqual([]);
    sicken(fleet, 1);
    // The provider has just come back: it gets a minute.
    expect(fleet.step(1000)).toEqual([]);
    expect(typesOf(fleet.step(minuteMs))).toEqual(['drain']);
    const never = fleetOf(1);
    never.spec = fleetSpec([fleetPool(smallPool(), { repairAfterMs: null })]);
    sicken(never, 1);
    never.step(minuteMs);
    expect(never.step(600 * minuteMs)).toEqual([]);
  });
});

it('of several empty nodes one that holds the largest pod stays as the spare, though it is the dearest', () => {
  const own = pool('p', [sold.small, sold.large]);
  const fleet = new Fleet(fleetSpec([fleetPool(own, {}, { warmSpares: 1, policy: 'WhenEmpty' })]));
  fleet.pods = [waiting('big', 8), waiting('little', 1)];
  fleet.step();
  const types = () => fleet.nodes.filter(({ going }) => going === null).map((node) => node.offering.instanceType.name);
  fleet.ready();
  expect(types().toSorted()).toEqual(['large', 'large', 'small']);
  // The spare goes first: what big was on holds it as well.
  fleet.pods = [];
  fleet.step(1000);
  for (let i = 0; i < 4; i++) fleet.ready(2 * minuteMs);
  expect(types()).toEqual(['large']);
});

it('a forgotten machine of a pool that is gone is ended when it would be named, one of nobody or rented by hand is not', () => {
  const fleet = fleetOf(1);
  const [node] = fleet.nodes;
  if (node === undefined) throw new Error('a node is there');
  fleet.pods = [];
  fleet.memory = null;
  fleet.spec = fleetSpec([]);
  const byHand = shown(node, { id: 'local-gpu-c785bfaa', providerId: 'x-2' });
  fleet.machines = [shown(node), shown(node, { id: null, pool: null, providerId: 'x-1' }), byHand];
  expect(fleet.step(minuteMs)).toEqual([]);
  const actions = fleet.step(5 * minuteMs);
  const orphan = { type: 'terminate-orphan', providerId: `i-${node.id}`, id: node.id, reason: 'pool-removed' };
  expect(actions).toEqual([orphan]);
  expect(fleet.step(30_000)).toEqual([]);
  expect(fleet.step(30_000)).toEqual([orphan]);
  fleet.machines = [shown(node, { phase: 'stopping' })];
  expect(fleet.step(10 * minuteMs)).toEqual([]);
  expect(fleet.last.memory.orphans).toEqual([]);
});

it('no node is emptied for money that a pod waits for in vain, which could run there', () => {
  const own = pool('p', [sold.medium, sold.large]);
  const spec = fleetSpec([fleetPool(own)], { settings: { ...plainSettings, limits: { ...noLimits, nodes: 2 } } });
  const fleet = new Fleet(spec);
  fleet.pods = [waiting('a', 6, { workload: 'big' })];
  fleet.step();
  fleet.ready();
  fleet.pods = [...fleet.pods, waiting('b', 3, { workload: 'other' })];
  fleet.step(1000);
  fleet.ready();
  expect(fleet.nodes.map(({ offering }) => offering.instanceType.name)).toEqual(['large', 'medium']);
  const shrunk = fleet.pods.map((one) => ({ ...one, pod: { ...one.pod, cpuMilli: 1000 } }));
  // Eight cores are free of nothing: it waits, and could run where "a" is.
  const inVain = waiting('c', 8, { workload: 'big' });
  fleet.pods = [...shrunk, inVain];
  for (let i = 0; i < 5; i++) expect(fleet.ready(minuteMs)).toEqual([]);
  expect(fleet.codes()).toContain('unplaceable');
  // When it is gone the search is made again, though no node has changed.
  fleet.pods = shrunk;
  expect(fleet.step(minuteMs)).toMatchObject([{ type: 'drain', node: fleet.node().id }]);
});
