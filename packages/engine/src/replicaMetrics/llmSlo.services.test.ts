import type { WorkloadInput } from '@ebb/documents';
import { constant, poisson, SeededRandom, startLoad, VirtualLlm, VirtualSystem, workloadDocument } from '@ebb/testing';
import { describe, expect, it } from 'vitest';

const secondMs = 1000;
const minuteMs = 60_000;
const key = { cluster: 'local', namespace: 'default', name: 'chat' };
const startMs = 20 * secondMs;

type Policy = Extract<NonNullable<NonNullable<WorkloadInput['spec']['scaling']>['policy']>, { type: 'slo' }>;

const policy: Policy = {
  type: 'slo',
  metrics: { server: 'vllm' },
  startTime: '20s',
  triggers: [
    { type: 'timeToFirstToken', above: '1s', below: '300ms' },
    { type: 'kvCacheUse', above: 0.9 },
    { type: 'waitingRequests', above: 2 },
  ],
};

/** Four at once, 30 tokens of 100 to 115 ms each: a replica does about 1.1 requests a second. */
async function chat(more: Partial<Policy> = {}, options: { seed?: number; scaling?: object } = {}) {
  const seed = options.seed ?? 7;
  const system = new VirtualSystem({
    seed,
    plan: () => ({ spawnUs: 1e6, listenUs: 1e6, readyUs: (startMs - 2000) * 1000 }),
  });
  const llm = new VirtualLlm(system, {
    parallel: 4,
    prefillMs: 50,
    tokenMs: 100,
    tokenMsPerRunning: 5,
    tokens: () => 30,
  });
  await system.start();
  await system.apply(
    workloadDocument('chat', {
      classes: [{ name: 'default', command: ['serve'], concurrency: 64 }],
      scaling: { minReplicas: 1, maxReplicas: 12, ...options.scaling, policy: { ...policy, ...more } },
    }),
  );
  await system.clock.advance(startMs + 5 * secondMs);
  const load = (perSecond: number, forMs: number, random?: SeededRandom) =>
    startLoad({
      clock: system.clock,
      gateway: system.gateway,
      workload: 'local/default/chat',
      arrivals: random ? poisson(random, perSecond) : constant(perSecond),
      serviceUs: () => 1,
      forMs,
    });
  const status = () => system.engine.status(key);
  const wanted = () => status()?.replicas.wanted ?? 0;
  const explained = async () => (await system.await(system.engine.explain(key)))?.lines ?? [];
  const late = (fromMs: number, limitMs: number) => {
    const since = llm.firstTokens.filter(({ atMs }) => atMs >= fromMs);
    return { timed: since.length, late: since.filter(({ tookMs }) => tookMs > limitMs).length };
  };
  return { system, llm, load, wanted, status, explained, late };
}

describe('an LLM server steered by its own metrics', () => {
  it('gets back within its marks after a step of load within a few cold starts, and stays there', async () => {
    const { system, load, wanted, late } = await chat();
    load(0.5, 5 * minuteMs);
    await system.clock.advance(5 * minuteMs);
    expect(wanted()).toBe(1);
    load(4, 20 * minuteMs);
    const stepMs = system.clock.nowMs();
    // Three cold starts, each with a window to see what it did, and the queue that grew meanwhile.
    await system.clock.advance(3 * (startMs + 30 * secondMs));
    const mendedMs = system.clock.nowMs();
    await system.clock.advance(stepMs + 20 * minuteMs - mendedMs);
    const { timed, late: missed } = late(mendedMs, 1000);
    expect(timed).toBeGreaterThan(3500);
    expect(missed / timed).toBeLessThan(0.01);
  });

  it('ends in a constant count under constant load', async () => {
    for (const perSecond of [0.7, 3]) {
      const { system, load, wanted } = await chat();
      load(perSecond, 60 * minuteMs);
      await system.clock.advance(25 * minuteMs);
      const counts = new Set<number>();
      for (let minute = 0; minute < 20; minute++) {
        await system.clock.advance(minuteMs);
        counts.add(wanted());
      }
      expect([perSecond, [...counts]]).toEqual([perSecond, [wanted()]]);
      expect(wanted()).toBeLessThanOrEqual(Math.ceil(perSecond / 0.5) + 1);
    }
  });

  it('goes back to its least when the load is over', async () => {
    const { system, load, wanted } = await chat();
    load(4, 5 * minuteMs);
    await system.clock.advance(5 * minuteMs);
    expect(wanted()).toBeGreaterThanOrEqual(4);
    await system.clock.advance(15 * minuteMs);
    expect(wanted()).toBe(1);
  });

  it('adds for a full KV cache before the first token is late', async () => {
    const { system, load, wanted, llm, explained } = await chat();
    // Just under what one replica can do: all of its slots are in use and nobody waits for long.
    load(1.16, 10 * minuteMs);
    await system.clock.runUntilTrue(() => wanted() > 1, 10 * minuteMs, 'a second replica');
    expect(llm.firstTokens.filter(({ tookMs }) => tookMs > 1000)).toEqual([]);
    const lines = await explained();
    expect(lines.map(({ sentence }) => sentence)).toContainEqual(
      expect.stringMatching(/^kvCacheUse is at 0\.9\d* of the KV cache, over 0\.9: from 1 to 2\.$/),
    );
  });

  it.each([1, 2, 3])('keeps its promise under uneven arrivals, seed %d', async (seed) => {
    const random = new SeededRandom(seed);
    const { system, load, late, wanted } = await chat({}, { seed });
    load(2.5, 40 * minuteMs, random);
    await system.clock.advance(10 * minuteMs);
    const fromMs = system.clock.nowMs();
    let changes = 0;
    let before = wanted();
    for (let i = 0; i < 150; i++) {
      await system.clock.advance(10 * secondMs);
      if (wanted() !== before) changes++;
      before = wanted();
    }
    const { timed, late: missed } = late(fromMs, 1000);
    expect(timed).toBeGreaterThan(3000);
    expect(missed / timed).toBeLessThan(0.02);
    expect(changes).toBeLessThanOrEqual(6);
  });
});

describe('metrics that cannot be read', () => {
  it('hold the count, and say whose and why', async () => {
    const { system, llm, load, wanted, status, explained } = await chat();
    load(4, 6 * minuteMs);
    await system.clock.advance(6 * minuteMs);
    const held = wanted();
    expect(held).toBeGreaterThanOrEqual(4);
    const [first] = status()?.replicaList ?? [];
    llm.unreadable.add(first?.id ?? '');
    await system.clock.advance(10 * minuteMs);
    expect(wanted()).toBe(held);
    const lines = await explained();
    const missing = lines.find(({ code }) => code === 'slo-metrics-missing');
    expect(missing?.sentence).toContain(
      `The metrics of 1 of ${held} ready replicas cannot be read (${first?.id}: nobody listens`,
    );
    llm.unreadable.clear();
    await system.clock.advance(15 * minuteMs);
    expect(wanted()).toBe(1);
  });

  it('do not keep an idle workload from zero', async () => {
    const { system, llm, load, wanted, status } = await chat({}, { scaling: { minReplicas: 0, keepAlive: '60s' } });
    load(0.1, 2 * minuteMs);
    await system.clock.advance(minuteMs);
    for (const { id } of status()?.replicaList ?? []) llm.unreadable.add(id);
    expect(wanted()).toBe(1);
    await system.clock.advance(4 * minuteMs);
    expect(wanted()).toBe(0);
    const { scrapes } = system.metrics;
    await system.clock.advance(5 * minuteMs);
    expect(system.metrics.scrapes).toBe(scrapes);
  });
});

it('is the same after the control plane was killed and came back', async () => {
  const { system, load, wanted } = await chat();
  load(2, 40 * minuteMs);
  await system.clock.advance(20 * minuteMs);
  const before = wanted();
  system.kill();
  await system.clock.advance(5 * secondMs);
  await system.start();
  for (let i = 0; i < 60; i++) {
    await system.clock.advance(10 * secondMs);
    expect(wanted()).toBe(before);
  }
});
