import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Memory } from '../replicas/types.ts';
import { fromCheckpoints, toCheckpoints } from './checkpoint.ts';
import { maxMemoryBytes } from './history.ts';
import { recommend } from './recommend.ts';
import { maxContainers, maxFollowedReplicas } from './samples.ts';
import { sizingReasons, sizingSentence } from './sizingReasons.ts';
import { defaultRecommender, type ResourceAmounts, type SizingSample, type SizingSpec } from './types.ts';

const minuteMs = 60_000;
const dayMs = 1440 * minuteMs;
const t = 20_000 * dayMs;
const mib = 1024 * 1024;

function specOf(change: Partial<SizingSpec> = {}): SizingSpec {
  return { workload: 'default/app', containers: [], policies: [], settings: defaultRecommender, ...change };
}

function usage(atMs: number, amounts: ResourceAmounts, container = 'app', replica = 'r1'): SizingSample {
  return { type: 'usage', container, replica, atMs, ...amounts };
}

/** A sample a minute. */
function steady(minutes: number, amounts: ResourceAmounts, container = 'app'): SizingSample[] {
  return Array.from({ length: minutes }, (_, i) => usage(t + i * minuteMs, amounts, container));
}

const bytesOf = (memory: Memory) => new TextEncoder().encode(JSON.stringify(memory)).length;
const codes = ({ reasons }: ReturnType<typeof recommend>) => reasons.map(({ code }) => code);

describe('a recommendation', () => {
  it('of a day of 100m and 100 MiB, for one container', () => {
    const samples = steady(1441, { cpuMilli: 100, memoryBytes: 100 * mib });
    const { recommendation } = recommend(specOf(), null, { nowMs: t + dayMs, samples });
    // CPU: 110 + 16 = 126. Confidence 1: 126 * 2; 126 / 1.001 ^ 2 = 125.7.
    // Memory: 104857600 lies in bucket 8, which ends at 110265643; + 16539846 = 126805489, below 250 MiB, and so is
    // the lower bound; the upper one would be 253610978.
    expect(recommendation.containers).toEqual([
      {
        name: 'app',
        lowerBound: { cpuMilli: 125, memoryBytes: 250 * mib },
        target: { cpuMilli: 126, memoryBytes: 250 * mib },
        upperBound: { cpuMilli: 252, memoryBytes: 250 * mib },
        uncappedTarget: { cpuMilli: 126, memoryBytes: 250 * mib },
      },
    ]);
  });

  it('says how it came about', () => {
    const samples = steady(1441, { cpuMilli: 100, memoryBytes: 100 * mib });
    const policies = [{ container: '*', minAllowed: { cpuMilli: 200 } }];
    const { reasons } = recommend(specOf({ policies }), null, { nowMs: t + dayMs, samples });
    expect(reasons.map(sizingSentence)).toEqual([
      'app uses at most 110m of cpu 90 % of the time; with 15 % margin 126m.',
      'app uses at most 105.16 MiB of memory 90 % of the time; with 15 % margin 120.93 MiB.',
      'app gets 250 MiB of memory, its share of the minimum per pod, not 120.93 MiB.',
      'The bounds of app rest on 1441 samples over 24 h (confidence 1).',
      'app gets 200m of cpu, its minAllowed, not 126m.',
    ]);
  });

  it('is sorted by name, without the containers that are off, which share no minimum', () => {
    const policies = [
      { container: 'mesh', mode: 'Off' as const },
      { container: 'log', controlledResources: ['cpu' as const] },
    ];
    const spec = specOf({ containers: ['log', 'mesh', 'app'], policies });
    const result = recommend(spec, null, { nowMs: t, samples: [] });
    expect(result.recommendation.containers.map(({ name, target }) => [name, target])).toEqual([
      ['app', { cpuMilli: 12, memoryBytes: 125 * mib }],
      ['log', { cpuMilli: 12 }],
    ]);
    expect(codes(result)).toContain('sizing-off');
  });

  it('rounds before it caps, and keeps the uncapped target', () => {
    const settings = { ...defaultRecommender, roundCpuMilli: 50 };
    const policies = [{ container: 'app', maxAllowed: { cpuMilli: 140 } }];
    const samples = steady(10, { cpuMilli: 100 });
    const result = recommend(specOf({ settings, policies }), null, { nowMs: t + dayMs, samples });
    const [app] = result.recommendation.containers;
    expect([app?.uncappedTarget.cpuMilli, app?.target.cpuMilli, app?.upperBound.cpuMilli]).toEqual([150, 140, 140]);
    expect(codes(result)).toEqual(expect.arrayContaining(['sizing-rounded', 'sizing-max-allowed']));
  });

  it('rises after an OOM', () => {
    const oom: SizingSample = {
      type: 'oom',
      container: 'app',
      replica: 'r1',
      atMs: t + minuteMs,
      requestBytes: 1024 * mib,
    };
    const first = recommend(specOf(), null, {
      nowMs: t,
      samples: [usage(t, { cpuMilli: 100, memoryBytes: 900 * mib })],
    });
    const second = recommend(specOf(), first.memory, { nowMs: t + minuteMs, samples: [oom, oom] });
    const bytes = (result: typeof first) => result.recommendation.containers[0]?.target.memoryBytes ?? 0;
    // 1 GiB * 1.2 is the window's only peak now.
    expect(bytes(second)).toBeGreaterThan(1.2 * 1024 * mib * 1.15);
    expect(bytes(first)).toBeLessThan(1.2 * 1024 * mib);
    expect(second.reasons.filter(({ code }) => code === 'sizing-oom').map(sizingSentence)).toEqual([
      'app ran out of memory 2 times, r1 at 1 GiB: counted as a use of 1.2 GiB.',
    ]);
  });

  it('forgets what was not added to for 8 days', () => {
    const first = recommend(specOf(), null, { nowMs: t, samples: [usage(t, { cpuMilli: 5000 })] });
    const at = (nowMs: number) => recommend(specOf(), first.memory, { nowMs, samples: [] });
    expect(at(t + 8 * dayMs - 1).recommendation.containers).toHaveLength(1);
    expect(at(t + 8 * dayMs).recommendation.containers).toEqual([]);
    expect(codes(at(t + 8 * dayMs))).toEqual(['sizing-history-expired']);
  });
});

describe('samples that cannot be used', () => {
  const bad = (sample: Partial<SizingSample>): SizingSample => ({
    ...usage(t, { cpuMilli: 100, memoryBytes: mib }),
    ...(sample as object),
  });

  it.each([
    [bad({ cpuMilli: Number.NaN }), 'not a usable number'],
    [bad({ cpuMilli: Number.POSITIVE_INFINITY }), 'not a usable number'],
    [bad({ memoryBytes: -1 }), 'not a usable number'],
    [bad({ atMs: Number.NaN }), 'not a usable time'],
    [bad({ atMs: t + 0.5 }), 'not a usable time'],
    [bad({ atMs: -1 }), 'not a usable time'],
    [bad({ atMs: -0 }), 'not a usable time'],
    [bad({ atMs: t + 300_001 }), 'from the future'],
    [bad({ replica: 'r'.repeat(129) }), 'a name is longer than 128 characters'],
  ])('%o: %s', (sample, why) => {
    const result = recommend(specOf({ containers: ['app'] }), null, { nowMs: t, samples: [sample, sample] });
    expect(result.reasons[0]?.code).toBe('sizing-samples-dropped');
    expect(result.reasons[0]?.data.why).toBe(why);
  });

  it('are counted by container and cause', () => {
    const samples = [usage(t, { cpuMilli: 1 }), usage(t, { cpuMilli: 1 }), usage(t - 1, { cpuMilli: 1 })];
    const { reasons } = recommend(specOf(), null, { nowMs: t, samples });
    expect(reasons[0]?.data).toEqual({ container: 'app', why: 'out of order', count: 2 });
  });
});

describe('memory', () => {
  const wide = (containers: number, replicas: number, nowMs: number): SizingSample[] =>
    Array.from({ length: 176 * containers * 2 }, (_, i) =>
      usage(
        nowMs - 10_000 + i,
        {
          cpuMilli: Math.round(10 * 1.06 ** (Math.floor(i / containers) % 176)),
          memoryBytes: Math.round(1e7 * 1.06 ** (Math.floor(i / containers) % 176)),
        },
        `container-${i % containers}`,
        `replica-with-a-rather-long-name-${Math.floor(i / containers) % replicas}`,
      ),
    );

  it('stays within its bytes however much there is to remember, and says what was given up', () => {
    let memory: Memory | null = null;
    const seen = new Set<string>();
    for (let minute = 0; minute < 25; minute++) {
      const nowMs = t + minute * minuteMs;
      const result: ReturnType<typeof recommend> = recommend(specOf(), memory, {
        nowMs,
        samples: wide(20, 300, nowMs),
      });
      memory = result.memory;
      for (const code of codes(result)) seen.add(code);
      expect(bytesOf(memory)).toBeLessThanOrEqual(maxMemoryBytes);
      expect(result.recommendation.containers.length).toBeLessThanOrEqual(maxContainers);
    }
    expect(seen).toContain('sizing-history-trimmed');
    expect(seen).toContain('sizing-samples-dropped');
  });

  it('that was trimmed still knows every bucket, to a millionth of the heaviest', () => {
    const nowMs = t + dayMs;
    // Most of the weight is in one bucket; the upper bound lies in the rest.
    const heavy = [0, 1, 2, 3].flatMap((i) => steady(1000, { cpuMilli: 15 }, `container-${i}`));
    const samples = [...heavy, ...wide(4, 15, nowMs)];
    const full = recommend(specOf(), null, { nowMs, samples });
    expect(full.reasons.find(({ code }) => code === 'sizing-history-trimmed')?.data).toMatchObject({
      replicas: 0,
      containers: 0,
    });
    const again = recommend(specOf(), full.memory, { nowMs, samples: [] });
    expect(again.recommendation).toEqual(full.recommendation);
  });

  it('of one container and a dozen replicas is kept exactly', () => {
    let memory: Memory | null = null;
    const all: SizingSample[] = [];
    for (let minute = 0; minute < 300; minute++) {
      const nowMs = t + minute * minuteMs;
      const samples = Array.from({ length: 12 }, (_, i) =>
        usage(
          nowMs,
          { cpuMilli: 50 + ((minute * 37 + i * 11) % 400), memoryBytes: (200 + i + minute) * mib },
          'app',
          `r${i}`,
        ),
      );
      all.push(...samples);
      const result: ReturnType<typeof recommend> = recommend(specOf(), memory, { nowMs, samples });
      memory = JSON.parse(JSON.stringify(result.memory));
      expect(codes(result)).not.toContain('sizing-history-trimmed');
    }
    const created = { nowMs: t, samples: [] };
    const begun = recommend(specOf({ containers: ['app'] }), null, created).memory;
    expect(recommend(specOf(), begun, { nowMs: t + 299 * minuteMs, samples: all }).memory).toEqual(memory);
  });

  it('follows so many replicas, lets new ones take the place of silent ones, and always hears an OOM', () => {
    const fleet = (nowMs: number, from: number, count: number) =>
      Array.from({ length: count }, (_, i) => usage(nowMs, { memoryBytes: 300 * mib }, 'app', `r${from + i}`));
    const first = recommend(specOf(), null, { nowMs: t, samples: fleet(t, 0, maxFollowedReplicas + 5) });
    expect(first.reasons[0]?.data).toMatchObject({ container: 'app', count: 5 });
    const soon = t + minuteMs;
    const oom: SizingSample = { type: 'oom', container: 'app', replica: 'new', atMs: soon, requestBytes: 1024 * mib };
    const second = recommend(specOf(), first.memory, { nowMs: soon, samples: [oom] });
    expect(codes(second)).toContain('sizing-oom');
    // The replica that had to make room took its peak along: no peak but those of the followed ones' open windows.
    const [app] = toCheckpoints(second.memory, defaultRecommender, soon);
    expect(app?.memoryHistogram.totalWeight).toBe(0);
    const later = t + 10 * minuteMs;
    const third = recommend(specOf(), first.memory, { nowMs: later, samples: fleet(later, 500, maxFollowedReplicas) });
    expect(codes(third)).not.toContain('sizing-samples-dropped');
  });

  it.each<[string, unknown]>([
    ['of another policy', { version: 1, policy: 'windows', containers: [] }],
    ['of another version', { version: 2, policy: 'sizing', containers: [] }],
    ['with another shape', { version: 1, policy: 'sizing', containers: { app: 1 } }],
    [
      'with broken histories',
      { version: 1, policy: 'sizing', containers: [null, 3, { name: 4 }, { name: 'x', created: t, cpu: [] }] },
    ],
    [
      'with impossible weights',
      {
        version: 1,
        policy: 'sizing',
        containers: [
          {
            name: 'x',
            created: t,
            count: 4,
            first: t,
            last: t,
            cpu: { halfLifeMs: dayMs, referenceMs: t, totalWeight: 1, first: 170, weights: [1, 2, 3, 4, 5, 6, 7] },
            memory: { halfLifeMs: dayMs, referenceMs: t, totalWeight: 1, first: 0, weights: [-1, 'a'] },
            replicas: [['r', 'x'], 3],
          },
        ],
      },
    ],
  ])('%s is begun anew', (_name, memory) => {
    const samples = steady(3, { cpuMilli: 100, memoryBytes: 300 * mib });
    const fresh = recommend(specOf(), null, { nowMs: t + dayMs, samples });
    const { recommendation } = recommend(specOf(), memory as Memory, { nowMs: t + dayMs, samples });
    const app = (r: typeof recommendation) => r.containers.find(({ name }) => name === 'app')?.target.cpuMilli;
    expect(app(recommendation)).toBe(app(fresh.recommendation));
  });

  it('of another half-life is not used', () => {
    const { memory } = recommend(specOf(), null, { nowMs: t, samples: [usage(t, { cpuMilli: 5000 })] });
    const settings = { ...defaultRecommender, cpuHalfLifeMs: 2 * dayMs };
    const { recommendation } = recommend(specOf({ settings }), memory, { nowMs: t, samples: [] });
    expect(recommendation.containers[0]?.target.cpuMilli).toBe(25);
  });

  it('goes out to upstream’s checkpoints, without the peaks of open windows, and comes in from them', () => {
    const samples = [
      ...steady(2000, { cpuMilli: 100, memoryBytes: 400 * mib }),
      usage(t + 2 * dayMs, { cpuMilli: 100, memoryBytes: 4000 * mib }),
    ];
    const nowMs = t + 2 * dayMs;
    const before = recommend(specOf(), null, { nowMs, samples });
    const checkpoints = toCheckpoints(before.memory, defaultRecommender, nowMs);
    expect(checkpoints).toMatchObject([
      { container: 'app', firstSampleMs: t, lastSampleMs: nowMs, totalSamplesCount: 2001 },
    ]);
    expect(Object.values(checkpoints[0]?.memoryHistogram.bucketWeights ?? {})).toEqual([10_000]);
    const memory = fromCheckpoints(checkpoints, defaultRecommender, nowMs);
    const after = recommend(specOf(), memory, { nowMs, samples: [] });
    expect(after.recommendation.containers[0]?.target.cpuMilli).toBe(126);
    expect(after.recommendation.containers[0]?.target.memoryBytes).toBeLessThan(600 * mib);
    expect(before.recommendation.containers[0]?.target.memoryBytes).toBeGreaterThan(4000 * mib);
  });
});

describe('whatever the samples', () => {
  const number = fc.oneof(
    fc.integer({ min: 0, max: 1e9 }),
    fc.double(),
    fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -1, -0, 1e308, Number.MAX_SAFE_INTEGER),
  );
  const time = fc.oneof(fc.integer({ min: t, max: t + 400 * dayMs }), number);
  const name = fc.constantFrom('a', 'b', '__proto__', 'constructor', 'é€'.repeat(20));
  const sample: fc.Arbitrary<SizingSample> = fc.oneof(
    fc.record({
      type: fc.constant('usage' as const),
      container: name,
      replica: name,
      atMs: time,
      cpuMilli: number,
      memoryBytes: number,
    }),
    fc.record({ type: fc.constant('oom' as const), container: name, replica: name, atMs: time, requestBytes: number }),
  );
  const calls = fc.array(fc.array(sample, { maxLength: 30 }), { minLength: 1, maxLength: 6 });

  it('amounts are integers in order, memory is plain JSON within its bytes, and reasons have sentences', () => {
    fc.assert(
      fc.property(calls, (list) => {
        let memory: Memory | null = null;
        list.forEach((samples, i) => {
          const observation = { nowMs: t + (i + 1) * 60 * dayMs, samples };
          const result: ReturnType<typeof recommend> = recommend(specOf(), memory, observation);
          expect(recommend(specOf(), memory, observation)).toEqual(result);
          const text = JSON.stringify(result.memory);
          expect(JSON.parse(text)).toStrictEqual(result.memory);
          expect(text).not.toMatch(/null,"weights"|-0[,\]]/);
          expect(bytesOf(result.memory)).toBeLessThanOrEqual(maxMemoryBytes);
          for (const { lowerBound, target, upperBound } of result.recommendation.containers) {
            for (const key of ['cpuMilli', 'memoryBytes'] as const) {
              const [low = -1, middle = -1, high = -1] = [lowerBound[key], target[key], upperBound[key]];
              expect([low, middle, high].every(Number.isSafeInteger)).toBe(true);
              expect(low).toBeGreaterThan(0);
              expect(low).toBeLessThanOrEqual(middle);
              expect(middle).toBeLessThanOrEqual(high);
            }
          }
          for (const reason of result.reasons) {
            expect(Object.keys(sizingReasons)).toContain(reason.code);
            expect(sizingSentence(reason)).not.toMatch(/undefined|NaN|Infinity/);
          }
          memory = JSON.parse(text);
        });
      }),
      { numRuns: 200 },
    );
  });
});
