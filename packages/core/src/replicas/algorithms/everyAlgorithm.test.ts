import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { reasonSentence } from '../../explain/sentences.ts';
import { decide } from '../decide.ts';
import type { DecideResult, DecisionSpec, Memory, Observation, Reading } from '../types.ts';
import { base, deepFreeze, minute, second, testObservation } from './algorithms.fixture.ts';
import { defaultAibrixSettings } from './aibrixApa.ts';
import { defaultClarifaiSettings } from './clarifai.ts';
import { defaultKpaSettings } from './kpaSettings.ts';
import { defaultKubeAiSettings } from './kubeAi.ts';
import { defaultRaySettings } from './rayServe.ts';
import { defaultSkySettings } from './skyServe.ts';
import { defaultSloSettings } from './sloSettings.ts';
import { defaultSloDecrease, defaultSloIncrease, type SloTrigger } from './sloTriggers.ts';

const steps = { windowMs: 20 * second, increase: defaultSloIncrease, decrease: defaultSloDecrease };
const triggers: SloTrigger[] = [
  { type: 'responseTime', name: 'p95', aboveMs: 500, belowMs: 200, ...steps },
  { type: 'queueWait', name: 'wait', aboveMs: 100, belowMs: null, ...steps },
  { type: 'throughput', name: 'requestRate', abovePerReplica: 10, belowPerReplica: 4, ...steps },
];

/** Named as the readings of the tests are. */
const llmTriggers: SloTrigger[] = [
  { type: 'timeToFirstToken', name: 'p95', quantile: 0.95, aboveMs: 500, belowMs: 200, ...steps },
  { type: 'interTokenLatency', name: 'else', quantile: null, aboveMs: 50, belowMs: null, ...steps },
  { type: 'tokensPerSecond', name: 'requestRate', abovePerReplica: 10, belowPerReplica: 4, ...steps },
  { type: 'kvCacheUse', name: 'wait', above: 0.9, below: 0.4, ...steps },
];

/** One of each, with its bounds; `decide` is asked, as the engine does. */
type Asked = { spec: DecisionSpec; most: number; least: number };

const bounds = { minReplicas: 0, maxReplicas: 20 };
const specs: Record<string, Asked> = {
  kpa: {
    spec: { policy: 'kpa', ...base, ...defaultKpaSettings, target: 3, maxScale: 20, scaleDownDelayMs: 20 * second },
    most: 20,
    least: 0,
  },
  kpaByRate: {
    spec: {
      policy: 'kpa',
      ...base,
      ...defaultKpaSettings,
      metric: 'rps',
      minScale: 2,
      maxScale: 20,
      aggregation: 'weighted-exponential',
      targetBurstCapacity: -1,
    },
    most: 20,
    least: 0,
  },
  ray: {
    spec: { policy: 'ray', ...base, ...defaultRaySettings, ...bounds, upscaleDelayMs: 3000, downscaleDelayMs: 9000 },
    most: 20,
    least: 0,
  },
  skyserve: {
    spec: {
      policy: 'skyserve',
      ...base,
      ...defaultSkySettings,
      ...bounds,
      targetQpsPerReplica: 3,
      upscaleDelayMs: 40 * second,
      downscaleDelayMs: 60 * second,
    },
    most: 20,
    least: 0,
  },
  kubeai: {
    spec: { policy: 'kubeai', ...base, ...defaultKubeAiSettings, ...bounds, targetRequests: 4, timeWindowMs: minute },
    most: 20,
    least: 0,
  },
  aibrix: {
    spec: { policy: 'aibrix', ...base, ...defaultAibrixSettings, minReplicas: 1, maxReplicas: 20, targetValue: 4 },
    most: 20,
    least: 1,
  },
  clarifai: {
    spec: {
      policy: 'clarifai',
      ...base,
      ...defaultClarifaiSettings,
      maxReplicas: 20,
      trafficHistoryMs: minute,
      scaleUpDelayMs: 10 * second,
      scaleDownDelayMs: 20 * second,
      scaleToZeroDelayMs: 40 * second,
    },
    most: 20,
    least: 0,
  },
  slo: {
    spec: {
      policy: 'slo',
      ...base,
      ...defaultSloSettings,
      ...bounds,
      triggers,
      startTimeMs: 5 * second,
      keepAliveMs: 30 * second,
    },
    most: 20,
    least: 0,
  },
  sloByMetrics: {
    spec: {
      policy: 'slo',
      ...base,
      ...defaultSloSettings,
      ...bounds,
      triggers: llmTriggers,
      startTimeMs: 5 * second,
      keepAliveMs: 30 * second,
      metricsIntervalMs: second,
      objective: { share: 0.99, windowMs: 10 * minute },
    },
    most: 20,
    least: 0,
  },
};

function ask(spec: DecisionSpec, memory: Memory | null, observation: Observation): DecideResult {
  return decide(spec as never, memory, observation);
}

const anyNumber = fc.oneof(
  fc.double({ min: 0, max: 60 }),
  fc.constantFrom(0, 1, 1e308, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -5, 1e12, 5e-324),
);
const anyCount = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.constantFrom(Number.NaN, -3, 1e308));
const anyReading = fc.record({
  trigger: fc.constantFrom(
    'concurrency',
    'requestRate',
    'p95',
    'wait',
    'else',
    'p95:timed',
    'p95:late',
    'metrics:missing',
    'metrics:tokens',
    'metrics:answers',
    'metrics:waiting',
  ),
  class: fc.constantFrom('default', null, 'unheard-of'),
  value: fc.option(anyNumber, { nil: null }),
  peak: fc.option(anyNumber, { nil: null }),
  spanMs: fc.oneof(fc.integer({ min: 0, max: 30_000 }), fc.constantFrom(-5, Number.NaN)),
  agoMs: fc.integer({ min: -2000, max: 5000 }),
  state: fc.constantFrom<Reading['state']>('ok', 'ok', 'ok', 'stale', 'missing', 'error'),
});
const anyStep = fc.record({
  // The clock may even step back.
  waitMs: fc.integer({ min: -3000, max: 20_000 }),
  ready: anyCount,
  starting: anyCount,
  inFlight: anyCount,
  held: anyCount,
  countsKnown: fc.boolean(),
  reachable: fc.boolean(),
  activatorAnswers: fc.boolean(),
  readings: fc.array(anyReading, { maxLength: 6 }),
});
type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;

function observe(nowMs: number, step: Step): Observation {
  const { ready, starting, inFlight, held, countsKnown, reachable, activatorAnswers } = step;
  const readings = step.readings.map(({ agoMs, ...one }): Reading => ({ ...one, atMs: nowMs - agoMs }));
  return testObservation(
    nowMs,
    { ready, starting, inFlight, held },
    { readings, countsKnown, lastActiveAtMs: null, kpa: { reachable, activatorAnswers } },
  );
}

/** As much as a memory can hold: ten minutes by the second, an hour of delay, numbers with every digit. */
it('keeps a memory of sixteen kilobytes at most with the longest windows', () => {
  const longest: DecisionSpec = {
    policy: 'kpa',
    ...base,
    ...defaultKpaSettings,
    target: 0.01,
    stableWindowMs: 600 * second,
    panicWindowPercentage: 100,
    scaleDownDelayMs: 3600 * second,
  };
  let memory: Memory | null = null;
  for (let i = 0; i < 2000; i++) {
    const nowMs = 1_700_000_000_000 + i * second;
    const value = 900_000 * Math.exp(-i / 400) + Math.PI;
    const reading: Reading = {
      trigger: 'concurrency',
      class: 'default',
      value,
      peak: null,
      spanMs: 1000,
      atMs: nowMs,
      state: 'ok',
    };
    ({ memory } = ask(longest, memory, testObservation(nowMs, { ready: 1 }, { readings: [reading] })));
  }
  const length = JSON.stringify(memory).length;
  expect(length).toBeGreaterThan(8000);
  expect(length).toBeLessThanOrEqual(16_384);
});

describe.each(Object.entries(specs))('%s, whatever it is told', (_name, { spec, most, least }) => {
  it('gives whole counts within its bounds, and a memory that is JSON, small and its own', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { minLength: 1, maxLength: 40 }), (list) => {
        let memory: Memory | null = null;
        let nowMs = 1_000_000;
        let first = true;
        for (const step of list) {
          nowMs += step.waitMs;
          const observation = deepFreeze(observe(nowMs, step));
          const result = ask(spec, memory, observation);
          const { replicas, classes, revisitAtMs, reasons } = result.decision;
          expect(Number.isInteger(replicas)).toBe(true);
          // The first decision may be what already runs.
          if (!first) expect(replicas).toBeLessThanOrEqual(Math.max(most, 80));
          expect(replicas).toBeGreaterThanOrEqual(least);
          expect(Object.values(classes).reduce((sum, count) => sum + count, 0)).toBe(replicas);
          if (revisitAtMs !== null) expect(revisitAtMs).toBeGreaterThan(nowMs);
          const numbers = reasons
            .flatMap((reason) => Object.values(reason.data))
            .filter((one) => typeof one === 'number');
          expect(numbers.every((one) => Number.isFinite(one))).toBe(true);
          for (const reason of reasons) {
            const sentence = reasonSentence(reason);
            expect(sentence).not.toMatch(/undefined|NaN|null|^\S+ \{/);
          }

          const text = JSON.stringify(result.memory);
          expect(JSON.parse(text)).toStrictEqual(result.memory);
          expect(text.length).toBeLessThanOrEqual(16_384);
          expect(ask(spec, memory, observation)).toStrictEqual(result);
          memory = deepFreeze(result.memory);
          first = false;
        }
      }),
      { numRuns: 40 },
    );
  });

  it('stays within its bounds from a beginning without replicas', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { minLength: 1, maxLength: 40 }), (list) => {
        let memory: Memory | null = null;
        let nowMs = 1_000_000;
        for (const [index, step] of list.entries()) {
          nowMs += step.waitMs;
          const seen = index === 0 ? { ...step, ready: 0, starting: 0 } : step;
          const result = ask(spec, memory, observe(nowMs, seen));
          expect(result.decision.replicas).toBeLessThanOrEqual(most);
          memory = result.memory;
        }
      }),
      { numRuns: 40 },
    );
  });

  it('changes nothing between its turns', () => {
    const run = (calls: number[]) => {
      let memory: Memory | null = null;
      const counts: [number, number][] = [];
      for (const nowMs of calls) {
        const seconds = Math.floor((nowMs - 1_000_000) / second);
        const load = seconds > 20 && seconds < 80 ? 30 : 0;
        const readings = ['concurrency', 'requestRate'].map(
          (trigger): Reading => ({
            trigger,
            class: 'default',
            value: load,
            peak: load,
            spanMs: second,
            atMs: Math.floor(nowMs / second) * second,
            state: 'ok',
          }),
        );
        const replicas = typeof memory?.replicas === 'number' ? memory.replicas : 1;
        const onSecond = nowMs % second === 0;
        const observation = testObservation(
          nowMs,
          { ready: replicas, inFlight: load },
          { readings: onSecond ? readings : [] },
        );
        const result = ask(spec, memory, observation);
        memory = result.memory;
        if (onSecond) counts.push([nowMs, result.decision.replicas]);
      }
      return counts;
    };
    const everySecond = Array.from({ length: 200 }, (_, i) => 1_000_000 + i * second);
    const often = everySecond.flatMap((ms) => [ms, ms + 333, ms + 777]);
    // Ray's turn is a tenth of a second: every call is one.
    if (spec.policy === 'ray') return;
    expect(run(often)).toEqual(run(everySecond));
  });

  it('gives the same when asked only at its revisits and on events as when asked every second', () => {
    const events = new Map<number, number>();
    for (const [atSecond, load] of [
      [0, 0],
      [13, 9],
      [57, 40],
      [120, 3],
      [131, 0],
      [700, 2],
      [750, 0],
    ] as const) {
      events.set(1_000_000 + atSecond * second, load);
    }
    const endMs = 1_000_000 + 1000 * second;
    const run = (everySecond: boolean) => {
      let memory: Memory | null = null;
      let nowMs = 1_000_000;
      let load = 0;
      let lastMs = nowMs - second;
      const changes: [number, number][] = [];
      let before = -1;
      while (nowMs < endMs) {
        // A reading is the mean since the last one, as gateways count it.
        const past = { value: load, peak: load, spanMs: nowMs - lastMs, atMs: nowMs };
        const readings = ['concurrency', 'requestRate'].map(
          (trigger): Reading => ({ trigger, class: 'default', ...past, state: 'ok' }),
        );
        lastMs = nowMs;
        load = events.get(nowMs) ?? load;
        const replicas = typeof memory?.replicas === 'number' ? memory.replicas : 1;
        // Replicas are ready at once, which is an event of its own.
        let result = ask(spec, memory, testObservation(nowMs, { ready: replicas, inFlight: load }, { readings }));
        if (result.decision.replicas !== replicas) {
          result = ask(
            spec,
            result.memory,
            testObservation(nowMs, { ready: result.decision.replicas, inFlight: load }),
          );
        }
        memory = result.memory;
        if (result.decision.replicas !== before) changes.push([nowMs, result.decision.replicas]);
        before = result.decision.replicas;
        const nextEvent = Math.min(...[...events.keys()].filter((ms) => ms > nowMs), endMs);
        const revisit = result.decision.revisitAtMs ?? endMs;
        const nextSecond = (Math.floor(nowMs / second) + 1) * second;
        nowMs = Math.min(nextEvent, revisit, everySecond ? nextSecond : endMs);
      }
      return changes;
    };
    expect(run(false)).toEqual(run(true));
  });
});

describe.each(Object.entries(specs))('%s with a setting of zero or less', (_name, { spec }) => {
  const numbers = Object.entries(spec).filter(([, value]) => typeof value === 'number');
  it.each(numbers.flatMap(([name]) => [[name, 0] as const, [name, -1] as const]))('%s: %d', (name, value) => {
    const broken = { ...spec, [name]: value } as DecisionSpec;
    let memory: Memory | null = null;
    for (let i = 0; i < 40; i++) {
      const nowMs = 1_000_000 + i * 2500;
      const load = i % 3 === 0 ? 0 : 7;
      const readings = ['concurrency', 'requestRate', 'p95'].map(
        (trigger): Reading => ({
          trigger,
          class: 'default',
          value: load,
          peak: null,
          spanMs: 2500,
          atMs: nowMs,
          state: 'ok',
        }),
      );
      const result = ask(broken, memory, testObservation(nowMs, { ready: i % 5, inFlight: load }, { readings }));
      expect(Number.isInteger(result.decision.replicas) && result.decision.replicas >= 0).toBe(true);
      expect(JSON.parse(JSON.stringify(result.memory))).toStrictEqual(result.memory);
      memory = result.memory;
    }
  });
});

it('does not use the memory of another algorithm', () => {
  const kubeai = specs.kubeai?.spec;
  const ray = specs.ray?.spec;
  if (!kubeai || !ray) throw new Error('both are there');
  const { memory } = ask(kubeai, null, testObservation(0, { ready: 9 }));
  expect(ask(ray, memory, testObservation(1, { ready: 2 }))).toStrictEqual(
    ask(ray, null, testObservation(1, { ready: 2 })),
  );
});
