import type { JournalRecord } from '@ebb/core';

export interface RecordQuery {
  /** Keys `cluster/namespace/name`; empty: all of them. */
  workloads: readonly string[];
  /** Records begin with the snapshot that decisions since then can be made again from. */
  sinceMs: number;
}

/** A recorded journal, wherever it is. */
export interface JournalSource {
  /** For a person: `the running Ebb`, a file. */
  name: string;
  /** In order, of the workloads asked for, with the system's own records (workload null). */
  records(query: RecordQuery): AsyncIterable<JournalRecord>;
  /** Newest `outcome` records of a workload, a bounded number. */
  outcomes(workload: string): Promise<JournalRecord[]>;
  /** Until when nothing that happened is missing: now where Ebb runs, else the time of the last record. */
  endMs(): Promise<number>;
  close(): Promise<void>;
}
