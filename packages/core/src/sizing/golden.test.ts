import { describe, expect, it } from 'vitest';
import type { Memory } from '../replicas/types.ts';
import { ContainerAggregate } from './aggregate.ts';
import { applyRecommendation, fitToReplica } from './apply.ts';
import { bucketOf, cpuBuckets, memoryBuckets } from './buckets.ts';
import { type ContainerResult, golden, type HistogramState, type Scenario, samplesOf } from './golden.fixture.ts';
import { DecayingHistogram, type HistogramCheckpoint } from './histogram.ts';
import { capToPolicy, policyOf } from './policy.ts';
import { recommend } from './recommend.ts';
import { addCpuSample, addMemorySample, addOom, newReplicaUsage, type ReplicaUsage } from './replicaUsage.ts';
import { defaultRecommender, type SizingSample, type SizingSpec } from './types.ts';
import { planUpdates } from './updater.ts';
import { defaultUpdater } from './updaterTypes.ts';

const dayMs = 86_400_000;
const percentiles = (histogram: DecayingHistogram) => golden.points.map((point) => histogram.percentile(point));
const weightsOf = ({ bucketWeights }: HistogramCheckpoint) =>
  Object.entries(bucketWeights).map(([bucket, weight]) => [Number(bucket), weight]);

/** Totals are sums of powers of two of fractions, which two languages may round differently in the last bit. */
function expectState(histogram: DecayingHistogram, expected: HistogramState) {
  const saved = histogram.save();
  expect(weightsOf(saved)).toEqual(expected.weights);
  expect(saved.referenceMs).toBe(expected.referenceMs);
  expect(Math.abs(saved.totalWeight - expected.totalWeight)).toBeLessThanOrEqual(1e-12 * expected.totalWeight);
}

describe(`buckets, as ${golden.upstream} has them`, () => {
  it('begin at the same numbers, to the last bit', () => {
    expect([...cpuBuckets.starts]).toEqual(golden.buckets.cpuStarts);
    expect([...memoryBuckets.starts]).toEqual(golden.buckets.memoryStarts);
  });

  it('take in the same thousandths of a core', () => {
    const firsts: [number, number][] = [];
    let last = -1;
    for (let milli = 0; milli <= 1_100_000; milli++) {
      const bucket = bucketOf(cpuBuckets, milli / 1000);
      if (bucket !== last) firsts.push([milli, bucket]);
      last = bucket;
    }
    expect(firsts).toEqual(golden.buckets.cpuFirstMilli);
  });

  it('take in the same bytes around every boundary', () => {
    const around = [...memoryBuckets.starts].map((start) =>
      [-1, 0, 1].map((offset) => bucketOf(memoryBuckets, Math.floor(start) + offset)),
    );
    expect(around).toEqual(golden.buckets.memoryAround);
  });
});

describe('checkpoints', () => {
  it.each(golden.checkpoints.map((entry, index) => [index, entry] as const))('case %i', (_index, entry) => {
    const histogram = new DecayingHistogram(memoryBuckets, dayMs);
    for (const [value, weight] of entry.samples) histogram.add(value, weight, 1_700_006_400_000);
    expect(percentiles(histogram)).toEqual(entry.before);
    expectState(histogram, entry.saved);
    const loaded = new DecayingHistogram(memoryBuckets, dayMs);
    loaded.load(histogram.save());
    expect(percentiles(loaded)).toEqual(entry.after);
    expect(loaded.isEmpty).toBe(entry.emptyAfter);
  });
});

describe.each(golden.scenarios.map((scenario) => [scenario.seed, scenario] as const))(
  'scenario %i',
  (_seed, scenario) => {
    it('is aggregated the same way', () => {
      const played = play(scenario);
      for (const expected of scenario.results) {
        const { aggregate, replicas, accepted } = played.get(expected.name) ?? raise(expected.name);
        expect(accepted).toBe(expected.accepted);
        expect(aggregate.sampleCount).toBe(expected.samples);
        expect([aggregate.firstSampleMs ?? -1, aggregate.lastSampleMs ?? -1]).toEqual([
          expected.firstMs,
          expected.lastMs,
        ]);
        expect(replicas.map((usage) => usage.windowEndMs ?? -1)).toEqual(expected.windowEnds);
        expect(replicas.map((usage) => Math.max(usage.peakBytes, usage.oomPeakBytes))).toEqual(expected.peaks);
        expect(percentiles(aggregate.cpu)).toEqual(expected.cpuAt);
        expect(percentiles(aggregate.memory)).toEqual(expected.memoryAt);
        expectState(aggregate.cpu, expected.cpu);
        expectState(aggregate.memory, expected.memory);
      }
      const merged = new ContainerAggregate(0, defaultRecommender);
      for (const { aggregate } of played.values()) merged.merge(aggregate);
      expect(percentiles(merged.cpu)).toEqual(scenario.mergedCpuAt);
      expect(percentiles(merged.memory)).toEqual(scenario.mergedMemoryAt);
      expect(merged.sampleCount).toBe(scenario.mergedSamples);
    });

    it.each([1, 7, 1_000_000])('is recommended the same in calls of %i samples', (step) => {
      const spec: SizingSpec = {
        workload: 'default/app',
        containers: scenario.results.map(({ name }) => name),
        policies: [],
        // Upstream's model does not look for expired histories by itself.
        settings: { ...defaultRecommender, memoryWindowCount: 1_000_000 },
      };
      const samples = samplesOf(scenario);
      let memory: Memory | null = null;
      let result = recommend(spec, memory, { nowMs: 0, samples: [] });
      let nowMs = 0;
      for (let from = 0; from < samples.length; from += step) {
        const part = samples.slice(from, from + step);
        for (const { atMs } of part) nowMs = Math.max(nowMs, atMs);
        result = recommend(spec, memory, { nowMs, samples: part });
        memory = JSON.parse(JSON.stringify(result.memory));
      }
      const pair = ({ cpuMilli = -1, memoryBytes = -1 }) => [cpuMilli, memoryBytes];
      expect(
        result.recommendation.containers.map((container) => ({
          name: container.name,
          target: pair(container.target),
          lower: pair(container.lowerBound),
          upper: pair(container.upperBound),
        })),
      ).toEqual(
        scenario.results.map(({ name, target, lower, upper }: ContainerResult) => ({ name, target, lower, upper })),
      );
    });
  },
);

describe.each(golden.capping.map((entry, index) => [index, entry] as const))('capping case %i', (_index, entry) => {
  const complete = (list: typeof entry.recommended) =>
    list.map(({ name, lowerBound = {}, target, upperBound = {} }) => ({ name, lowerBound, target, upperBound }));
  const containers = entry.containers.map(({ name, requests, limits = {} }) => ({ name, requests, limits }));
  const capped = complete(entry.recommended).map((one) =>
    capToPolicy({ ...one, uncappedTarget: one.target }, policyOf(entry.policies, one.name), entry.recommenderMax, []),
  );
  const rules = {
    policies: entry.policies,
    limitRanges: {
      ...(entry.podRange ? { pod: entry.podRange } : {}),
      ...(entry.containerRange ? { container: entry.containerRange } : {}),
    },
  };

  it('is capped to its policy', () => {
    expect(complete(capped)).toEqual(complete(entry.capped));
  });

  it('is fitted to its pod', () => {
    const fitted = fitToReplica({ containers: capped }, containers, rules);
    expect(complete(fitted.containers)).toEqual(complete(entry.fitted));
  });

  it('is applied as requests and limits', () => {
    const applied = applyRecommendation({ containers: capped }, containers, rules);
    expect(applied.containers).toEqual(entry.applied.map(({ limits = {}, ...rest }) => ({ ...rest, limits })));
  });
});

describe('updates', () => {
  const nowMs = 1_800_000_000_000;
  const full = (list: (typeof golden.updates)[number]['recommended']) => ({
    containers: list.map(({ name, lowerBound = {}, target, upperBound = {} }) => ({
      name,
      lowerBound,
      target,
      upperBound,
      uncappedTarget: target,
    })),
  });

  it.each(golden.updates.map((entry, index) => [index, entry.mode, entry] as const))(
    'case %i, %s',
    (_index, mode, entry) => {
      const plan = planUpdates(
        {
          policies: [],
          limitRanges: {},
          policy: {
            mode,
            minReplicas: entry.minReplicas,
            evictionRequirements: entry.requirements,
            evictAfterOomMs: null,
          },
          settings: { ...defaultUpdater, inPlaceEnabled: true, inPlaceSkipsBudget: entry.skipsBudget },
        },
        full(entry.recommended),
        {
          nowMs,
          groups: new Map(Object.entries(entry.groups)),
          replicas: entry.pods.map((pod) => ({
            name: pod.name,
            group: pod.group,
            pending: pod.pending ?? false,
            startedAtMs: nowMs - pod.ageMs,
            observedContainers: null,
            resize: pod.resize ? { status: pod.resize, sinceMs: nowMs } : null,
            resizeRestarts: false,
            refused: pod.refused ? full(entry.refused) : null,
            containers: pod.containers.map(({ name, requests }, index) => {
              const finishedAtMs = nowMs - (pod.oomAgoMs ?? 0);
              const lastOom = { startedAtMs: finishedAtMs - (pod.oomRanMs ?? 0), finishedAtMs };
              return { name, requests, limits: {}, lastOom: pod.oomOf === index ? lastOom : null };
            }),
          })),
        },
      );
      const actions = plan.updates.map(({ replica, action, remembersRefusal }) => [
        replica,
        remembersRefusal ? `${action} after refusal` : action,
      ]);
      expect(actions).toEqual(entry.actions);
      const all = [...plan.updates, ...plan.held].map(({ replica }) => replica).sort();
      expect(all).toEqual(entry.pods.map(({ name }) => name).sort());
    },
  );
});

interface Played {
  aggregate: ContainerAggregate;
  replicas: ReplicaUsage[];
  accepted: number;
}

function play(scenario: Scenario): Map<string, Played> {
  const played = new Map<string, Played>();
  for (const { name } of scenario.results) {
    const replicas = Array.from({ length: scenario.replicas }, newReplicaUsage);
    played.set(name, { aggregate: new ContainerAggregate(0, defaultRecommender), replicas, accepted: 0 });
  }
  for (const sample of samplesOf(scenario)) {
    const one = played.get(sample.container) ?? raise(sample.container);
    const usage = one.replicas[Number(sample.replica.slice(1))] ?? raise(sample.replica);
    one.accepted += feed(one.aggregate, usage, sample);
  }
  return played;
}

function feed(aggregate: ContainerAggregate, usage: ReplicaUsage, sample: SizingSample): number {
  if (sample.type === 'oom') {
    return addOom(aggregate, usage, sample.requestBytes, sample.atMs, defaultRecommender) ? 1 : 0;
  }
  const cpu = addCpuSample(aggregate, usage, sample.cpuMilli ?? 0, sample.atMs);
  const memory = addMemorySample(aggregate, usage, sample.memoryBytes ?? 0, sample.atMs, defaultRecommender);
  return Number(cpu) + Number(memory);
}

function raise(what: string): never {
  throw new Error(`The table names ${what}, which the scenario does not have.`);
}
