import type { GatewayEndpoint, GatewayEvent, GatewayWorkload } from '@ebb/core';
import { SeededRandom, settle, VirtualClock } from '@ebb/testing';
import { beforeEach, describe, expect, it, test } from 'vitest';
import { FakeGateway } from './fakeGateway.fixture.ts';
import { GatewayFleet, type GatewayFleetOptions } from './fleet.ts';

const key = 'local/shop/web';

function workload(endpoints: GatewayEndpoint[]): GatewayWorkload {
  return {
    key,
    classes: [{ name: 'default', accepts: null }],
    serving: {
      routes: [],
      timeouts: { holdMs: 600_000, responseMs: 10_000, requestMs: 0, idleMs: 0 },
      buffer: { maxRequests: 10_000, maxBodyBytes: 1_000_000, maxTotalBytes: 1_000_000 },
      balancing: 'leastConnections',
      affinity: null,
      deferrable: null,
      drainMs: 10_000,
    },
    endpoints,
    unavailable: null,
  };
}

const replica = (name: string, slots: number, more: Partial<GatewayEndpoint> = {}): GatewayEndpoint => ({
  replica: name,
  class: 'default',
  host: '10.0.0.1',
  port: 8080,
  slots,
  draining: false,
  ...more,
});

let clock: VirtualClock;
let gateways: Map<string, FakeGateway>;
let leads: boolean;
beforeEach(() => {
  clock = new VirtualClock();
  gateways = new Map();
  leads = true;
});

function newFleet(more: Partial<GatewayFleetOptions> = {}): { fleet: GatewayFleet; events: GatewayEvent[] } {
  const fleet = new GatewayFleet({
    clock,
    connect: async ({ host }) => {
      const gateway = gateways.get(host);
      if (!gateway) throw new Error('nobody there');
      return gateway.connect();
    },
    serves: (name) => !name.endsWith('/queue'),
    mayWrite: () => leads,
    log: () => {},
    ...more,
  });
  const events: GatewayEvent[] = [];
  fleet.watch((event) => events.push(event));
  return { fleet, events };
}
const place = (name: string, isLeaving = false) => ({ name, host: name, port: 1, isLeaving });
function gateway(name: string, delayUs?: () => number): FakeGateway {
  const made = new FakeGateway(name, clock, delayUs);
  gateways.set(name, made);
  return made;
}
const of = <Type extends GatewayEvent['type']>(events: GatewayEvent[], type: Type) =>
  events.filter((event): event is Extract<GatewayEvent, { type: Type }> => event.type === type);

describe('gateways of a cluster', () => {
  it('are connected to, know all routes, and are known to the engine by their own names and processes', async () => {
    const [a] = [gateway('a'), gateway('b')];
    const { fleet, events } = newFleet();
    fleet.found(place('a'));
    fleet.found(place('b'));
    fleet.configure(workload([replica('r1', 4)]));
    await clock.advance(10);
    expect(a.heard).toEqual([{ type: 'lead' }]);
    fleet.release();
    await clock.advance(10);
    expect(of(events, 'connected').map(({ gateway: name, pid }) => [name, pid])).toEqual([
      ['a', 1],
      ['b', 1],
    ]);
    expect(a.workloads.get(key)?.serving.routes.map(({ host }) => host)).toEqual([
      'web.shop',
      'web.shop.svc',
      'web.shop.svc.cluster.local',
    ]);
    expect([...gateways.values()].map((one) => one.slots('r1'))).toEqual([2, 2]);
    expect(new Set(of(events, 'counts').map((event) => event.gateway))).toEqual(new Set(['a', 'b']));
  });

  it('wake the engine by the first request that is held, and the slot goes to where it waits', async () => {
    const [a, b] = [gateway('a'), gateway('b')];
    const { fleet, events } = newFleet();
    fleet.configure(workload([]));
    fleet.release();
    for (const name of ['a', 'b']) fleet.found(place(name));
    await clock.advance(10);
    const request = b.arrive(key, 5);
    await clock.advance(1);
    expect(of(events, 'wake')).toMatchObject([{ gateway: 'b', workload: key, held: 1 }]);
    fleet.configure(workload([replica('r1', 1)]));
    await clock.advance(10);
    expect(request.outcome).toBe('done');
    // The next one waits elsewhere: a moment later the slot is there.
    const next = a.arrive(key, 5);
    await clock.advance(10);
    expect(next.outcome).toBe('done');
  });

  it('put stamps on the clock of this machine, so that the engine may compare them', async () => {
    const a = gateway('a');
    const { fleet, events } = newFleet();
    fleet.configure(workload([]));
    fleet.release();
    fleet.found(place('a'));
    await clock.advance(10);
    const heldAtUs = clock.nowUs();
    a.arrive(key, 5);
    await clock.advance(60);
    expect(Math.abs((of(events, 'wake')[0]?.heldAtUs ?? 0) - heldAtUs)).toBeLessThan(1000);
    const counts = of(events, 'counts').at(-1);
    expect(Math.abs((counts?.counts[0]?.oldestHeldUs ?? 0) - heldAtUs)).toBeLessThan(1000);
    expect(Math.abs((counts?.atUs ?? 0) - clock.nowUs())).toBeLessThan(60_000);
  });

  it('say together when a replica is drained', async () => {
    const [a, b] = [gateway('a'), gateway('b')];
    const { fleet, events } = newFleet();
    fleet.configure(workload([replica('r1', 4)]));
    fleet.release();
    for (const name of ['a', 'b']) fleet.found(place(name));
    await clock.advance(10);
    const stream = a.arrive(key, 500);
    b.arrive(key, 100);
    await clock.advance(10);
    fleet.configure(workload([replica('r1', 4, { draining: true, drain: 7 })]));
    await clock.advance(300);
    expect(of(events, 'drained')).toEqual([]);
    await clock.advance(300);
    expect(stream.outcome).toBe('done');
    expect(of(events, 'drained')).toEqual([{ type: 'drained', gateway: 'all', replica: 'r1', drain: 7 }]);
  });

  it('say how long the counts of one have been missing', async () => {
    const [a] = [gateway('a'), gateway('b')];
    const { fleet } = newFleet();
    await clock.advance(70);
    expect(fleet.countsMissingMs()).toBe(70);
    fleet.found(place('a'));
    fleet.found(place('b'));
    fleet.release();
    await clock.advance(1000);
    expect(fleet.countsMissingMs()).toBe(0);
    a.cut(false);
    await clock.advance(4000);
    expect(fleet.countsMissingMs()).toBeGreaterThan(3900);
    a.mend();
    await clock.advance(5000);
    expect(fleet.countsMissingMs()).toBe(0);
    a.cut(false);
    await clock.advance(4000);
    // One that has ended will never say more.
    fleet.lost('a');
    expect(fleet.countsMissingMs()).toBe(0);
    fleet.lost('b');
    await clock.advance(50);
    expect(fleet.countsMissingMs()).toBe(50);
  });

  it('do not end a drain while requests may still go past them', async () => {
    gateway('a');
    let isReached = true;
    const { fleet, events } = newFleet({
      isReached: (name, { host }) => isReached && name === key && host === '10.0.0.1',
    });
    fleet.configure(workload([replica('r1', 4)]));
    fleet.release();
    fleet.found(place('a'));
    await clock.advance(10);
    fleet.configure(workload([replica('r1', 4, { draining: true, drain: 7 })]));
    await clock.advance(100);
    expect(of(events, 'drained')).toEqual([]);
    isReached = false;
    fleet.lookAtDrains();
    fleet.lookAtDrains();
    expect(of(events, 'drained')).toEqual([{ type: 'drained', gateway: 'all', replica: 'r1', drain: 7 }]);
  });

  it('know a workload by the names of its Services, from when these are there', async () => {
    const a = gateway('a');
    const services = [
      { name: 'web', isOnly: false },
      { name: 'front', isOnly: true },
    ];
    const { fleet } = newFleet({ servicesOf: () => services });
    fleet.configure(workload([replica('r1', 4)]));
    fleet.release();
    fleet.found(place('a'));
    await clock.advance(10);
    const hosts = () => a.workloads.get(key)?.serving.routes.map(({ host }) => host);
    const of = (name: string) => [`${name}.shop`, `${name}.shop.svc`, `${name}.shop.svc.cluster.local`];
    expect(hosts()).toEqual([...of('web'), ...of('front'), 'front']);
    services.push({ name: 'other', isOnly: false });
    fleet.renamed(key);
    fleet.renamed('local/shop/unknown');
    await clock.advance(10);
    expect(hosts()).toEqual([...of('web'), ...of('front'), ...of('other'), 'front']);
  });

  it('that cannot be reached keep what they have, and are waited for by a drain until they are gone', async () => {
    const [a, b] = [gateway('a'), gateway('b')];
    const { fleet, events } = newFleet();
    fleet.configure(workload([replica('r1', 4)]));
    fleet.release();
    for (const name of ['a', 'b']) fleet.found(place(name));
    await clock.advance(10);
    a.cut(false);
    for (let index = 0; index < 9; index++) b.arrive(key, 50);
    await clock.advance(40);
    expect(of(events, 'disconnected')).toMatchObject([{ gateway: 'a' }]);
    expect(b.slots('r1')).toBe(2);
    fleet.configure(workload([replica('r1', 4, { draining: true, drain: 1 })]));
    await clock.advance(1000);
    expect(of(events, 'drained')).toEqual([]);
    fleet.lost('a');
    await clock.advance(10);
    expect(of(events, 'drained')).toHaveLength(1);
    expect(of(events, 'gone')).toEqual([{ type: 'gone', gateway: 'a' }]);
  });

  it('the last one that ends is not forgotten before another one is there: its silence is not zero demand', async () => {
    gateway('a');
    gateway('b');
    const { fleet, events } = newFleet();
    fleet.configure(workload([replica('r1', 4)]));
    fleet.release();
    fleet.found(place('a'));
    await clock.advance(10);
    fleet.lost('a');
    await clock.advance(10);
    expect(of(events, 'disconnected')).toHaveLength(1);
    expect(of(events, 'gone')).toEqual([]);
    fleet.found(place('b'));
    await clock.advance(10);
    expect(of(events, 'gone')).toEqual([{ type: 'gone', gateway: 'a' }]);
    expect(gateways.get('b')?.slots('r1')).toBe(4);
  });

  it('that fall silent are connected to anew', async () => {
    const a = gateway('a');
    const { fleet, events } = newFleet();
    fleet.release();
    fleet.found(place('a'));
    await clock.advance(10);
    a.kill();
    gateway('a');
    await clock.advance(8000);
    expect(of(events, 'disconnected')).toHaveLength(1);
    expect(of(events, 'connected')).toHaveLength(2);
  });

  it('that leave keep what they carry and give the rest away', async () => {
    const [a, b] = [gateway('a'), gateway('b')];
    const { fleet } = newFleet();
    fleet.configure(workload([replica('r1', 4)]));
    fleet.release();
    for (const name of ['a', 'b']) fleet.found(place(name));
    await clock.advance(10);
    const stream = a.arrive(key, 5000);
    await clock.advance(100);
    fleet.found(place('a', true));
    await clock.advance(100);
    expect([a.slots('r1'), b.slots('r1')]).toEqual([1, 3]);
    await clock.advance(5000);
    expect(stream.outcome).toBe('done');
    expect([a.slots('r1'), b.slots('r1')]).toEqual([0, 4]);
  });

  it('hear nothing from one who does not lead', async () => {
    const a = gateway('a');
    const { fleet } = newFleet();
    fleet.configure(workload([replica('r1', 4)]));
    fleet.release();
    fleet.found(place('a'));
    await clock.advance(10);
    const heard = a.heard.length;
    leads = false;
    fleet.configure(workload([replica('r1', 8)]));
    await clock.advance(10);
    expect(a.heard).toHaveLength(heard);
  });

  it('keep their slots when another operator leads, though one of them is not heard of', async () => {
    const [a, b] = [gateway('a'), gateway('b')];
    const first = newFleet().fleet;
    first.configure(workload([replica('r1', 4)]));
    first.release();
    for (const name of ['a', 'b']) first.found(place(name));
    await clock.advance(10);
    await first.close();
    b.cut(false);
    const { fleet, events } = newFleet();
    for (const name of ['a', 'b']) fleet.found(place(name));
    fleet.configure(workload([replica('r1', 4)]));
    await clock.advance(10);
    fleet.release();
    for (let index = 0; index < 9; index++) a.arrive(key, 1000);
    await clock.advance(200);
    expect([a.slots('r1'), b.slots('r1')]).toEqual([2, 2]);
    expect(of(events, 'disconnected')).toMatchObject([{ gateway: 'b' }]);
    // One that came since cannot be in the other's hands.
    fleet.configure(workload([replica('r1', 4), replica('r2', 4)]));
    await clock.advance(10);
    expect(a.slots('r2')).toBe(4);
    b.mend();
    await clock.advance(5000);
    expect(of(events, 'connected').map(({ gateway: name }) => name)).toEqual(['a', 'b']);
    expect(a.slots('r1') + b.slots('r1')).toBe(4);
  });
});

describe('without gateways', () => {
  it('a drain is over at once, once', async () => {
    const { fleet, events } = newFleet();
    fleet.release();
    for (let round = 0; round < 2; round++) {
      fleet.configure(workload([replica('r1', 4, { draining: true, drain: 3 })]));
      await settle();
    }
    expect(of(events, 'drained')).toEqual([{ type: 'drained', gateway: 'all', replica: 'r1', drain: 3 }]);
    fleet.configure(workload([replica('r1', 4)]));
    fleet.configure(workload([replica('r1', 4, { draining: true, drain: 4 })]));
    await settle();
    expect(of(events, 'drained').map(({ drain }) => drain)).toEqual([3, 4]);
  });

  it('so is one of a workload whose requests do not come through them', async () => {
    const a = gateway('a');
    const { fleet, events } = newFleet();
    fleet.release();
    fleet.found(place('a'));
    await clock.advance(10);
    fleet.configure({ ...workload([replica('q1', 1, { draining: true, drain: 1 })]), key: 'local/shop/queue' });
    await settle();
    expect(of(events, 'drained')).toHaveLength(1);
    expect(a.workloads.size).toBe(0);
  });
});

test.each(Array.from({ length: 25 }, (_, seed) => seed))(
  'whatever happens to gateways, a replica never has more than it can do at once (seed %i)',
  async (seed) => {
    const random = new SeededRandom(seed);
    const delay = () => random.integer(50, 3000);
    const { fleet: firstFleet } = newFleet();
    let fleet = firstFleet;
    const replicas = new Map<string, number>();
    let serial = 0;
    const endpoints = () => [...replicas].map(([name, slots]) => replica(name, slots));
    const running = new Set<string>();
    const worst: string[] = [];
    clock.afterEvent = () => {
      for (const [name, slots] of replicas) {
        let all = 0;
        for (const one of gateways.values()) all += one.inFlight(name);
        if (all > slots) worst.push(`${name} has ${all} of ${slots}`);
      }
    };
    const start = () => {
      const name = `g${++serial}`;
      gateway(name, delay);
      running.add(name);
      fleet.found(place(name));
    };
    fleet.release();
    start();
    start();
    const add = () => replicas.set(`r${++serial}`, random.integer(1, 4));
    add();
    const steps: (() => unknown)[] = [
      () => running.size < 4 && start(),
      () => {
        if (running.size < 2) return;
        const name = random.pick([...running]);
        gateways.get(name)?.kill();
        running.delete(name);
        fleet.lost(name);
      },
      () => gateways.get(random.pick([...running]))?.restart(),
      () => gateways.get(random.pick([...running]))?.cut(random.chance(0.5)),
      () => {
        for (const one of gateways.values()) one.mend();
      },
      () => fleet.found(place(random.pick([...running]), random.chance(0.3))),
      () => replicas.size < 5 && add(),
      async () => {
        await fleet.close();
        fleet = newFleet().fleet;
        for (const name of running) fleet.found(place(name));
        fleet.configure(workload(endpoints()));
        await clock.advance(random.integer(0, 8));
        fleet.release();
      },
    ];
    for (let round = 0; round < 60; round++) {
      await random.pick(steps)();
      fleet.configure(workload(endpoints()));
      for (let count = random.integer(0, 6); count > 0; count--) {
        gateways.get(random.pick([...running]))?.arrive(key, random.integer(1, 80));
      }
      await clock.advance(random.integer(0, 40));
    }
    for (const one of gateways.values()) one.mend();
    for (const name of running) fleet.found(place(name));
    await clock.advance(60_000);
    expect(worst).toEqual([]);
    const left = [...running].flatMap(
      (name) =>
        gateways.get(name)?.requests.filter(({ outcome }) => outcome === 'held' || outcome === 'in flight') ?? [],
    );
    expect(left).toEqual([]);
    for (const [name, slots] of replicas) {
      expect([...running].reduce((sum, one) => sum + (gateways.get(one)?.slots(name) ?? 0), 0)).toBe(slots);
    }
    clock.afterEvent = null;
  },
);
