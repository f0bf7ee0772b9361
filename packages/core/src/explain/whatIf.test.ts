import { resolveWorkload, type WorkloadInput } from '@ebb/documents';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from '../replicas/decide.ts';
import { decisionSpecOf, windowsSpecOf } from '../replicas/spec.ts';
import type { DecideResult, Memory, Observation, WorkloadDecisionSpec } from '../replicas/types.ts';
import { whatWouldChange } from './whatIf.ts';
import { smallestThat, type WhatIf } from './whatIfSearch.ts';
import { whatIfSentence, whatIfSentences } from './whatIfSentences.ts';

const startMs = 1_000_000_000;

function specOf(scaling: WorkloadInput['spec']['scaling'], concurrency = 4): WorkloadDecisionSpec {
  const document: WorkloadInput = {
    apiVersion: 'ebb.dev/v1alpha1',
    kind: 'Workload',
    metadata: { name: 'web' },
    spec: { classes: [{ name: 'default', command: ['serve'], concurrency }], scaling: scaling ?? {} },
  };
  return windowsSpecOf(resolveWorkload(document, { baseDirectory: '/' }));
}

interface Moment {
  atMs: number;
  inFlight?: number;
  held?: number;
  ready?: number;
  /** Mean of the trigger since the moment before. */
  mean?: number;
  countsKnown?: boolean;
}

/** Plays moments one after another; gives the last one and the memory that it met. */
function play(spec: WorkloadDecisionSpec, moments: Moment[]) {
  let memory: Memory | null = null;
  let before: Memory | null = null;
  let lastActiveAtMs: number | null = null;
  let lastMs = startMs;
  let observation: Observation | null = null;
  let replicas = 0;
  for (const { atMs, inFlight = 0, held = 0, ready, mean, countsKnown = true } of moments) {
    const nowMs = startMs + atMs;
    if (inFlight + held > 0) lastActiveAtMs = nowMs;
    observation = {
      nowMs,
      causes: ['reading'],
      readings:
        mean === undefined
          ? []
          : [
              {
                trigger: 'concurrency',
                class: 'default',
                value: mean,
                peak: null,
                spanMs: nowMs - lastMs,
                atMs: nowMs,
                state: 'ok',
              },
            ],
      classes: { default: { ready: ready ?? replicas, starting: 0, draining: 0, failed: 0, inFlight, held } },
      lastActiveAtMs,
      countsKnown,
    };
    lastMs = nowMs;
    before = memory;
    const result: DecideResult = decide(spec, memory, observation);
    memory = result.memory;
    replicas = result.decision.replicas;
  }
  if (!observation) throw new Error('no moment');
  return { spec, memory: before, observation, replicas };
}

function changesOf(played: ReturnType<typeof play>): Map<string, WhatIf['data']> {
  const changes = whatWouldChange(played.spec, played.memory, played.observation);
  return new Map(changes.map(({ change, data }) => [change, data]));
}

describe('requests of the moment', () => {
  it('says how many wake it from zero', () => {
    const changes = changesOf(play(specOf({ minReplicas: 0 }), [{ atMs: 0 }, { atMs: 1000 }]));
    expect(changes.get('more-requests')).toEqual({ class: 'default', now: 0, requests: 1, replicas: 1 });
    expect(changes.has('fewer-requests')).toBe(false);
  });

  it('says the next border in both directions', () => {
    // 9 requests at 4 a replica are 3 replicas; the 13th asks for a fourth, with 8 two would do.
    const changes = changesOf(
      play(specOf({ maxReplicas: 10 }), [
        { atMs: 0, held: 9 },
        { atMs: 100, held: 9, mean: 1 },
      ]),
    );
    expect(changes.get('more-requests')).toMatchObject({ now: 9, requests: 13, replicas: 4 });
    expect(changes.get('fewer-requests')).toMatchObject({ now: 9, requests: 8, replicas: 2 });
  });

  it('names the maximum where no number of requests helps', () => {
    const changes = changesOf(play(specOf({ maxReplicas: 2 }), [{ atMs: 0, held: 20 }]));
    expect(changes.has('more-requests')).toBe(false);
    expect(changes.get('higher-max')).toEqual({ now: 2, maxReplicas: 5, replicas: 5 });
  });
});

it('says at which mean there would be one more and one less', () => {
  // Target 4 × utilisation 1: 10 on average are 3 replicas, more than 12 are 4, at most 8 are 2.
  const spec = specOf({ maxReplicas: 10, windows: { targetUtilization: 1 } });
  const moments = Array.from({ length: 80 }, (_, second) => ({ atMs: second * 1000, mean: 10, inFlight: 1, ready: 3 }));
  const played = play(spec, moments);
  expect(played.replicas).toBe(3);
  const changes = changesOf(played);
  expect(changes.get('mean-above')).toMatchObject({ now: 10, asks: 3, mean: 12, replicas: 4 });
  expect(changes.get('mean-at-most')).toMatchObject({ now: 10, mean: 8, replicas: 2 });
});

it('says when the keep-alive ends, and which keep-alive would have ended', () => {
  const spec = specOf({ keepAlive: '60s' });
  const moments = [
    { atMs: 0, held: 1 },
    { atMs: 1000, inFlight: 1, mean: 1 },
    { atMs: 2000, mean: 1 },
    { atMs: 42_000 },
  ];
  const changes = changesOf(play(spec, moments));
  expect(changes.get('keep-alive-ends')).toEqual({ inMs: 19_000, atMs: startMs + 61_000, replicas: 0 });
  expect(changes.get('shorter-keep-alive')).toEqual({ now: 60_000, keepAliveMs: 41_000, replicas: 0 });
});

it('says which keep-alive would have kept it', () => {
  const spec = specOf({ keepAlive: '60s' });
  const moments = [
    { atMs: 0, held: 1 },
    { atMs: 1000, inFlight: 1, mean: 1 },
    { atMs: 2000, mean: 1 },
    { atMs: 61_500 },
  ];
  const played = play(spec, moments);
  expect(played.replicas).toBe(0);
  expect(changesOf(played).get('longer-keep-alive')).toEqual({ now: 60_000, keepAliveMs: 60_501, replicas: 1 });
});

it('names the minimum, the pause and the rules that held it', () => {
  expect(
    changesOf(play(specOf({ minReplicas: 3, maxReplicas: 5 }), [{ atMs: 0, held: 1 }])).get('lower-min'),
  ).toMatchObject({
    now: 3,
    replicas: 1,
  });
  const paused = play(specOf({ maxReplicas: 5, paused: { replicas: 1 } }), [{ atMs: 0, held: 9 }]);
  expect(changesOf(paused).get('unpaused')).toEqual({ replicas: 3 });
  const limited = specOf({
    maxReplicas: 10,
    behavior: { scaleUp: { policies: [{ type: 'Pods', value: 1, period: '60s' }] } },
  });
  const up = play(limited, [
    { atMs: 0, held: 1 },
    { atMs: 1000, held: 20 },
  ]);
  expect(up.replicas).toBe(1);
  expect(changesOf(up).get('without-scale-up-rules')).toEqual({ replicas: 5 });
  const slow = specOf({
    maxReplicas: 10,
    windows: { maxScaleDownRate: 10 },
    behavior: { scaleDown: { stabilizationWindow: '5m' } },
  });
  const down = play(slow, [
    { atMs: 0, held: 20 },
    { atMs: 1000, held: 4, mean: 1 },
  ]);
  expect(down.replicas).toBe(5);
  expect(changesOf(down).get('without-scale-down-rules')).toEqual({ replicas: 1 });
});

it('varies what it can of a policy of another origin', () => {
  const document: WorkloadInput = {
    apiVersion: 'ebb.dev/v1alpha1',
    kind: 'Workload',
    metadata: { name: 'web' },
    spec: {
      classes: [{ name: 'default', command: ['serve'], concurrency: 4 }],
      scaling: { minReplicas: 3, maxReplicas: 8, policy: { type: 'knative' } },
    },
  };
  const spec = decisionSpecOf(resolveWorkload(document, { baseDirectory: '/' }));
  const { observation } = play(specOf({ maxReplicas: 8 }), [{ atMs: 0, ready: 3 }]);
  const { memory } = decide(spec, null, observation);
  const later = { ...observation, nowMs: observation.nowMs + 120_000 };
  const changes = whatWouldChange(spec, memory, later);
  // At 4 a replica and 70 % of it, 9 requests are the first that need a fourth one.
  expect(changes).toEqual([
    { change: 'more-requests', data: { class: 'default', now: 0, requests: 9, replicas: 4 } },
    { change: 'lower-min', data: { now: 3, minReplicas: 2, replicas: 2 } },
  ]);
});

it('says what a silent gateway holds back', () => {
  const spec = specOf({ keepAlive: '10s' });
  const changes = changesOf(
    play(spec, [
      { atMs: 0, held: 1 },
      { atMs: 30_000, countsKnown: false },
    ]),
  );
  expect(changes.get('gateway-heard')).toEqual({ replicas: 0 });
});

it('each answer gives the count it says, and one step before it the count is as it was', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 12 }),
      fc.array(fc.record({ mean: fc.integer({ min: 0, max: 40 }), held: fc.nat(30), inFlight: fc.nat(30) }), {
        minLength: 1,
        maxLength: 20,
      }),
      (concurrency, maxReplicas, loads) => {
        const played = play(
          specOf({ maxReplicas }, concurrency),
          loads.map((load, second) => ({ atMs: second * 1000, ...load })),
        );
        const { spec, memory, observation, replicas } = played;
        const own = observation.classes.default;
        const requests = changesOf(played).get('more-requests');
        if (!own || !requests) return;
        const withDemand = (demand: number) =>
          decide(spec, memory, {
            ...observation,
            lastActiveAtMs: observation.nowMs,
            classes: { default: { ...own, held: demand - own.inFlight } },
          }).decision.replicas;
        expect(withDemand(Number(requests.requests))).toBe(requests.replicas);
        expect(Number(requests.replicas)).toBeGreaterThan(replicas);
        if (Number(requests.requests) - 1 > Number(requests.now)) {
          expect(withDemand(Number(requests.requests) - 1)).toBe(replicas);
        }
      },
    ),
    { numRuns: 200 },
  );
});

it('finds the smallest value with few looks', () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.nat(2_000_000), (low, border) => {
      let looks = 0;
      const found = smallestThat(low, 1_000_000, (value) => {
        looks++;
        return value >= border;
      });
      if (border > 1_000_000) expect(found).toBeNull();
      else expect(found).toBe(Math.max(low + 1, border));
      expect(looks).toBeLessThan(50);
    }),
  );
});

it('changes nothing it is given, and words everything it says', () => {
  const played = play(specOf({ maxReplicas: 4 }), [
    { atMs: 0, held: 3 },
    { atMs: 1000, inFlight: 3, mean: 3 },
  ]);
  const before = JSON.stringify(played);
  const changes = whatWouldChange(played.spec, played.memory, played.observation);
  expect(JSON.stringify(played)).toBe(before);
  expect(changes.length).toBeGreaterThan(1);
  for (const change of changes) {
    expect(Object.keys(whatIfSentences)).toContain(change.change);
    expect(whatIfSentence(change)).not.toMatch(/undefined|null|NaN/);
  }
});
