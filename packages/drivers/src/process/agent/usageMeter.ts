import type { ReplicaUsageSample } from '@ebb/core';
import {
  hasProcessTable,
  peakResidentBytes,
  type ProcessEntry,
  proportionalBytes,
  readProcessesSince,
} from './processTable.ts';

export const usageEveryMs = 10_000;

/** One life of a replica, to be measured. */
export interface MeasuredLife {
  id: string;
  /** Process group. */
  group: number;
  startedAtMs: number;
  /** Ebb's clock. */
  nowMs(): number;
}

interface Measured extends MeasuredLife {
  peakBytes: number;
}

/**
 * Measures what replicas use, all at once from one pass over the process table: every ten seconds, and each once more
 * at its end. What a process that ends by itself used after the last look is not known. Linux only.
 */
export class UsageMeter {
  readonly #measured = new Set<Measured>();
  readonly #onUsage: (samples: ReplicaUsageSample[]) => void;
  readonly #everyMs: number;
  #timer: NodeJS.Timeout | null = null;

  constructor(onUsage: (samples: ReplicaUsageSample[]) => void, everyMs: number = usageEveryMs) {
    this.#onUsage = onUsage;
    this.#everyMs = everyMs;
  }

  /** Returns the way to end it, which looks once more. */
  watch(life: MeasuredLife): (last: { outOfMemory: boolean }) => void {
    if (!hasProcessTable) return () => {};
    const measured = { ...life, peakBytes: 0 };
    this.#measured.add(measured);
    this.#timer ??= setInterval(() => this.#look([...this.#measured]), this.#everyMs);
    return ({ outOfMemory }) => {
      if (!this.#measured.delete(measured)) return;
      if (this.#measured.size === 0 && this.#timer) {
        clearInterval(this.#timer);
        this.#timer = null;
      }
      this.#look([measured], outOfMemory);
    };
  }

  #look(lives: Measured[], outOfMemory = false): void {
    // Replicas that are ended together share one pass.
    const groups = Map.groupBy(readProcessesSince(0), (entry) => entry.group);
    const samples = lives.flatMap((life) => {
      const members = groups.get(life.group) ?? [];
      return members.some((entry) => !entry.ended) ? [sampleOf(life, members, outOfMemory)] : [];
    });
    if (samples.length > 0) this.#onUsage(samples);
  }
}

/** Zombies count too: their CPU time is not yet their parent's. */
function sampleOf(life: Measured, members: ProcessEntry[], outOfMemory: boolean): ReplicaUsageSample {
  const alive = members.filter((entry) => !entry.ended);
  const [only] = alive;
  const isAlone = alive.length === 1 && only !== undefined;
  const memoryBytes = isAlone ? only.residentBytes : sharedBytes(alive);
  // The kernel knows the peak of a process, not of a group.
  life.peakBytes = Math.max(life.peakBytes, memoryBytes, (isAlone ? peakResidentBytes(only.pid) : null) ?? 0);
  return {
    id: life.id,
    atMs: life.nowMs(),
    startedAtMs: life.startedAtMs,
    cpuMs: members.reduce((sum, entry) => sum + entry.cpuMs, 0),
    memoryBytes,
    memoryPeakBytes: life.peakBytes,
    ...(outOfMemory ? { outOfMemory } : {}),
  };
}

/** Forked workers share pages, which count once. */
function sharedBytes(members: ProcessEntry[]): number {
  return members.reduce((sum, { pid, residentBytes }) => sum + (proportionalBytes(pid) ?? residentBytes), 0);
}
