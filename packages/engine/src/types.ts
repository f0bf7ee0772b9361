import type {
  AllocationLimits,
  Clock,
  Driver,
  GatewayPort,
  JournalRecord,
  Scaler,
  Store,
  StoredDocument,
} from '@ebb/core';
import type { ObjectKey, ScheduleSpec, WatchEvent, WorkloadStatus } from '@ebb/documents';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** All that the engine may touch. A virtual implementation of each lives in `@ebb/testing`. */
export interface EnginePorts {
  clock: Clock;
  store: Store;
  driver: Driver;
  gateway: GatewayPort;
  /** Makes the scaler that turns a workload's schedules into readings (cron and zones are evaluated outside core). */
  scheduleScaler(schedules: ScheduleSpec[]): Scaler;
  /** Short random text for replica ids, such as `x7k2p`. */
  newSuffix(): string;
  log(level: LogLevel, message: string, data?: Record<string, unknown>): void;
}

export interface EngineOptions {
  ports: EnginePorts;
  /** Leader's epoch from `Store.takeEpoch`. */
  epoch: number;
  version: string;
  /** Name of the node replicas are placed on; one machine: `local`. */
  node: string;
  limits: AllocationLimits;
}

/** A document that `documents` has already validated. */
export interface ApplyInput {
  apiVersion: string;
  kind: string;
  key: ObjectKey;
  document: unknown;
  origin: string | null;
  expectedVersion?: number;
}

export interface ApplyOutcome {
  kind: string;
  key: ObjectKey;
  action: 'created' | 'configured' | 'unchanged';
  stored: StoredDocument;
}

/** A refused apply: nothing of the batch was stored. */
export class ApplyError extends Error {
  readonly code: 'route-conflict' | 'conflict' | 'unknown-dependency' | 'dependency-cycle' | 'invalid';
  /** Index in the batch that was at fault, and the path inside that document. */
  readonly index: number;
  readonly path: string;
  constructor(code: ApplyError['code'], message: string, index: number, path: string) {
    super(message);
    this.code = code;
    this.index = index;
    this.path = path;
  }
}

export interface Explanation {
  workload: string;
  /** Null when nothing was decided by then. */
  decision: JournalRecord | null;
  grant: JournalRecord | null;
  /** What was done because of it and what came of it, oldest first. */
  actions: JournalRecord[];
  /** One sentence a step, in the order of the chain. */
  lines: { stage: string; code: string; sentence: string }[];
}

export interface Engine {
  /** Loads documents and memories, adopts the replicas that still run, then reconciles until `stop`. */
  start(): Promise<void>;
  /** Stops deciding and flushes the journal. Replicas, routes and nodes stay as they are. */
  stop(): Promise<void>;
  /** All or nothing. Throws `ApplyError`. */
  apply(inputs: ApplyInput[]): Promise<ApplyOutcome[]>;
  /** Drains and ends what the object had. Null when there was none. */
  remove(kind: string, key: ObjectKey, expectedVersion?: number): Promise<StoredDocument | null>;
  statuses(): WorkloadStatus[];
  status(key: ObjectKey): WorkloadStatus | null;
  /** Every status change (at most ten a second for each workload), decision and document change, in order. */
  watch(listener: (event: WatchEvent) => void): () => void;
  /** The decision in force at a wall time (default: now). */
  explain(key: ObjectKey, atMs?: number): Promise<Explanation | null>;
  /** Other bounds over all workloads, from now on: a Cluster document was changed. */
  setLimits?(limits: AllocationLimits): void;
  /** Drains and ends every replica of every workload; documents stay. For a clean `ebb down`. */
  quiesce(): Promise<void>;
}
