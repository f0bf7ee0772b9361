import type { Memory } from '../replicas/types.ts';
import { ContainerAggregate } from './aggregate.ts';
import type { HistogramCheckpoint } from './histogram.ts';
import { type Histories, readMemory, writeMemory } from './history.ts';
import { takeBackOpenPeak } from './replicaUsage.ts';
import type { RecommenderSettings } from './types.ts';

/** A container's history as a VerticalPodAutoscalerCheckpoint has it (version v3), times in milliseconds. */
export interface ContainerCheckpoint {
  container: string;
  firstSampleMs: number | null;
  lastSampleMs: number | null;
  totalSamplesCount: number;
  cpuHistogram: HistogramCheckpoint;
  memoryHistogram: HistogramCheckpoint;
}

/**
 * The histories in a memory, in upstream's form: integer weights, without the peaks of windows that are still open,
 * because those are counted anew after a restart. Source: VPA recommender, checkpoint writer.
 */
export function toCheckpoints(memory: Memory, settings: RecommenderSettings, nowMs: number): ContainerCheckpoint[] {
  return [...readMemory(memory, settings)].map(([container, { aggregate, replicas }]) => {
    for (const usage of replicas.values()) takeBackOpenPeak(aggregate, usage, nowMs);
    return {
      container,
      firstSampleMs: aggregate.firstSampleMs,
      lastSampleMs: aggregate.lastSampleMs,
      totalSamplesCount: aggregate.sampleCount,
      cpuHistogram: aggregate.cpu.save(),
      memoryHistogram: aggregate.memory.save(),
    };
  });
}

/**
 * A memory that goes on from checkpoints, of upstream or of `toCheckpoints`. Throws a RangeError for a checkpoint with
 * negative weights or buckets that do not exist.
 */
export function fromCheckpoints(
  checkpoints: ContainerCheckpoint[],
  settings: RecommenderSettings,
  nowMs: number,
): Memory {
  const histories: Histories = new Map();
  for (const checkpoint of checkpoints) {
    const aggregate = new ContainerAggregate(nowMs, settings);
    aggregate.cpu.load(checkpoint.cpuHistogram);
    aggregate.memory.load(checkpoint.memoryHistogram);
    aggregate.firstSampleMs = checkpoint.firstSampleMs;
    aggregate.lastSampleMs = checkpoint.lastSampleMs;
    aggregate.sampleCount = checkpoint.totalSamplesCount;
    histories.set(checkpoint.container, { aggregate, replicas: new Map() });
  }
  return writeMemory(histories, nowMs).memory;
}
