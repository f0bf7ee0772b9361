import type { WorkloadInput } from '@ebb/documents';
import { Invariants, SeededRandom, VirtualSystem, workloadDocument, workloadSpec } from '@ebb/testing';
import { expect, it } from 'vitest';

const second = 1_000_000;
const key = 'local/default/web';

const document = (more: Partial<WorkloadInput['spec']> = {}) => ({
  classes: [{ name: 'default', command: ['serve'], concurrency: 4 }],
  probes: { startup: { budget: '60s' } },
  scaling: { maxReplicas: 3, keepAlive: '10s' },
  serving: { deferrable: { maxDelay: '1h', reserve: 0.25 }, drain: '30s' },
  ...more,
});

async function start(more: Partial<WorkloadInput['spec']> = {}) {
  const system = new VirtualSystem({ plan: () => ({ spawnUs: 1000, listenUs: 1000, readyUs: 8 * second }) });
  const invariants = new Invariants(system);
  await system.start();
  const spec = document(more);
  invariants.expect(workloadSpec('web', spec));
  await system.apply(workloadDocument('web', spec));
  await system.clock.advance(1);
  const defer = (forUs: number, serviceUs = second) =>
    system.gateway.arrive(key, serviceUs, { deferUntilUs: system.clock.nowUs() + forUs });
  const status = () => {
    const found = system.engine.statuses()[0];
    if (!found) throw new Error('no workload');
    return found;
  };
  return { system, invariants, defer, status };
}

it('never starts a replica before the deadline is near, and then in time', async () => {
  const { system, defer, status, invariants } = await start();
  const request = defer(600 * second);
  // No start was seen yet, so one may take its budget of 60 s, and a margin of 30 s is kept.
  await system.clock.advance(509_000);
  expect(system.driver.started.length).toBe(0);
  expect(status()).toMatchObject({ held: 0, inFlight: 0, deferred: { waiting: 1, inFlight: 0 } });
  await system.clock.advance(3_000);
  expect(system.driver.started.length).toBe(1);
  expect(status()).toMatchObject({ held: 1, deferred: { waiting: 0 } });
  await system.clock.advance(60_000);
  expect(request.outcome).toBe('succeeded');
  expect(request.assignedUs ?? 0).toBeLessThan(530 * second);

  // The measured start of 8 s is what the next one is expected to take: 12 s before the deadline.
  await system.clock.advance(60_000);
  expect(status().replicas.ready).toBe(0);
  const again = defer(100 * second);
  await system.clock.advance(87_000);
  expect(system.driver.started.length).toBe(1);
  await system.clock.advance(12_900);
  expect(again.assignedUs).not.toBeNull();
  await system.clock.advance(60_000);
  expect(again.outcome).toBe('succeeded');
  invariants.checkQuiet();
});

it('fills what an interactive request has started, and is no demand and no activity there', async () => {
  const { system, defer, status } = await start();
  const waiting = Array.from({ length: 12 }, () => defer(3_000 * second, 2 * second));
  await system.clock.advance(30_000);
  expect(system.driver.started.length).toBe(0);
  const interactive = system.gateway.arrive(key, second);
  await system.clock.advance(8_500);
  // One slot of four is the reserve; the interactive one has another.
  expect(interactive.replica).not.toBeNull();
  expect(waiting.filter(({ replica }) => replica !== null)).toHaveLength(2);
  expect(status()).toMatchObject({ inFlight: 1, deferred: { waiting: 10, inFlight: 2 } });
  expect(system.gateway.counts(key)?.classes.default?.inFlight).toBe(1);
  // Eight seconds of slack at three slots: all of them, with a single replica that goes 10 s after its last request.
  await system.clock.advance(9_000);
  expect(waiting.every(({ outcome }) => outcome === 'succeeded')).toBe(true);
  await system.clock.advance(5_000);
  expect(system.driver.started.length).toBe(1);
  expect(status().replicas.ready).toBe(0);
});

it('lets a replica go that has nothing else, which keeps what it has for its drain time', async () => {
  const { system, defer, status } = await start();
  const interactive = system.gateway.arrive(key, second);
  const long = defer(3_000 * second, 25 * second);
  const tooLong = defer(3_000 * second, 500 * second);
  await system.clock.advance(9_500);
  expect(interactive.outcome).toBe('succeeded');
  await system.clock.advance(12_000);
  expect(status().replicas).toMatchObject({ ready: 0, draining: 1 });
  // The invariant of every event: it is not stopped with work in flight before its drain time is over.
  await system.clock.advance(15_000);
  expect(long.outcome).toBe('succeeded');
  expect(status().replicas).toMatchObject({ draining: 1 });
  await system.clock.advance(20_000);
  expect(tooLong.outcome).toBe('failed');
  expect(status().replicas).toMatchObject({ ready: 0, draining: 0 });
});

it('is what a replica is chosen by that has to go', async () => {
  const scaling = { maxReplicas: 2, keepAlive: '300s', minReplicas: 2 };
  const { system, defer, status } = await start({ scaling });
  await system.clock.advance(10_000);
  const interactive = system.gateway.arrive(key, 400 * second);
  // Balanced by connections: the first and the third share a replica that has nothing else.
  const fills = [300, 1, 300].map((seconds) => defer(3_000 * second, seconds * second));
  await system.clock.advance(3_000);
  const [alone] = fills.map(({ replica }) => replica);
  expect(fills[2]?.replica).toBe(alone);
  expect(interactive.replica).not.toBe(alone);
  expect(system.gateway.counts(key)?.replicas).toEqual({ [interactive.replica ?? '']: 1, [alone ?? '']: 2 });
  await system.apply(workloadDocument('web', document({ scaling: { ...scaling, minReplicas: 1 } })));
  await system.clock.runUntilTrue(() => status().replicas.draining > 0, 200_000, 'a replica that drains');
  expect(status().replicaList.find(({ phase }) => phase === 'draining')?.id).toBe(alone);
  await system.clock.advance(400_000);
  expect(interactive.outcome).toBe('succeeded');
});

it.each([1, 2, 3, 4, 5])(
  'keeps every invariant under mixed load, seed %i: slots, drains, one outcome each',
  async (seed) => {
    const { system, defer, invariants } = await start({ scaling: { maxReplicas: 3, keepAlive: '5s' } });
    const random = new SeededRandom(seed);
    for (let index = 0; index < 300; index++) {
      await system.clock.advance(random.integer(1, 1_500));
      const serviceUs = random.integer(1_000, 12 * second);
      const kind = random.integer(1, 10);
      if (kind <= 4) defer(random.integer(1, 300) * second, serviceUs);
      else if (kind <= 7) system.gateway.arrive(key, serviceUs);
      else if (kind === 8) system.gateway.cancel(random.integer(1, index + 1));
      else await system.clock.advance(random.integer(1, 20_000));
    }
    await system.clock.advance(600_000);
    invariants.checkQuiet();
    const outcomes = system.gateway.exchanges.map(({ outcome }) => outcome);
    expect(outcomes.filter((outcome) => outcome === 'succeeded').length).toBeGreaterThan(100);
    const counts = system.gateway.counts(key);
    expect(counts?.requests.total).toBe(outcomes.length);
    expect(counts?.deferred).toMatchObject({ waiting: 0, inFlight: 0, replicas: {} });
    expect(counts?.deferred?.begun).toBeGreaterThan(10);
    expect(invariants.checkReplay()).toBeGreaterThan(0);
  },
);
