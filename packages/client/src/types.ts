import type { ApiObject, ObjectKey, Problem, SizedClassStatus } from '@ebb/documents';

export type { ApiObject };

/** An object to write: one that was read, or a document as in a file. */
export interface ObjectToPut {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; resourceVersion?: string } & Record<string, unknown>;
  spec: unknown;
}

export interface ApiObjectList {
  apiVersion: string;
  kind: string;
  items: ApiObject[];
}

export interface ApplyOutcome extends ObjectKey {
  kind: string;
  action: 'created' | 'configured' | 'unchanged';
  /** Null for what a dry run would create. */
  resourceVersion: string | null;
  generation: number | null;
}

export interface ApplyResult {
  dryRun: boolean;
  outcomes: ApplyOutcome[];
  /** Hints about documents that are right. */
  warnings: Problem[];
}

/** An RFC 9457 problem body. `code` is stable and documented; `problems` comes with refused documents. */
export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  problems?: Problem[];
}

export interface LogLine {
  replica: string;
  /** Milliseconds of wall time. */
  atMs: number;
  stream: 'stdout' | 'stderr' | 'ebb';
  text: string;
}

export interface JournalRecord {
  sequence: number;
  segment: number;
  atMs: number;
  kind: 'snapshot' | 'reading' | 'event' | 'decision' | 'grant' | 'action' | 'outcome';
  /** `cluster/namespace/name`, or null for the whole system. */
  workload: string | null;
  body: unknown;
}

export interface Explanation {
  workload: string;
  decision: JournalRecord | null;
  grant: JournalRecord | null;
  actions: JournalRecord[];
  lines: { stage: string; code: string; sentence: string }[];
}

export interface SizedAmounts {
  cpuMilli: number;
  memoryBytes: number;
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
  confidence: { samples: number; historyMs: number; enough: boolean; sentence: string };
  reasons: { code: string; sentence: string }[];
}

export interface WorkloadRecommendation {
  workload: string;
  atMs: number;
  /** Whether the next roll-out takes what is suggested. */
  apply: 'never' | 'nextRollout' | 'inPlace';
  classes: ClassRecommendation[];
}

/** What a running control plane says of itself in `DATA/control.json`. */
export interface ControlFile {
  pid: number;
  apiUrl: string;
  gatewayUrl: string;
  /** Milliseconds of wall time. */
  startedAt: number;
  version: string;
}
