import type { Decision, Observation } from '@ebb/core';
import { MemoryStore, VirtualClock } from '@ebb/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import type { DecisionBody } from './decisionRun.ts';
import { Journal } from './journal.ts';

let clock: VirtualClock;
let store: MemoryStore;
let journal: Journal;
let snapshots: number;

beforeEach(async () => {
  clock = new VirtualClock();
  store = new MemoryStore();
  snapshots = 0;
  journal = newJournal();
  await journal.open();
});

const newJournal = () =>
  new Journal({
    store: store.journal,
    clock,
    log: () => {},
    snapshot: () => [{ workload: null, body: { type: 'system', number: ++snapshots } }],
  });

const observation = (): Observation => ({
  nowMs: clock.nowMs(),
  causes: ['reading'],
  readings: [],
  classes: {},
  lastActiveAtMs: null,
  countsKnown: true,
});
const decision = (replicas: number, mean = 0): Decision => ({
  classes: { default: replicas },
  replicas,
  reasons: [{ code: 'stable-window', stage: 'recommendation', data: { mean } }],
  revisitAtMs: clock.nowMs() + 1,
});
const decide = (replicas: number, mean = 0) => {
  journal.prepare();
  return journal.decided('w', observation(), decision(replicas, mean));
};

it('writes in groups, in the background, without gaps, each segment with a snapshot first', async () => {
  journal.prepare();
  const sequences = Array.from({ length: 50 }, (_, number) => journal.record('event', null, { number }));
  expect(store.records.length).toBe(0);
  await clock.advance(100);
  expect(sequences).toEqual(Array.from({ length: 50 }, (_, index) => index + 2));
  expect(store.records.map((record) => record.sequence)).toEqual(Array.from({ length: 51 }, (_, index) => index + 1));
  expect(store.records[0]).toMatchObject({ kind: 'snapshot', segment: 1 });
  const next = newJournal();
  await next.open();
  next.prepare();
  next.record('event', null, {});
  await next.close();
  expect(store.records.at(-2)).toMatchObject({ kind: 'snapshot', segment: 2, sequence: 52 });
});

it('codes equal decisions by their run', async () => {
  const first = decide(1);
  for (let round = 1; round <= 5; round++) {
    await clock.advance(1000);
    expect(decide(1, round)).toBeNull();
  }
  const second = decide(2);
  await journal.close();
  const decisions = store.records.filter((record) => record.kind === 'decision');
  expect(decisions.map((record) => record.sequence)).toEqual([first, (second ?? 0) - 1, second]);
  const repeated = decisions[1]?.body as DecisionBody;
  expect(repeated).toMatchObject({ type: 'repeated', of: first, count: 5, lastMs: clock.nowMs() });
  expect(store.records.filter((record) => record.kind === 'reading').length).toBe(2);
});

describe('while the store fails', () => {
  it('keeps its order and loses nothing, also where a write was done and then reported as failed', async () => {
    let calls = 0;
    const append = store.journal.append.bind(store.journal);
    store.journal.append = async (records) => {
      calls++;
      if (calls % 3 === 1) throw new Error('disk full');
      await append(records);
      if (calls % 3 === 2) throw new Error('lost the answer');
    };
    journal.prepare();
    for (let round = 0; round < 200; round++) {
      journal.record('event', null, { round });
      await clock.advance(37);
    }
    await clock.advance(20_000);
    expect(store.records.map((record) => record.sequence)).toEqual(
      Array.from({ length: 201 }, (_, index) => index + 1),
    );
    expect(store.records.slice(1).map((record) => (record.body as { round: number }).round)).toEqual(
      Array.from({ length: 200 }, (_, index) => index),
    );
  });

  it('refuses beyond its bound, and goes on with a new segment that says so', async () => {
    store.faults.fail = () => new Error('disk full');
    journal.prepare();
    let refused = 0;
    for (let round = 0; round < 20_500; round++) if (journal.record('event', null, {}) === null) refused++;
    expect(refused).toBe(501);
    expect(decide(1)).toBeNull();
    store.faults = {};
    await clock.advance(20_000);
    const sequence = decide(1);
    await journal.close();
    expect(store.records.map((record) => record.sequence)).toEqual(store.records.map((_, index) => index + 1));
    const after = store.records.filter((record) => record.segment === 2);
    expect(after.map((record) => record.kind)).toEqual(['snapshot', 'event', 'reading', 'decision']);
    expect(after[1]?.body).toMatchObject({ type: 'journal-refused' });
    expect(after[3]?.sequence).toBe(sequence);
  });
});

it('begins a new segment by time, and trims what is older than a week', async () => {
  for (let hour = 0; hour < 24 * 9; hour++) {
    decide(hour % 3);
    await clock.advance(3_600_000);
  }
  decide(0);
  await journal.close();
  const ages = store.records.map((record) => clock.nowMs() - record.atMs);
  expect(Math.max(...ages)).toBeGreaterThan(6.9 * 86_400_000);
  expect(Math.max(...ages)).toBeLessThan(7.1 * 86_400_000);
  const segments = Map.groupBy(store.records, (record) => record.segment);
  for (const records of segments.values()) expect(records[0]?.kind).toBe('snapshot');
});
