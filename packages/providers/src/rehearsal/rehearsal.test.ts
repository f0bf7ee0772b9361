import type { NodeEvent, NodeLaunch, Provider } from '@ebb/core';
import { nodeLaunch, VirtualClock } from '@ebb/testing';
import { describeProviderConformance } from '@ebb/testing/conformance';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ProviderSettings } from '../contract.ts';
import { openProvider } from '../openProvider.ts';
import { MemoryBook } from '../testing/memoryBook.ts';

const yearMs = 365 * 86_400_000;

function open(clock: VirtualClock, book: MemoryBook, settings: Partial<ProviderSettings> = {}): Promise<Provider> {
  return openProvider(
    'rehearsal',
    { cluster: 'local', region: null, pools: () => [], ...settings },
    { clock, book, log() {}, secrets: async () => null },
  );
}

const stages = (bootMs: number, restMs: number): NodeLaunch['startStages'] => ({
  bootMs,
  driverMs: restMs,
  imageMs: 0,
  weightsMs: 0,
  totalMs: bootMs + restMs,
});

describeProviderConformance('rehearsal', async () => {
  const clock = new VirtualClock();
  const book = new MemoryBook();
  const spotInterruptions = { seed: 7, perHour: 2 };
  return {
    provider: await open(clock, book, { spotInterruptions }),
    other: await open(clock, new MemoryBook(), { cluster: 'other' }),
    launch: (id, cluster = 'local') => nodeLaunch(id, { cluster, askedAtMs: clock.nowMs() }),
    impossible: () => null,
    marksOf: async () => null,
    faults: {
      lostAnswer() {
        book.failure = { error: new Error('the disk is slow'), isWritten: true };
      },
      neverJoins: (launch) => ({ ...launch, startStages: stages(1000, yearMs) }),
      // Spot machines of this one are taken back by themselves.
      interrupted() {},
    },
    until: (condition, what) => clock.runUntilTrue(condition, yearMs, what),
    pass: () => clock.advance(10_000),
  };
});

async function watched(provider: Provider): Promise<NodeEvent[]> {
  const events: NodeEvent[] = [];
  provider.watch((event) => events.push(event));
  return events;
}

test('takes exactly the time of the stages', async () => {
  const clock = new VirtualClock();
  const provider = await open(clock, new MemoryBook());
  const events = await watched(provider);
  const startMs = clock.nowMs();
  await provider.launch(nodeLaunch('a', { startStages: stages(50_000, 90_000) }));
  const told: [string, number][] = [];
  for (let second = 0; second <= 150; second++) {
    await clock.runUntil(startMs + second * 1000);
    const last = events.at(-1);
    if (last?.type === 'node' && last.node.phase !== told.at(-1)?.[0]) told.push([last.node.phase, second]);
  }
  expect(told).toEqual([
    ['requested', 0],
    ['booting', 5],
    ['running', 50],
    ['ready', 140],
  ]);
  await provider.close();
  expect(clock.pending()).toBe(0);
});

test('its machines outlive it, and go on starting while nobody looks', async () => {
  const clock = new VirtualClock();
  const book = new MemoryBook();
  const first = await open(clock, book);
  await first.launch(nodeLaunch('a'));
  await first.launch(nodeLaunch('b'));
  await first.terminate({ id: 'b' });
  await first.close();
  await clock.advance(60_000);
  const second = await open(clock, book);
  expect(await second.list()).toMatchObject([{ id: 'a', phase: 'ready', cluster: 'local' }]);
  await second.launch(nodeLaunch('b'));
  expect((await second.list()).map(({ id }) => id)).toEqual(['a']);
  await second.close();
});

test('nothing is bought that is not in the book', async () => {
  const clock = new VirtualClock();
  const book = new MemoryBook();
  const provider = await open(clock, book);
  book.failure = { error: new Error('the disk is full'), isWritten: false };
  await expect(provider.launch(nodeLaunch('a'))).rejects.toMatchObject({ code: 'unavailable' });
  book.failure = { error: Object.assign(new Error('older'), { code: 'stale-epoch' }), isWritten: false };
  await expect(provider.launch(nodeLaunch('a'))).rejects.toMatchObject({ code: 'stale-epoch' });
  expect(await provider.list()).toEqual([]);
  await provider.close();
});

test('a book that cannot be read is said, not overwritten', async () => {
  const book = new MemoryBook();
  await book.save({ version: 2, machines: [] });
  await expect(open(new VirtualClock(), book)).rejects.toThrow('cannot be read');
  await book.save({ version: 1, machines: [{ id: 'a' }] });
  await expect(open(new VirtualClock(), book)).rejects.toThrow('cannot be read');
});

test('spot machines stay by default; with a rate, the same ones go in every run', async () => {
  const lifeMs = async (id: string, seed: number, perHour: number) => {
    const clock = new VirtualClock();
    const provider = await open(clock, new MemoryBook(), { spotInterruptions: { seed, perHour } });
    const startMs = clock.nowMs();
    const spot = { ...nodeLaunch(id).offering, capacityType: 'spot' as const };
    await provider.launch(nodeLaunch(id, { offering: spot }));
    const events = await watched(provider);
    const isGone = () => events.some((event) => event.type === 'node' && event.node.phase === 'gone');
    await clock.runUntilTrue(isGone, yearMs);
    await provider.close();
    return clock.nowMs() - startMs;
  };
  const mean = async (perHour: number) => {
    let sum = 0;
    for (let number = 0; number < 200; number++) sum += await lifeMs(`n${number}`, 3, perHour);
    return sum / 200 / 3_600_000;
  };
  // The mean of 200 exponential lives is within 30 % of 1 / rate but once in 10,000 seeds.
  expect(await mean(0.5)).toBeGreaterThan(1.4);
  expect(await mean(0.5)).toBeLessThan(2.6);
  expect(await lifeMs('a', 1, 1)).toBe(await lifeMs('a', 1, 1));
  expect(await lifeMs('a', 1, 1)).not.toBe(await lifeMs('a', 2, 1));

  const clock = new VirtualClock();
  const provider = await open(clock, new MemoryBook());
  const spot = { ...nodeLaunch('a').offering, capacityType: 'spot' as const };
  await provider.launch(nodeLaunch('a', { offering: spot }));
  await clock.advance(yearMs);
  expect(await provider.list()).toMatchObject([{ phase: 'ready', notice: null }]);
  await provider.close();
});

test('whatever is asked in whatever order, over restarts: one machine an id, and none that was told to end', async () => {
  const step = fc.record({
    what: fc.constantFrom('launch', 'terminate', 'restart', 'fail', 'wait'),
    id: fc.constantFrom('a', 'b', 'c'),
    waitMs: fc.integer({ min: 1, max: 90_000 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const clock = new VirtualClock();
      const book = new MemoryBook();
      let provider = await open(clock, book);
      const told = new Set<string>();
      const launched = new Set<string>();
      for (const { what, id, waitMs } of steps) {
        if (what === 'launch') {
          await provider.launch(nodeLaunch(id));
          launched.add(id);
        } else if (what === 'terminate') {
          await provider.terminate({ id });
          if (launched.has(id)) told.add(id);
        } else if (what === 'fail') book.failure = { error: new Error('lost'), isWritten: true };
        else if (what === 'wait') await clock.advance(waitMs);
        else {
          await provider.close();
          provider = await open(clock, book);
        }
        if (what === 'fail') await provider.launch(nodeLaunch(id)).catch(() => launched.add(id));
        const ids = (await provider.list()).filter(({ phase }) => phase !== 'stopping').map((node) => node.id);
        expect(new Set(ids).size).toBe(ids.length);
        for (const listed of ids) expect(told.has(listed ?? '')).toBe(false);
      }
      await clock.advance(120_000);
      const left = (await provider.list()).map((node) => node.id);
      for (const id of left) expect(told.has(id ?? '')).toBe(false);
      await provider.close();
      expect(clock.pending()).toBe(0);
    }),
    { numRuns: 100 },
  );
});
