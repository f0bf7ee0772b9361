import type { TraceOptions } from './options.ts';

/** Where a layout puts the requests of its rows. Workloads are named as the file names them. */
export interface RequestSink {
  workload(name: string): number;
  /** @throws RowError where it is before the row above. */
  add(atUs: number, workload: number, inputTokens: number, outputTokens: number): void;
}

/** Where a layout puts counts. All buckets of a trace are of one length and begin at its multiples. */
export interface CountSink {
  workload(name: string): number;
  add(startUs: number, workload: number, count: number): void;
  /** Length of a bucket; a layout that learns it from its rows says it in `end`. */
  setBucketUs(bucketUs: number): void;
  /** Where the file says it itself; else the end of the last bucket. */
  setSpanUs(spanUs: number): void;
  /** What a person should know of how the counts came to be. */
  note(text: string): void;
}

/** Reads lines after one another, the first one included. Throws RowError for one that cannot be read. */
export interface RowReader {
  line(text: string): void;
  end(): void;
}

interface LayoutBase {
  /** For a person: `Azure Functions 2019`. */
  title: string;
  /** The first line, as an example; null: not told by a header. */
  header: string | null;
  recognises(firstLine: string): boolean;
}

export interface RequestLayout extends LayoutBase {
  arrivals: 'recorded';
  hasTokens: boolean;
  read(firstLine: string, sink: RequestSink, options: TraceOptions): RowReader;
}

export interface CountLayout extends LayoutBase {
  arrivals: 'spread';
  read(firstLine: string, sink: CountSink, options: TraceOptions): RowReader;
}

export type Layout = RequestLayout | CountLayout;

/** What is wrong with a row; who reads the file knows which line it was. `whole`: it is not about the row alone. */
export class RowError extends Error {
  readonly whole: boolean;
  constructor(message: string, whole = false) {
    super(message);
    this.name = 'RowError';
    this.whole = whole;
  }
}
