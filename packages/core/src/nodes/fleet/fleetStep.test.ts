import { describe, expect, it } from 'vitest';
import { machine, noLimits, plainSettings, pool } from '../placement/placement.fixture.ts';
import { fleetStep } from './fleetStep.ts';
import { Fleet, fleetPool, fleetSpec, minuteMs, shown, smallPool, sold, typesOf, waiting } from './fleet.fixture.ts';
import type { FleetAction } from './types.ts';

const twoZones = () => pool('p', [{ ...sold.small, zones: ['a', 'b'] }]);
const launched = (actions: readonly FleetAction[]) =>
  actions.flatMap((action) => (action.type === 'launch' ? [action.node.offering.id] : []));
const simple = (change = {}, rules = {}) => new Fleet(fleetSpec([fleetPool(smallPool(), change, rules)]));

describe('a pod that waits', () => {
  it('gets a node that is bought for it, in the memory before it is asked for, and nothing is bought twice', () => {
    const fleet = simple();
    fleet.pods = [waiting('a')];
    const actions = fleet.step();
    expect(typesOf(actions)).toEqual(['launch', 'bind']);
    expect(actions[0]).toMatchObject({ node: { id: 'local-1-1', phase: 'asked' }, forPods: ['a'] });
    expect(fleet.nodes).toMatchObject([{ id: 'local-1-1', phase: 'asked', pool: 'p' }]);
    expect(fleet.step(1000)).toEqual([]);
    expect(fleet.step(1000, { type: 'accepted', id: 'local-1-1' })).toEqual([]);
    expect(fleet.node().phase).toBe('starting');
    // In flight, it takes what else comes.
    fleet.pods = [...fleet.pods, waiting('b')];
    expect(fleet.step(1000)).toMatchObject([{ type: 'bind', pod: 'b', node: 'local-1-1' }]);
    fleet.pods = [...fleet.pods, waiting('c')];
    expect(typesOf(fleet.step(1000))).toEqual(['launch', 'bind']);
    expect(fleet.ready()).toEqual([]);
    expect(fleet.nodes.map(({ phase }) => phase)).toEqual(['ready', 'ready']);
    expect(fleet.last.decision).toMatchObject({ pricePerHourMicro: 200_000 });
  });

  it('goes to a pool with more weight, and spills over where that one is full', () => {
    const dear = pool('dear', [{ ...sold.small, price: 5 }], { limits: { ...noLimits, nodes: 1 } });
    const fleet = new Fleet(fleetSpec([fleetPool(smallPool()), fleetPool(dear, { weight: 10 })]));
    fleet.pods = ['a', 'b', 'c'].map((id) => waiting(id, 1.5));
    fleet.step();
    expect(fleet.nodes.map((one) => one.pool)).toEqual(['dear', 'p', 'p']);
  });

  it('is told why it has no place, which is looked for again only when something changes', () => {
    const fleet = simple();
    fleet.pods = [waiting('a', 64)];
    expect(fleet.step()).toEqual([]);
    const reasons = fleet.last.decision.reasons;
    expect(reasons).toMatchObject([{ code: 'unplaceable', pods: ['a'], reason: { kind: 'cpu', largestMilli: 2000 } }]);
    expect(fleet.last.decision.workUnits).toBe(0);
    fleet.step(1000);
    expect(fleet.last.decision).toMatchObject({ reasons, revisitAtMs: null });
    const large = pool('p', [{ type: machine('huge', 64, 256), price: 3 }]);
    fleet.spec = fleetSpec([fleetPool(large)]);
    expect(launched(fleet.step(1000))).toEqual(['a/huge/on-demand']);
  });

  it('waits until the provider has shown its list once', () => {
    const fleet = simple();
    fleet.pods = [waiting('a')];
    fleet.machines = null;
    expect(fleet.step()).toEqual([]);
    expect(fleet.codes()).toEqual(['provider-away']);
    fleet.machines = [];
    expect(typesOf(fleet.step(1000))).toEqual(['launch', 'bind']);
  });

  it('stays within limits and stock', () => {
    const cheap = { ...sold.small, price: 0.09 };
    const own = pool('p', [cheap, { ...sold.small, zones: ['b'] }], {
      limits: { ...noLimits, pricePerHourMicro: 350_000 },
    });
    const offerings = own.offerings.map((entry, i) => ({ ...entry, stock: i === 0 ? 1 : null }));
    const fleet = new Fleet(fleetSpec([fleetPool({ ...own, offerings })]));
    fleet.pods = Array.from({ length: 6 }, (_, i) => waiting(`p${i}`, 2));
    expect(launched(fleet.step()).toSorted()).toEqual(['a/small/on-demand', 'b/small/on-demand', 'b/small/on-demand']);
    expect(fleet.codes()).toContain('unplaceable');
    expect(launched(fleet.step(1000))).toEqual([]);
  });
});

describe('what the provider answers', () => {
  it('stock-out: the offering is left alone, three minutes and then twice as long; the pod goes elsewhere at once', () => {
    const fleet = new Fleet(fleetSpec([fleetPool(twoZones())]));
    fleet.pods = [waiting('a')];
    const [first = ''] = launched(fleet.step());
    const actions = fleet.refused('stock-out', 'local-1-1');
    expect(typesOf(actions)).toEqual(['unbind', 'launch', 'bind']);
    expect(launched(actions)).not.toContain(first);
    expect(fleet.nodes).toHaveLength(1);
    const startMs = fleet.nowMs;
    fleet.refused('stock-out', 'local-1-2');
    expect(fleet.codes()).toContain('unplaceable');
    // Exactly then it wants to be asked, and asks again.
    expect(fleet.last.decision.revisitAtMs).toBe(startMs + 3 * minuteMs);
    expect(launched(fleet.step(3 * minuteMs - 1000))).toEqual([first]);
    fleet.refused('stock-out', 'local-1-3');
    const entry = fleet.memory?.backedOff.find(({ offering }) => offering === first);
    expect(entry).toMatchObject({ failures: 2, untilMs: fleet.nowMs + 6 * minuteMs });
  });

  it('quota: in all zones', () => {
    const fleet = new Fleet(fleetSpec([fleetPool(twoZones())]));
    fleet.pods = [waiting('a')];
    fleet.step();
    expect(typesOf(fleet.refused('quota', 'local-1-1'))).toEqual(['unbind']);
    expect(fleet.memory?.backedOff).toMatchObject([{ offering: 'aws/r1/*/small/on-demand', code: 'quota' }]);
  });

  it.each(['refused', 'unknown-offering'] as const)('%s: half an hour', (code) => {
    const fleet = simple();
    fleet.pods = [waiting('a')];
    fleet.step();
    fleet.refused(code, 'local-1-1');
    expect(fleet.memory?.backedOff).toMatchObject([{ untilMs: fleet.nowMs + 30 * minuteMs, code }]);
    expect(fleet.codes()).toEqual(['refused', 'backed-off', 'unplaceable']);
  });

  it.each(['throttled', 'unavailable'] as const)('%s: the same id is asked for again, later and later', (code) => {
    const fleet = simple({ startTimeoutMs: 600 * minuteMs });
    fleet.pods = [waiting('a')];
    fleet.step();
    const delays: number[] = [];
    for (let i = 0; i < 10; i++) {
      fleet.refused(code, 'local-1-1', i === 0 ? 7000 : null);
      const delayMs = (fleet.node().askAgainAtMs ?? 0) - fleet.nowMs;
      delays.push(delayMs);
      expect(fleet.last.decision).toMatchObject({ actions: [] });
      expect(fleet.step(delayMs - 1)).toEqual([]);
      if (i < 6) expect(fleet.step(1)).toMatchObject([{ type: 'launch', node: { id: 'local-1-1' }, forPods: ['a'] }]);
    }
    expect(delays.slice(0, 4)).toEqual([7000, 4000, 8000, 16_000]);
    expect(Math.max(...delays)).toBe(5 * minuteMs);
  });

  it('stale-epoch: this one acts no more, its successor does', () => {
    const fleet = simple();
    fleet.pods = [waiting('a'), waiting('b', 2)];
    fleet.step();
    expect(fleet.refused('stale-epoch', 'local-1-1')).toEqual([]);
    fleet.pods = [...fleet.pods, waiting('c', 2)];
    expect(fleet.step(1000)).toEqual([]);
    expect(fleet.codes()).toEqual(['stale-epoch']);
    fleet.spec = { ...fleet.spec, idPrefix: 'local-2-' };
    expect(typesOf(fleet.step(1000))).toContain('launch');
  });

  it('a machine that is there ends the back-off of what was asked for after it', () => {
    const fleet = simple();
    fleet.pods = [waiting('a')];
    fleet.step();
    fleet.refused('stock-out', 'local-1-1');
    fleet.step(3 * minuteMs);
    expect(fleet.memory?.backedOff).toHaveLength(1);
    fleet.ready();
    expect(fleet.memory?.backedOff).toEqual([]);
  });

  it('what was accepted and cannot be filled is a stock-out too, and is ended', () => {
    const fleet = new Fleet(fleetSpec([fleetPool(twoZones())]));
    fleet.pods = [waiting('a')];
    fleet.step();
    fleet.machines = [shown(fleet.node(), { phase: 'requested', failure: 'stock-out', providerId: null })];
    expect(typesOf(fleet.step(1000))).toEqual(['unbind', 'terminate', 'launch', 'bind']);
  });
});

describe('machines', () => {
  it('that are gone are lost: their pods are placed anew, and spot ones are counted', () => {
    const fleet = new Fleet(fleetSpec([fleetPool(pool('p', [{ ...sold.small, capacityType: 'spot' }]))]));
    fleet.pods = [waiting('a', 1, { interruptible: true })];
    fleet.step();
    fleet.ready();
    fleet.machines = [];
    expect(fleet.step(1000)).toMatchObject([
      { type: 'unbind', pod: 'a', reason: 'lost' },
      { type: 'launch', node: { id: 'local-1-2' } },
      { type: 'bind', pod: 'a', node: 'local-1-2' },
    ]);
    expect(fleet.memory?.losses).toMatchObject([{ offering: 'a/small/spot' }]);
    expect(fleet.codes()).toEqual(['lost', 'bought']);
  });

  it('are not lost while the provider is away, and nothing ends then', () => {
    const fleet = simple();
    fleet.pods = [waiting('a')];
    fleet.step();
    fleet.ready();
    fleet.pods = [];
    fleet.machines = null;
    for (let i = 0; i < 5; i++) expect(fleet.step(5 * minuteMs)).toEqual([]);
    expect(fleet.nodes).toHaveLength(1);
    fleet.machines = [shown(fleet.node())];
    expect(typesOf(fleet.step(1000))).toEqual(['terminate']);
  });

  it('that do not become ready in time are given up, their offering left alone', () => {
    const fleet = new Fleet(fleetSpec([fleetPool(twoZones())]));
    fleet.pods = [waiting('a')];
    const [first] = launched(fleet.step());
    fleet.step(1000, { type: 'accepted', id: 'local-1-1' });
    expect(fleet.last.decision.revisitAtMs).toBe(fleet.nowMs + 10 * minuteMs);
    fleet.machines = [shown(fleet.node(), { phase: 'booting' })];
    expect(fleet.step(10 * minuteMs - 1)).toEqual([]);
    const actions = fleet.step(1);
    expect(actions).toMatchObject([
      { type: 'unbind', reason: 'start-timeout' },
      { type: 'terminate', node: 'local-1-1', reason: { kind: 'start-timeout' } },
      { type: 'launch' },
      { type: 'bind' },
    ]);
    expect(launched(actions)).not.toContain(first);
  });

  it('are told again to end until they do', () => {
    const fleet = simple();
    fleet.pods = [waiting('a')];
    fleet.step();
    fleet.ready();
    fleet.pods = [];
    fleet.step(1);
    const there = [shown(fleet.node())];
    expect(typesOf(fleet.step(minuteMs))).toEqual(['terminate']);
    fleet.machines = there;
    expect(fleet.step(minuteMs - 1)).toEqual([]);
    expect(typesOf(fleet.step(1))).toEqual(['terminate']);
    expect(fleet.last.decision.revisitAtMs).toBe(fleet.nowMs + 2 * minuteMs);
    fleet.machines = [];
    fleet.step(1000);
    expect(fleet.nodes).toEqual([]);
  });

  it('of clocks that run otherwise break nothing', () => {
    for (const skewMs of [-1e12, 1e12]) {
      const fleet = simple();
      fleet.pods = [waiting('a')];
      fleet.step();
      const skewed = { askedAtMs: fleet.nowMs + skewMs, readyAtMs: fleet.nowMs + skewMs };
      fleet.machines = [shown(fleet.node(), skewed)];
      expect(fleet.step(minuteMs)).toEqual([]);
      expect(fleet.node()).toMatchObject({ phase: 'ready', readyAtMs: fleet.nowMs });
      const goesAtMs = fleet.nowMs + skewMs;
      fleet.machines = [shown(fleet.node(), { ...skewed, notice: { kind: 'interruption', goesAtMs } })];
      // One that should be gone already is not ended for that.
      expect(typesOf(fleet.step(1000)).slice(0, 1)).toEqual(['drain']);
      expect(typesOf(fleet.step(1000))).not.toContain('evict');
    }
  });
});

describe('machines that the book has not', () => {
  const unknown = (id: string | null) =>
    shown({ ...bought(), id: id ?? '' }, { id, providerId: 'i-77', pool: id === null ? null : 'p' });
  const bought = () => {
    const fleet = simple();
    fleet.pods = [waiting('a')];
    fleet.step();
    return fleet.node();
  };

  it('are taken back when they are ours, with the pods that are on them', () => {
    const fleet = simple();
    fleet.machines = [unknown('local-0-9')];
    const place = { id: 'a', gpus: [], instances: [] };
    fleet.pods = [{ ...waiting('a'), bound: { node: 'local-0-9', place } }];
    expect(fleet.step()).toEqual([]);
    expect(fleet.nodes).toMatchObject([{ id: 'local-0-9', phase: 'ready', pool: 'p', isSeen: true }]);
    expect(fleet.codes()).toContain('adopted');
  });

  it('are named, and ended only where that is set', () => {
    for (const endOrphansAfterMs of [null, 20 * minuteMs]) {
      const fleet = simple();
      fleet.spec = { ...fleet.spec, endOrphansAfterMs };
      fleet.machines = [unknown(null), unknown('others-1')].map((one, i) => ({ ...one, providerId: `i-${i}` }));
      fleet.step();
      expect(fleet.codes()).toEqual([]);
      expect(fleet.last.decision).toMatchObject({
        revisitAtMs: fleet.nowMs + 5 * minuteMs,
        pricePerHourMicro: 200_000,
      });
      fleet.step(5 * minuteMs);
      expect(fleet.codes()).toEqual(['orphan', 'orphan']);
      const actions = fleet.step(15 * minuteMs);
      if (endOrphansAfterMs === null) expect(fleet.last.decision).toMatchObject({ actions: [], revisitAtMs: null });
      else
        expect(actions).toMatchObject([{ type: 'terminate-orphan', providerId: 'i-0', id: null }, { id: 'others-1' }]);
    }
  });
});

describe('nodes that go', () => {
  it('are those on which nothing is, after their delay, to zero', () => {
    const fleet = simple();
    fleet.pods = [waiting('a'), waiting('b', 2)];
    fleet.step();
    fleet.ready();
    fleet.pods = [];
    expect(fleet.step(1000)).toEqual([]);
    expect(fleet.last.decision.revisitAtMs).toBe(fleet.nowMs + minuteMs);
    expect(fleet.step(minuteMs - 1)).toEqual([]);
    expect(fleet.step(1)).toMatchObject([
      { type: 'terminate', reason: { kind: 'empty' } },
      { type: 'terminate', reason: { kind: 'empty' } },
    ]);
    fleet.step(1000);
    expect(fleet.nodes).toEqual([]);
    expect(fleet.last.decision).toMatchObject({ pricePerHourMicro: 0, lowerBoundMicro: 0, revisitAtMs: null });
  });

  it('before they are ready when what they were bought for is gone, but not while an answer is awaited', () => {
    const fleet = simple();
    fleet.pods = [waiting('a')];
    fleet.step();
    fleet.pods = [];
    expect(fleet.step(5 * minuteMs)).toEqual([]);
    fleet.step(1000, { type: 'accepted', id: 'local-1-1' });
    expect(fleet.step(minuteMs)).toMatchObject([{ type: 'terminate', reason: { kind: 'not-needed' } }]);
    // It may still come: until that is known it stays in the book.
    expect(fleet.nodes).toHaveLength(1);
    fleet.step(5 * minuteMs);
    expect(fleet.nodes).toEqual([]);
  });

  it('are left by their pods before they are ended, and kept when they are wanted again', () => {
    const fleet = new Fleet(fleetSpec([fleetPool(pool('p', [sold.large]))]));
    fleet.pods = [waiting('a', 5), waiting('b', 5)];
    fleet.step();
    fleet.ready();
    fleet.pods = fleet.pods.map((one) => ({ ...one, pod: { ...one.pod, cpuMilli: 2000 } }));
    const actions = [...fleet.step(1000), ...fleet.step(2 * minuteMs), ...fleet.step(2 * minuteMs)];
    expect(actions).toMatchObject([{ type: 'drain', order: 'ready-first', reason: { kind: 'underutilized' } }]);
    for (let i = 0; i < 3; i++) expect(fleet.step(10 * minuteMs)).toEqual([]);
    fleet.pods = [...fleet.pods, waiting('c', 6), waiting('d', 4)];
    const later = fleet.step(1000);
    expect(typesOf(later).toSorted()).toEqual(['bind', 'bind', 'keep']);
    expect(fleet.nodes.map(({ phase }) => phase)).toEqual(['ready', 'ready']);
  });

  it('have their pods ended after their grace, and end then', () => {
    const fleet = simple({ terminationGraceMs: 5 * minuteMs, expireAfterMs: 60 * minuteMs });
    fleet.pods = [{ ...waiting('a'), inFlight: 1 }];
    fleet.step();
    fleet.ready();
    expect(fleet.last.decision.revisitAtMs).toBe(fleet.nowMs + minuteMs);
    fleet.step(minuteMs);
    expect(fleet.last.decision.revisitAtMs).toBe(fleet.nowMs + 59 * minuteMs);
    expect(fleet.step(59 * minuteMs)).toMatchObject([
      { type: 'launch' },
      { type: 'drain', order: 'ready-first', reason: { kind: 'expiry' } },
    ]);
    expect(fleet.last.decision.revisitAtMs).toBe(fleet.nowMs + 10_000);
    expect(typesOf(fleet.step(5 * minuteMs - 1))).toEqual([]);
    expect(fleet.step(1)).toMatchObject([{ type: 'evict', pods: ['a'] }]);
    expect(fleet.step(29_999)).toEqual([]);
    expect(typesOf(fleet.step(1))).toEqual(['unbind', 'bind', 'terminate']);
  });

  it('are replaced when their pool changes, and left when it is gone', () => {
    const fleet = simple();
    fleet.pods = [waiting('a')];
    fleet.step();
    fleet.ready();
    fleet.spec = fleetSpec([fleetPool(smallPool(), { revision: 'r2' })]);
    expect(fleet.step(minuteMs)).toMatchObject([{ type: 'launch' }, { type: 'drain', reason: { kind: 'drift' } }]);
    fleet.spec = fleetSpec([]);
    const gone = fleet.step(1000, { type: 'accepted', id: 'local-1-2' });
    expect(gone).toMatchObject([
      { type: 'drain', node: 'local-1-1', reason: { kind: 'pool-removed' } },
      { type: 'terminate', node: 'local-1-2', reason: { kind: 'pool-removed' } },
    ]);
  });

  it('all go with their cluster', () => {
    const fleet = simple({}, { minNodes: 3 });
    fleet.pods = [waiting('a')];
    fleet.step();
    fleet.ready();
    fleet.spec = { ...fleet.spec, isRemoved: true };
    expect(typesOf(fleet.step(1000))).toEqual(['drain', 'terminate', 'terminate']);
    fleet.pods = [];
    expect(typesOf(fleet.step(1000))).toEqual(['terminate']);
  });
});

describe('a machine that the cloud takes back', () => {
  const noticed = (noticeMs: number, loadMs: number, room: boolean) => {
    const fleet = simple({}, { delayMs: 100 * minuteMs });
    fleet.pods = [{ ...waiting('a'), loadMs }, ...(room ? [waiting('b', 2)] : [])];
    fleet.step();
    fleet.ready();
    fleet.pods = fleet.pods.slice(0, 1);
    const goesAtMs = fleet.nowMs + 1000 + noticeMs;
    const [first] = fleet.nodes.filter(({ id }) => fleet.pods[0]?.bound?.node === id);
    fleet.machines = fleet.nodes.map((one) =>
      shown(one, one === first ? { notice: { kind: 'interruption', goesAtMs } } : {}),
    );
    return { fleet, goesAtMs, actions: fleet.step(1000) };
  };

  it('is left at once, its pods ready elsewhere first where there is time', () => {
    const order = ({ actions }: ReturnType<typeof noticed>) => actions.map((one) => one.type === 'drain' && one.order);
    expect(order(noticed(10 * minuteMs, 1000, false))).toEqual(['ready-first']);
    expect(order(noticed(2 * minuteMs, 1000, false))).toEqual(['drain-first']);
    expect(order(noticed(2 * minuteMs, 1000, true))).toEqual(['ready-first']);
    expect(order(noticed(2 * minuteMs, 3 * minuteMs, true))).toEqual(['drain-first']);
  });

  it('has its pods ended shortly before', () => {
    const { fleet, goesAtMs } = noticed(2 * minuteMs, 1000, true);
    expect(fleet.last.decision.revisitAtMs).toBe(goesAtMs - 10_000);
    expect(typesOf(fleet.step(goesAtMs - 10_000 - fleet.nowMs))).toEqual(['evict']);
  });

  it('is given up at once before it is ready', () => {
    const fleet = new Fleet(fleetSpec([fleetPool(twoZones())]));
    fleet.pods = [waiting('a')];
    fleet.step();
    fleet.machines = [shown(fleet.node(), { phase: 'booting', notice: { kind: 'interruption', goesAtMs: null } })];
    expect(typesOf(fleet.step(1000))).toEqual(['unbind', 'terminate', 'launch', 'bind']);
  });
});

describe('what a pool keeps', () => {
  it('minNodes and warm spares: the cheapest that hold the largest pod, also when a pod takes one', () => {
    const own = pool('p', [sold.small, sold.medium, sold.large]);
    const fleet = new Fleet(fleetSpec([fleetPool(own, {}, { warmSpares: 1, minNodes: 3 })]));
    fleet.spec = { ...fleet.spec, declaredPods: [waiting('w', 3).pod, waiting('x', 1).pod] };
    expect(launched(fleet.step())).toEqual(Array(3).fill('a/medium/on-demand'));
    expect(fleet.codes()).toEqual(['warm-spare', 'min-nodes', 'min-nodes']);
    fleet.ready();
    fleet.pods = ['a', 'b', 'c'].map((id) => waiting(id, 4));
    const actions = fleet.step(1000);
    expect(typesOf(actions)).toEqual(['bind', 'bind', 'bind', 'launch']);
    // After the demand the largest pod that was seen counts, for a day.
    fleet.ready();
    fleet.pods = [];
    fleet.step(1000);
    expect(typesOf(fleet.step(minuteMs))).toEqual(['terminate']);
    expect(fleet.step(60 * minuteMs)).toEqual([]);
    expect(fleet.memory?.largest).toMatchObject([{ pool: 'p', pod: { cpuMilli: 4000 } }]);
  });

  it('tells what cannot be bought', () => {
    const fleet = simple({}, { warmSpares: 2 });
    fleet.spec = { ...fleet.spec, settings: { ...plainSettings, limits: { ...noLimits, nodes: 1 } } };
    expect(typesOf(fleet.step())).toEqual(['launch']);
    expect(fleet.last.decision.reasons).toContainEqual({ code: 'short', pool: 'p', what: 'warm-spare', missing: 1 });
  });
});

it('changes nothing that it was given, and is the same again', () => {
  const fleet = new Fleet(fleetSpec([fleetPool(twoZones())]));
  fleet.pods = [waiting('a'), waiting('b', 2)];
  fleet.step();
  const outcomes = [
    { type: 'refused' as const, id: 'local-1-1', code: 'stock-out' as const, message: '', retryAfterMs: null },
  ];
  const observation = { nowMs: fleet.nowMs + 1000, machines: [], outcomes, pods: fleet.pods };
  const before = structuredClone([fleet.memory, fleet.spec, observation]);
  const once = fleetStep(fleet.spec, fleet.memory, observation, null);
  expect([fleet.memory, fleet.spec, observation]).toEqual(before);
  expect(fleetStep(fleet.spec, fleet.memory, observation, null)).toEqual(once);
});

it('a node that was to be replaced for money stays when its replacement cannot be had', () => {
  const fleet = new Fleet(fleetSpec([fleetPool(pool('p', [sold.small, sold.large]))]));
  fleet.pods = [waiting('a', 6)];
  fleet.step();
  fleet.ready();
  fleet.pods = fleet.pods.map((one) => ({ ...one, pod: { ...one.pod, cpuMilli: 1000 } }));
  expect(fleet.step(2 * minuteMs)).toMatchObject([
    { type: 'launch', node: { offering: { id: 'a/small/on-demand' }, replaces: ['local-1-1'] } },
    { type: 'drain', node: 'local-1-1', order: 'ready-first' },
  ]);
  // Empty, it waits for the pods that are to come.
  expect(fleet.step(1000, { type: 'accepted', id: 'local-1-2' })).toEqual([]);
  expect(fleet.step(5 * minuteMs)).toEqual([]);
  const [old, bought] = fleet.nodes;
  if (old === undefined || bought === undefined) throw new Error('two nodes are there');
  fleet.machines = [shown(old), shown(bought, { phase: 'requested', failure: 'stock-out' })];
  expect(fleet.step(1000)).toMatchObject([
    { type: 'keep', node: 'local-1-1' },
    { type: 'terminate', node: 'local-1-2' },
  ]);
});
