import { cpuBuckets, memoryBuckets } from './buckets.ts';
import { DecayingHistogram } from './histogram.ts';

/** Weight of a CPU sample before decay; a memory peak weighs 1. */
const cpuSampleWeight = 0.1;

/**
 * Everything known of a container's use over all replicas. First and last time and the count are those of CPU
 * samples alone, as upstream has them. Source: aggregate container state of the VPA recommender's model.
 */
export class ContainerAggregate {
  readonly createdMs: number;
  readonly cpu: DecayingHistogram;
  readonly memory: DecayingHistogram;
  firstSampleMs: number | null = null;
  lastSampleMs: number | null = null;
  sampleCount = 0;

  constructor(createdMs: number, halfLives: { cpuHalfLifeMs: number; memoryHalfLifeMs: number }) {
    this.createdMs = createdMs;
    this.cpu = new DecayingHistogram(cpuBuckets, halfLives.cpuHalfLifeMs);
    this.memory = new DecayingHistogram(memoryBuckets, halfLives.memoryHalfLifeMs);
  }

  addCpu(cpuMilli: number, atMs: number): void {
    this.cpu.add(cpuMilli / 1000, cpuSampleWeight, atMs);
    this.lastSampleMs = Math.max(this.lastSampleMs ?? atMs, atMs);
    this.firstSampleMs = Math.min(this.firstSampleMs ?? atMs, atMs);
    this.sampleCount++;
  }

  addPeak(memoryBytes: number, atMs: number): void {
    this.memory.add(memoryBytes, 1, atMs);
  }

  removePeak(memoryBytes: number, atMs: number): void {
    this.memory.subtract(memoryBytes, 1, atMs);
  }

  /** Adds what another workload or class knows of the same container. */
  merge(other: ContainerAggregate): void {
    this.cpu.merge(other.cpu);
    this.memory.merge(other.memory);
    this.firstSampleMs = earlier(this.firstSampleMs, other.firstSampleMs);
    this.lastSampleMs = later(this.lastSampleMs, other.lastSampleMs);
    this.sampleCount += other.sampleCount;
  }

  /** Whether nothing came for `historyMs`: since the last CPU sample, or since the beginning where there was none. */
  isExpired(nowMs: number, historyMs: number): boolean {
    return nowMs - (this.lastSampleMs ?? this.createdMs) >= historyMs;
  }
}

const earlier = (a: number | null, b: number | null): number | null =>
  a === null ? b : b === null ? a : Math.min(a, b);
const later = (a: number | null, b: number | null): number | null => (a === null ? b : b === null ? a : Math.max(a, b));
