import type { Json, Memory } from '../replicas/types.ts';
import { ContainerAggregate } from './aggregate.ts';
import type { DecayingHistogram } from './histogram.ts';
import { newReplicaUsage, type ReplicaUsage, takeBackOpenPeak } from './replicaUsage.ts';
import type { RecommenderSettings } from './types.ts';

/** What is known of one container: of all its replicas together, and of each that is followed. */
export interface ContainerHistory {
  aggregate: ContainerAggregate;
  replicas: Map<string, ReplicaUsage>;
}

export type Histories = Map<string, ContainerHistory>;

/** Largest JSON of a memory, in bytes. */
export const maxMemoryBytes = 16_384;
/** Containers and replicas with longer names are not sized. */
export const maxNameLength = 128;

/** Weights relative to the heaviest bucket, where exact ones do not fit: a minute's decay still shows in them. */
const coarseWeight = 1_000_000;
const version = 1;
const policy = 'sizing';

/** What had to be given up to fit into `maxMemoryBytes`; null: nothing. */
export interface Trimmed {
  replicas: number;
  containers: number;
}

/**
 * Histories as plain JSON. Weights are kept exactly, so that being asked a thousand times gives what one call with all
 * samples gives; only where that does not fit are they rounded, then replicas and at last containers forgotten, those
 * first that were seen longest ago.
 */
export function writeMemory(histories: Histories, nowMs: number): { memory: Memory; trimmed: Trimmed | null } {
  const exact = toMemory(histories, exactJson);
  if (sizeOf(exact) <= maxMemoryBytes) return { memory: exact, trimmed: null };
  const trimmed = { replicas: 0, containers: 0 };
  for (;;) {
    const memory = toMemory(histories, coarseJson);
    if (sizeOf(memory) <= maxMemoryBytes) return { memory, trimmed };
    const replicas = countReplicas(histories);
    if (replicas > 0) trimmed.replicas += forgetReplicas(histories, Math.ceil(replicas / 4), nowMs);
    else {
      forgetOldestContainer(histories);
      trimmed.containers++;
    }
  }
}

/** Histories from a memory. What is not of a known form, or of another half-life, is left out. */
export function readMemory(memory: Memory | null, settings: RecommenderSettings): Histories {
  const histories: Histories = new Map();
  if (!memory || memory.policy !== policy || memory.version !== version) return histories;
  for (const stored of asArray(memory.containers)) {
    const { name, created, first, last, count, cpu, memory: peaks, replicas } = asObject(stored);
    if (typeof name !== 'string' || !isTime(created)) continue;
    const aggregate = new ContainerAggregate(created, settings);
    histories.set(name, { aggregate, replicas: replicasFromJson(replicas) });
    if (readHistogram(aggregate.cpu, cpu) && isTime(first) && isTime(last) && isCount(count)) {
      aggregate.firstSampleMs = first;
      aggregate.lastSampleMs = last;
      aggregate.sampleCount = count;
    }
    readHistogram(aggregate.memory, peaks);
  }
  return histories;
}

/** Forgets the `count` replicas that were seen longest ago; answers how many there were. */
export function forgetReplicas(histories: Histories, count: number, nowMs: number): number {
  const all = [...histories.values()].flatMap(({ aggregate, replicas }) =>
    [...replicas].map(([id, usage]) => ({ aggregate, replicas, id, usage })),
  );
  all.sort((a, b) => lastSeenMs(a.usage) - lastSeenMs(b.usage) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  const gone = all.slice(0, count);
  for (const { aggregate, replicas, id, usage } of gone) {
    takeBackOpenPeak(aggregate, usage, nowMs);
    replicas.delete(id);
  }
  return gone.length;
}

export function countReplicas(histories: Histories): number {
  let count = 0;
  for (const { replicas } of histories.values()) count += replicas.size;
  return count;
}

/** When the last sample of a followed replica was taken. */
export function lastSeenMs(usage: ReplicaUsage): number {
  return Math.max(usage.lastCpuMs ?? 0, usage.lastMemoryMs ?? 0);
}

function forgetOldestContainer(histories: Histories): void {
  let oldest: string | null = null;
  let oldestMs = Number.POSITIVE_INFINITY;
  for (const [name, { aggregate }] of histories) {
    const seenMs = aggregate.lastSampleMs ?? aggregate.createdMs;
    if (seenMs >= oldestMs) continue;
    oldest = name;
    oldestMs = seenMs;
  }
  if (oldest !== null) histories.delete(oldest);
}

function toMemory(histories: Histories, histogramJson: (histogram: DecayingHistogram) => Json): Memory {
  const containers = [...histories.keys()].sort().flatMap((name): Json[] => {
    const history = histories.get(name);
    if (!history) return [];
    const { aggregate, replicas } = history;
    return [
      {
        name,
        created: aggregate.createdMs,
        first: aggregate.firstSampleMs,
        last: aggregate.lastSampleMs,
        count: aggregate.sampleCount,
        cpu: histogramJson(aggregate.cpu),
        memory: histogramJson(aggregate.memory),
        replicas: [...replicas].map(([id, u]) => [
          id,
          u.lastCpuMs,
          u.lastMemoryMs,
          u.windowEndMs,
          u.peakBytes,
          u.oomPeakBytes,
        ]),
      },
    ];
  });
  return { version, policy, containers };
}

/** `first` is the first bucket with weight; weights go from there on to the last one that has any. */
function exactJson({ halfLifeMs, referenceMs, totalWeight, weights }: DecayingHistogram): Json {
  const first = Math.max(
    0,
    weights.findIndex((weight) => weight > 0),
  );
  const last = weights.findLastIndex((weight) => weight > 0);
  return { halfLifeMs, referenceMs, totalWeight, first, weights: [...weights.subarray(first, last + 1)] };
}

function coarseJson(histogram: DecayingHistogram): Json {
  const { referenceMs, totalWeight, bucketWeights } = histogram.save(coarseWeight);
  const buckets = Object.keys(bucketWeights).map(Number);
  const first = buckets[0] ?? 0;
  const dense = new Array<number>(buckets.length > 0 ? (buckets.at(-1) ?? 0) - first + 1 : 0).fill(0);
  for (const bucket of buckets) dense[bucket - first] = bucketWeights[bucket] ?? 0;
  return { halfLifeMs: histogram.halfLifeMs, referenceMs, totalWeight, first, coarse: dense };
}

function readHistogram(histogram: DecayingHistogram, json: Json | undefined): boolean {
  const { halfLifeMs, referenceMs, totalWeight, first, weights, coarse } = asObject(json);
  const stored = asArray(weights ?? coarse);
  if (halfLifeMs !== histogram.halfLifeMs || !isTime(referenceMs)) return false;
  if (!isWeight(totalWeight) || !isCount(first)) return false;
  if (!stored.every(isWeight) || first + stored.length > histogram.scheme.count) return false;
  if (coarse === undefined) {
    const dense = new Array<number>(histogram.scheme.count).fill(0);
    stored.forEach((weight, index) => {
      dense[first + index] = weight;
    });
    histogram.restore(referenceMs, totalWeight, dense);
  } else {
    const bucketWeights = Object.fromEntries(stored.map((weight, index) => [first + index, weight]));
    histogram.load({ referenceMs, totalWeight, bucketWeights });
  }
  return true;
}

function replicasFromJson(json: Json | undefined): Map<string, ReplicaUsage> {
  const replicas = new Map<string, ReplicaUsage>();
  for (const stored of asArray(json)) {
    const [id, lastCpuMs, lastMemoryMs, windowEndMs, peakBytes, oomPeakBytes] = asArray(stored);
    if (typeof id !== 'string' || !isWeight(peakBytes) || !isWeight(oomPeakBytes)) continue;
    replicas.set(id, {
      ...newReplicaUsage(),
      lastCpuMs: isTime(lastCpuMs) ? lastCpuMs : null,
      lastMemoryMs: isTime(lastMemoryMs) ? lastMemoryMs : null,
      windowEndMs: isTime(windowEndMs) ? windowEndMs : null,
      peakBytes,
      oomPeakBytes,
    });
  }
  return replicas;
}

const asArray = (json: Json | undefined): Json[] => (Array.isArray(json) ? json : []);
const asObject = (json: Json | undefined): { [key: string]: Json } =>
  typeof json === 'object' && json !== null && !Array.isArray(json) ? json : {};
const isTime = (json: Json | undefined): json is number => Number.isSafeInteger(json);
const isCount = (json: Json | undefined): json is number => Number.isSafeInteger(json) && Number(json) >= 0;
const isWeight = (json: Json | undefined): json is number =>
  typeof json === 'number' && Number.isFinite(json) && json >= 0;

/** UTF-8 bytes of the JSON, from above: what is not ASCII is counted as three bytes a unit. */
function sizeOf(memory: Memory): number {
  const text = JSON.stringify(memory);
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) bytes += 2;
  return bytes;
}
