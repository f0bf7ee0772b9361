/** One GPU, or one part of a divided one. Null: not told. */
export interface GpuSample {
  /** What it may be chosen by, its index first: `0`, `GPU-8d3c…`. */
  names: readonly string[];
  /** Percent of the time. */
  utilization: number | null;
  memoryUsedMiB: number | null;
  memoryTotalMiB: number | null;
}

export interface GpuSource {
  /** For messages. */
  place: string;
  /** Rejects with `SourceError`. */
  read(signal: AbortSignal): Promise<readonly GpuSample[]>;
  close(): Promise<void>;
}
