import { describe, expect, it } from 'vitest';
import type { WorldModel } from '@ebb/simulator';
import { compareRun } from './comparison.ts';
import { differenceOf } from './curve.ts';
import { makeLoad } from './load.ts';
import { type FidelityPolicy, fidelityPolicies } from './policies.ts';
import { readRecording } from './recording.ts';
import { measuredModel, rehearse } from './rehearsal.ts';

/** A live run of `npm run test:fidelity -- --record`: what real processes did is the measure, without running them again. */
const recording = readRecording(new URL('./recorded.json', import.meta.url));
const measured = measuredModel(recording.runs);

async function beyond(policy: FidelityPolicy, model: WorldModel): Promise<string[]> {
  const run = recording.runs.find((one) => one.policy === policy.name);
  if (!run) throw new Error(`${policy.name} was not recorded`);
  const { rows } = compareRun(recording.load, run, await rehearse(policy, recording.load, model, run));
  return rows.filter(({ isWithin }) => !isWithin).map(({ name }) => name);
}

const named = (name: string) => fidelityPolicies.find((policy) => policy.name === name) as FidelityPolicy;

/** The documents with another text in the place of one that must be there. */
function changed(name: string, from: string, to: string): FidelityPolicy {
  const text = JSON.stringify(named(name).documents);
  expect(text).toContain(from);
  return { name, documents: JSON.parse(text.replaceAll(from, to)) as FidelityPolicy['documents'] };
}

describe('a rehearsal beside a recorded live run', () => {
  it.each(fidelityPolicies.map(({ name }) => name))('agrees under %s', async (name) => {
    expect(await beyond(named(name), measured)).toEqual([]);
  });

  it('was recorded with the load that is made today', () => {
    expect(recording.load).toEqual(makeLoad(recording.load.seed));
  });
});

describe('the bounds', () => {
  const slower: WorldModel = {
    ...measured,
    coldStart: [...measured.coldStart, { stage: 'weights', ms: { type: 'fixed', ms: 1600 } }],
  };
  const none: WorldModel = { ...measured, coldStart: [] };

  it.each(fidelityPolicies.map(({ name }) => name))('are broken under %s by a wrong cold start', async (name) => {
    expect((await beyond(named(name), slower)).length).toBeGreaterThan(0);
    expect((await beyond(named(name), none)).length).toBeGreaterThan(0);
  });

  it('are broken by another number of slots', async () => {
    expect((await beyond(named('windows'), { ...measured, concurrency: 1 })).length).toBeGreaterThan(0);
  });

  it.each([
    ['windows', '"keepAlive":"3s"', '"keepAlive":"0s"'],
    ['keepalive', '"stabilizationWindow":"3s"', '"stabilizationWindow":"0s"'],
    ['knative', '"stableWindow":"6s"', '"stableWindow":"12s"'],
    ['keda', '"stabilizationWindowSeconds":3', '"stabilizationWindowSeconds":0'],
    ['keda', '"window":"2"', '"window":"6"'],
  ])('are broken by a rule of %s that is not kept: %s', async (name, from, to) => {
    expect((await beyond(changed(name, from, to), measured)).length).toBeGreaterThan(0);
  });
});

it('measures the space between two curves', () => {
  const one = [
    { atMs: 0, count: 0 },
    { atMs: 1000, count: 2 },
    { atMs: 3000, count: 0 },
  ];
  const other = [
    { atMs: 0, count: 0 },
    { atMs: 2000, count: 3 },
    { atMs: 3000, count: 0 },
  ];
  expect(differenceOf(one, other, 5000)).toEqual({ seconds: 3, most: 2, mostMs: 1000, longestMs: 2000 });
  expect(differenceOf(one, one, 5000)).toEqual({ seconds: 0, most: 0, mostMs: 0, longestMs: 0 });
});
