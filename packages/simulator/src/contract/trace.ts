/**
 * A recorded or made-up load. Requests come in blocks of columns, in order of arrival, so that ten million of them need no
 * ten million objects; iterating twice gives the same blocks.
 */
export interface Trace {
  name: string;
  /** For a person: where it comes from and what was made of it. */
  description: string;
  /** Names that `TraceBlock.workload` refers to; one name where the trace has a single workload. */
  workloads: readonly string[];
  /** End of the last bucket or moment of the last request, microseconds from the start. */
  spanUs: number;
  /** Whether arrivals were recorded one by one, or spread over the buckets of a count. */
  arrivals: 'recorded' | 'spread';
  hasTokens: boolean;
  blocks(): Iterable<TraceBlock> | AsyncIterable<TraceBlock>;
}

/** At most `blockSize` requests; only the first `count` entries of each column count. */
export interface TraceBlock {
  count: number;
  /** Arrival, whole microseconds from the start of the trace, never falling. */
  atUs: Float64Array;
  /** Index into `workloads`; null: all of the first. */
  workload: Uint32Array | null;
  inputTokens: Uint32Array | null;
  outputTokens: Uint32Array | null;
}

export const blockSize = 16_384;

/** A row that cannot be read. */
export class TraceError extends Error {
  readonly file: string;
  /** From 1; 0: the file as a whole. */
  readonly line: number;
  constructor(file: string, line: number, message: string) {
    super(line > 0 ? `${file}:${line}: ${message}` : `${file}: ${message}`);
    this.name = 'TraceError';
    this.file = file;
    this.line = line;
  }
}
