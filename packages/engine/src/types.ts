import type {
  AllocationLimits,
  Clock,
  Driver,
  GatewayPort,
  JournalRecord,
  MetricsScraper,
  Scaler,
  Store,
  StoredDocument,
  TriggerPort,
} from '@ebb/core';
import type {
  CostReport,
  FleetStatus,
  ObjectKey,
  EventSpec,
  Resources,
  ScaledJobStatus,
  ScaledObjectStatus,
  ScheduleSpec,
  SizedClassStatus,
  WatchEvent,
  WorkloadStatus,
} from '@ebb/documents';
import type { CostRequest } from './costOfSpan.ts';
import type { MoneyNotice } from './moneyNotices.ts';
import type { MoneyRules } from './moneyWatch.ts';
import type { NodePorts } from './nodes/ports.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** All that the engine may touch. A virtual implementation of each lives in `@ebb/testing`. */
export interface EnginePorts {
  clock: Clock;
  store: Store;
  driver: Driver;
  gateway: GatewayPort;
  /** Makes the scaler that turns a workload's schedules into readings (cron and zones are evaluated outside core). */
  scheduleScaler(schedules: ScheduleSpec[], events: EventSpec[]): Scaler;
  /** Opens the triggers of ScaledObjects and ScaledJobs. */
  triggers: TriggerPort;
  /** Fetches what replicas publish of themselves. Left out: it cannot be read, and no workload is taken to be at rest for it. */
  metrics?: MetricsScraper;
  /** Rents machines for clusters that have none of their own. Left out: every replica runs where the engine is. */
  nodes?: NodePorts;
  /** Tells people of budgets and of cost without use, in the background. Left out: the log alone does. */
  notify?(notice: MoneyNotice): void;
  /**
   * Why no replica with these requests can ever run on this machine; null: it can, or that is not known. Left out: every one can.
   */
  cannotRun?(requests: Resources): string | null;
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
  /** Left out: no budgets and no alarms. */
  money?: MoneyRules;
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
  readonly code: 'route-conflict' | 'conflict' | 'unknown-dependency' | 'dependency-cycle' | 'placement' | 'invalid';
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

export interface SizedAmounts {
  cpuMilli: number;
  memoryBytes: number;
}

export interface RecommendationConfidence {
  /** A minute of one replica each, and the time from the first to the last. */
  samples: number;
  historyMs: number;
  /** Whether to act on it. */
  enough: boolean;
  sentence: string;
}

/** What replicas of one class should ask for, from what they used. */
export interface ClassRecommendation {
  class: string;
  /** As the document has it; a limit of null is none. */
  requests: SizedAmounts;
  limits: { cpuMilli: number | null; memoryBytes: number | null };
  /** Null before anything was measured. `uncapped` is the target before any bound on it. */
  amounts: { lowerBound: SizedAmounts; target: SizedAmounts; upperBound: SizedAmounts; uncapped: SizedAmounts } | null;
  /** What to write under `resources`: limits only where they have to rise. Null while there is too little to go by. */
  suggested: { requests: SizedAmounts; limits: { cpuMilli?: number; memoryBytes?: number } } | null;
  /** What its latest roll-out took of earlier recommendations; null: nothing. */
  applied: SizedClassStatus | null;
  confidence: RecommendationConfidence;
  reasons: { code: string; sentence: string }[];
}

/** A workload (`status`) or a ScaledJob (`jobs`) that may have another status by now. */
export interface StatusChange {
  type: 'status' | 'jobs';
  key: ObjectKey;
}

export interface WorkloadRecommendation {
  workload: string;
  atMs: number;
  /** Whether the next roll-out takes what is suggested. */
  apply: 'never' | 'nextRollout' | 'inPlace';
  /** In document order. */
  classes: ClassRecommendation[];
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
  /**
   * Sum of the time that each request of a workload was in flight or held, µs, up to the newest counts of its gateways: differences of
   * it are exact however short requests are. Null where there is none.
   */
  busyUs(key: ObjectKey): number | null;
  /** Labels of every workload, for whoever selects by them. */
  labels(): { key: ObjectKey; labels: Readonly<Record<string, string>> }[];
  /** The engine's clock, which statuses and events name. */
  nowMs(): number;
  /** What becomes of a ScaledObject; null where there is none. */
  scaledObject(key: ObjectKey): ScaledObjectStatus | null;
  /** Every ScaledJob with its Jobs. */
  scaledJobs(): ScaledJobStatus[];
  /** Null where there is no such ScaledJob. */
  scaledJob(key: ObjectKey): ScaledJobStatus | null;
  /** Every status change (at most ten a second for each workload), decision and document change, in order. */
  watch(listener: (event: WatchEvent) => void): () => void;
  /** At the pace of `watch`: whose status may be another one. For those who do not need every status to be built. */
  watchStatuses(listener: (change: StatusChange) => void): () => void;
  /** The decision in force at a wall time (default: now). */
  explain(key: ObjectKey, atMs?: number): Promise<Explanation | null>;
  /** What the workload's classes should ask for, and why. Null where there is no such workload. */
  recommendation(key: ObjectKey): WorkloadRecommendation | null;
  /** Other bounds over all workloads, from now on: a Cluster document was changed. */
  setLimits?(limits: AllocationLimits): void;
  /** Other budgets and alarms, from now on. */
  setMoney?(rules: MoneyRules): void;
  /** What `cannotRun` says may have changed. */
  machineChanged?(): void;
  /** Every cluster whose machines are rented, with its machines. */
  fleets(): FleetStatus[];
  /** Resolves once what documents say of machines is taken up, with providers opened where that can be. */
  machinesTakenUp(): Promise<void>;
  /** What was paid in a span. */
  cost(request: CostRequest): Promise<CostReport>;
  /** Drains and ends every replica of every workload; documents stay. For a clean `ebb down`. */
  quiesce(): Promise<void>;
}
