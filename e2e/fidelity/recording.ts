import { readFileSync } from 'node:fs';
import type { Load } from './load.ts';

/** One replica's life, ms from the beginning of the load; below 0: before it. */
export interface ReplicaLife {
  askedMs: number;
  /** Usable from here on; null: it never was. */
  readyMs: number | null;
  /** Null: it was there to the end. */
  endedMs: number | null;
}

/** How long each part of one cold start took, ms. */
export interface ColdStartStages {
  askToSpawnMs: number;
  spawnToListenMs: number;
  listenToReadyMs: number;
  readyToRouteMs: number;
}

/** What one policy's live run came to. */
export interface LiveRun {
  policy: string;
  /** Wall time of the first decision: rules tick from there on, and Knative's buckets are seconds of the wall clock. */
  firstAtMs: number;
  /** First decision → beginning of the load. */
  leadMs: number;
  lives: ReplicaLife[];
  coldStarts: ColdStartStages[];
  /** From sending a request until its service began, in the order of the load. */
  waitsMs: number[];
  /** What a request's slot was taken for beyond its service, in the middle: transport and timers. */
  overheadMs: number;
  /** Furthest that a request was sent behind its moment. */
  mostLateMs: number;
}

export interface Recording {
  load: Load;
  /** CPU that was not idle during the run, as a share of the whole machine. */
  busyShare: number;
  runs: LiveRun[];
}

/** A live run that was kept with `--record`. */
export function readRecording(file: URL | string): Recording {
  const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (typeof value !== 'object' || value === null || !('load' in value) || !('runs' in value)) {
    throw new Error(`${String(file)} is no recording of a live run; make one with --record FILE`);
  }
  return value as Recording;
}
