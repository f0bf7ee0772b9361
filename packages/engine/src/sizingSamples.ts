import type { ReplicaUsageSample, SizingSample } from '@ebb/core';
import type { Replica } from './replicaSet.ts';

/** CPU use is averaged over this long, as the metrics that a Vertical Pod Autoscaler reads are. */
const sampleMs = 60_000;
/** Of a replica that ends, a shorter rest counts too, but not one in which a clock tick is a large part. */
const shortestMs = 1000;
/** Nothing was heard for longer: how the use was spread over that time is not known, so it is no sample. */
const longestMs = 3 * sampleMs;

interface Track {
  startedAtMs: number;
  /** Where the open interval began, and the CPU time used by then. */
  fromMs: number;
  fromCpuMs: number;
  /** Highest memory seen in the open interval. */
  memoryBytes: number;
  /** Highest memory told of this start. */
  peakBytes: number;
}

/** Turns what replicas have used in total into what they used in each minute. */
export class UsageTracks {
  readonly #tracks = new WeakMap<Replica, Track>();

  /**
   * Samples that a measurement completes: a mean of CPU use in thousandths of a core and a memory peak, at the end of
   * the minute; and an OOM. That counts from what was measured then, and not, as for pods, from what had been asked
   * for: a process is ended at its limit, whatever its request.
   */
  samplesOf(replica: Replica, usage: ReplicaUsageSample): SizingSample[] {
    const track = this.#trackOf(replica, usage);
    const hasNewPeak = (usage.memoryPeakBytes ?? 0) > track.peakBytes;
    track.peakBytes = Math.max(track.peakBytes, usage.memoryPeakBytes ?? 0);
    track.memoryBytes = Math.max(track.memoryBytes, usage.memoryBytes, hasNewPeak ? track.peakBytes : 0);
    const isLast = usage.outOfMemory === true || replica.phase === 'stopping';
    const lengthMs = usage.atMs - track.fromMs;
    if (lengthMs < sampleMs && !isLast) return [];
    const at = { container: replica.class, replica: replica.id, atMs: usage.atMs };
    const hasCpu = lengthMs >= shortestMs && lengthMs <= longestMs;
    const cpuMilli = Math.round(((usage.cpuMs - track.fromCpuMs) * 1000) / lengthMs);
    const { memoryBytes } = track;
    Object.assign(track, { fromMs: usage.atMs, fromCpuMs: usage.cpuMs, memoryBytes: 0 });
    return [
      { type: 'usage', ...at, memoryBytes, ...(hasCpu ? { cpuMilli } : {}) },
      ...(usage.outOfMemory ? [{ type: 'oom' as const, ...at, requestBytes: usage.memoryBytes }] : []),
    ];
  }

  #trackOf(replica: Replica, { startedAtMs, atMs, cpuMs, memoryPeakBytes = 0 }: ReplicaUsageSample): Track {
    const known = this.#tracks.get(replica);
    // A process whose parent has not waited for it takes its CPU time along, so that the sum may fall.
    if (known?.startedAtMs === startedAtMs && cpuMs >= known.fromCpuMs) return known;
    const isNew = known?.startedAtMs !== startedAtMs && atMs - startedAtMs < sampleMs;
    const track = isNew
      ? { startedAtMs, fromMs: startedAtMs, fromCpuMs: 0, memoryBytes: 0, peakBytes: 0 }
      : // Running for long already: an earlier control plane has counted what came before.
        { startedAtMs, fromMs: atMs, fromCpuMs: cpuMs, memoryBytes: 0, peakBytes: memoryPeakBytes };
    this.#tracks.set(replica, track);
    return track;
  }
}
