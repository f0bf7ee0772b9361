import type { ContainerAggregate } from './aggregate.ts';
import { toAmount } from './amounts.ts';

/** What is remembered of one replica's container, so that its samples are counted once and its peaks once a window. */
export interface ReplicaUsage {
  lastCpuMs: number | null;
  lastMemoryMs: number | null;
  /** End of the open memory window, not within it. */
  windowEndMs: number | null;
  /** Largest use seen in the window; 0: none. */
  peakBytes: number;
  /** Largest need told by an OOM in the window; 0: none. */
  oomPeakBytes: number;
}

/** How memory peaks are kept and what an OOM adds. */
export interface PeakRules {
  memoryWindowMs: number;
  oomBumpRatio: number;
  oomMinBumpBytes: number;
}

/** What a container had when it ran out of memory, and what it is taken to need. */
export interface OomAmounts {
  usedBytes: number;
  neededBytes: number;
}

export const newReplicaUsage = (): ReplicaUsage => ({
  lastCpuMs: null,
  lastMemoryMs: null,
  windowEndMs: null,
  peakBytes: 0,
  oomPeakBytes: 0,
});

/** Counts a CPU sample; false when it is not newer than the last one. Source: VPA container state. */
export function addCpuSample(
  aggregate: ContainerAggregate,
  usage: ReplicaUsage,
  cpuMilli: number,
  atMs: number,
): boolean {
  if (usage.lastCpuMs !== null && atMs <= usage.lastCpuMs) return false;
  aggregate.addCpu(cpuMilli, atMs);
  usage.lastCpuMs = atMs;
  return true;
}

/** Counts a memory sample; false when it is older than the last one. Source: VPA container state. */
export function addMemorySample(
  aggregate: ContainerAggregate,
  usage: ReplicaUsage,
  memoryBytes: number,
  atMs: number,
  rules: PeakRules,
): boolean {
  if (usage.lastMemoryMs !== null && atMs < usage.lastMemoryMs) return false;
  addPeak(aggregate, usage, memoryBytes, atMs, rules, false);
  return true;
}

/**
 * Counts a death by OOM as a use of more memory than there was, and answers that amount; null when it lies more than
 * a window before the last memory sample. That sample is the measure, not the end of the window, which may be a whole
 * window later (kubernetes/autoscaler#8548). An earlier OOM's amount is not raised again. Source: VPA container state.
 */
export function addOom(
  aggregate: ContainerAggregate,
  usage: ReplicaUsage,
  requestBytes: number,
  atMs: number,
  rules: PeakRules,
): OomAmounts | null {
  if (usage.lastMemoryMs !== null && atMs < usage.lastMemoryMs - rules.memoryWindowMs) return null;
  const usedBytes = Math.max(requestBytes, usage.peakBytes);
  const neededBytes = Math.max(usedBytes + toAmount(rules.oomMinBumpBytes), toAmount(usedBytes * rules.oomBumpRatio));
  addPeak(aggregate, usage, neededBytes, atMs, rules, true);
  return { usedBytes, neededBytes };
}

/**
 * Takes the peak of the open window back out, as upstream does for a checkpoint: a replica that is not remembered
 * counts its peak again when it is next seen.
 */
export function takeBackOpenPeak(aggregate: ContainerAggregate, usage: ReplicaUsage, nowMs: number): void {
  const peak = Math.max(usage.peakBytes, usage.oomPeakBytes);
  if (usage.windowEndMs !== null && nowMs < usage.windowEndMs && peak > 0) {
    aggregate.removePeak(peak, usage.windowEndMs);
  }
}

/** One peak per window, stamped with the window's end: a larger value within the window takes its place. */
function addPeak(
  aggregate: ContainerAggregate,
  usage: ReplicaUsage,
  memoryBytes: number,
  atMs: number,
  { memoryWindowMs }: PeakRules,
  fromOom: boolean,
): void {
  usage.lastMemoryMs = atMs;
  const endMs = usage.windowEndMs ?? atMs;
  usage.windowEndMs = endMs;
  if (atMs < endMs) {
    const highest = Math.max(usage.peakBytes, usage.oomPeakBytes);
    // A window that began with 0 bytes keeps that as its peak; upstream cannot tell it from no peak.
    if (highest === 0 || memoryBytes <= highest) return;
    aggregate.removePeak(highest, endMs);
  } else {
    usage.windowEndMs = endMs + (Math.floor((atMs - endMs) / memoryWindowMs) + 1) * memoryWindowMs;
    usage.peakBytes = 0;
    usage.oomPeakBytes = 0;
  }
  aggregate.addPeak(memoryBytes, usage.windowEndMs);
  if (fromOom) usage.oomPeakBytes = memoryBytes;
  else usage.peakBytes = memoryBytes;
}
