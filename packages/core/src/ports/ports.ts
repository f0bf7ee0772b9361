import type {
  KedaTriggerSpec,
  ObjectKey,
  Probe,
  Resources,
  ServingSpec,
  StartupProbe,
  Condition,
} from '@ebb/documents';
import type { DispatchClass, DispatchCounts } from '../dispatch/types.ts';
import type { CapacityType } from '../nodes/types.ts';
import type { HpaPod } from '../replicas/hpa/types.ts';
import type { Reading } from '../replicas/types.ts';

/**
 * Everything the engine touches that is not pure. Types only. Each port has a real implementation and one on
 * virtual time (`@ebb/testing`), and one conformance suite runs against both.
 */

export interface Clock {
  /** Integer milliseconds that never step back, also not over restarts; close to wall time. */
  nowMs(): number;
  /** Integer microseconds of the machine's monotonic clock: the same line in every process of one machine. */
  nowUs(): number;
  /** Calls back once at or after `atMs`; returns the way to call it off. */
  at(atMs: number, callback: () => void): () => void;
}

export interface Random {
  /** [0, 1) */
  next(): number;
}

/** What the engine asks a driver to run. The id is chosen by the engine: asking twice gives one replica. */
export interface ReplicaStart {
  id: string;
  workload: ObjectKey;
  class: string;
  /** Hash of the template; a replica with another revision is replaced. */
  revision: string;
  node: string;
  command: string[];
  env: Record<string, string>;
  envFromHost: string[];
  workingDirectory: string;
  port: 'auto' | number;
  resources: { requests: Resources; limits: Partial<Resources> };
  probes: { startup: StartupProbe; readiness: Probe; liveness: Probe | null };
  terminationGraceMs: number;
}

export type DriverPhase = 'starting' | 'ready' | 'unready' | 'stopping' | 'backoff' | 'failed' | 'gone';

/** What a driver knows of one replica. `failed` is final until it is stopped; `gone` is the last word. */
export interface ReplicaObservation {
  id: string;
  workload: ObjectKey;
  class: string;
  revision: string;
  node: string;
  phase: DriverPhase;
  /** Where the gateway reaches it. */
  endpoint: { host: string; port: number } | null;
  pid: number | null;
  restarts: number;
  /** For a person: `exit code 1`, `command not found: nodde`, `not ready within 30 s`. */
  message: string;
  /** Stable code of a failure: `command-not-found`, `port-taken`, `startup-budget`, `crashed`, `working-directory`, … */
  failure: string | null;
  /** Ebb's clock (ms) and microsecond stage lengths of the latest start. */
  askedAtMs: number;
  readyAtMs: number | null;
  /** The same moment on the machine's monotonic clock, where the driver has one. */
  readyAtUs?: number | null;
  stagesUs: { askToSpawn: number | null; spawnToListen: number | null; listenToReady: number | null };
}

/** One run of a Job: a process that is to end by itself. Asking twice for one id gives one process. */
export interface RunStart {
  id: string;
  /** The document that the Job belongs to. */
  owner: ObjectKey;
  node: string;
  command: string[];
  env: Record<string, string>;
  envFromHost: string[];
  workingDirectory: string;
  resources: { requests: Resources; limits: Partial<Resources> };
  terminationGraceMs: number;
}

/** A Job whose template is run as it is written: its containers, retries and deadline are the affair of what runs it. */
export interface TemplateStart {
  id: string;
  /** The ScaledJob that the Job is made from. */
  document: StoredDocument;
}

/** Thrown by a driver: what was asked for cannot be run as it is, and asking again is of no use. */
export class RunRefused extends Error {
  override readonly name = 'RunRefused';
}

/** One pod of a run, where runs have pods. */
export interface RunPod {
  phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
  trueConditions: string[];
}

/** `succeeded` and `failed` stay listed, over restarts too, until the run is stopped; `gone` is the last word. */
export type RunPhase = 'starting' | 'running' | 'succeeded' | 'failed' | 'stopping' | 'gone';

export interface RunObservation {
  id: string;
  owner: ObjectKey;
  phase: RunPhase;
  pid: number | null;
  /** Null while it runs, when a signal ended it, or when nobody saw how it ended. */
  exitCode: number | null;
  /** For a person: `exit code 3`, `ended by SIGKILL`, `command not found: nodde`, `ended while nobody watched`. */
  message: string;
  /** Stable code of a failure: `exit`, `signal`, `command-not-found`, `working-directory`, `out-of-memory`, `unknown-end`. */
  failure: string | null;
  startedAtMs: number;
  endedAtMs: number | null;
  /** Of a template: generation of the document that it was made from; left out where that is not known. */
  generation?: number;
  /** Of a template: its pods. */
  pods?: RunPod[];
}

export interface LogLine {
  replica: string;
  atMs: number;
  stream: 'stdout' | 'stderr' | 'ebb';
  text: string;
}

/** What a replica, all its processes together, has used since its latest start. */
export interface ReplicaUsageSample {
  id: string;
  /** When it was measured and when that start was, on Ebb's clock. */
  atMs: number;
  startedAtMs: number;
  /** CPU time since the start. */
  cpuMs: number;
  /** Resident now. */
  memoryBytes: number;
  /** Highest since the start, where the driver knows more than what it has sampled. */
  memoryPeakBytes?: number;
  /** It is ended because it used more memory than its limit. */
  outOfMemory?: true;
}

/** What a metrics API has measured of one pod; amounts are thousandths of a core and of a byte. */
export interface PodSample {
  /** Of the pod. */
  name: string;
  /** End of the window that amounts are a mean over. */
  atMs: number;
  windowMs: number;
  containers: { name: string; usage: Record<string, number> }[];
}

/** The pods of one workload as the HPA's controller would see them now: its replicas where a metrics API measures them. */
export interface PodUsage {
  workload: ObjectKey;
  /** What the target's scale says. */
  replicas: number;
  pods: HpaPod[];
  /** Or why nothing was measured, for a person. */
  samples: PodSample[] | { error: string };
}

export type DriverEvent =
  | { type: 'replica'; replica: ReplicaObservation }
  /** Full list after a (re)connection: what is not in it does not exist. */
  | { type: 'snapshot'; replicas: ReplicaObservation[]; runs?: RunObservation[] }
  | { type: 'run'; run: RunObservation }
  /** From time to time, and where a replica is ended. A driver that cannot measure sends none. */
  | { type: 'usage'; samples: ReplicaUsageSample[] }
  /** Replaces what was told of that workload before. Only where a metrics API measures pods. */
  | { type: 'pod-usage'; usage: PodUsage }
  | { type: 'disconnected'; message: string };

/** Null: not known, or it has none. */
export interface FoundTargets {
  /** What the count of a workload's target says. */
  replicas(workload: ObjectKey): number | null;
  /** When a trigger of it was last active, as those before have left word. */
  lastActiveAtMs(workload: ObjectKey): number | null;
}

/** Runs replicas. At most ten methods. */
export interface Driver {
  /** It tells `pod-usage` of each workload that has cpu or memory triggers. Left out: only `usage` is told. */
  readonly measuresPods?: true;
  /** Where replicas are the pods of something that others had before: how it was found. Left out: there is nothing but what the engine asks for. */
  readonly found?: FoundTargets;
  ensure(start: ReplicaStart): Promise<void>;
  /** Starts a run of a Job. Left out: this driver runs no Jobs. */
  run?(start: RunStart): Promise<void>;
  /**
   * Starts a Job by its whole template, in the place of `run`: one id gives one Job, which is run again where its template says so
   * and stays listed with its result until `stop`. Jobs that others have made for the same document are listed too. Throws
   * `RunRefused`.
   */
  runTemplate?(start: TemplateStart): Promise<void>;
  /** SIGTERM, grace, SIGKILL of the whole group; `gone` follows as an event. An ended run is forgotten. Unknown ids are fine. */
  stop(id: string): Promise<void>;
  /**
   * A plan was carried out: so many replicas of a workload are to be there by now, those that still drain included. Left out: each is
   * started and ended by its id alone, and no number is needed.
   */
  planned?(workload: ObjectKey, replicas: number): void;
  list(): Promise<ReplicaObservation[]>;
  /** Runs that are listed, ended ones too. Left out: this driver runs no Jobs. */
  listRuns?(): Promise<RunObservation[]>;
  watch(listener: (event: DriverEvent) => void): () => void;
  /** `return()` on the iterator ends a follow at once, also while `next()` is waiting. */
  logs(query: {
    workload: ObjectKey;
    replica?: string;
    tailLines: number;
    follow: boolean;
  }): AsyncIterableIterator<LogLine>;
  close(): Promise<void>;
}

export interface GatewayEndpoint {
  replica: string;
  class: string;
  host: string;
  port: number;
  slots: number;
  draining: boolean;
  /** Rises with each drain of the replica; `drained` says which one is over. */
  drain?: number;
}

/** All that a gateway needs to know of one workload. Absolute: it replaces what was there. */
export interface GatewayWorkload {
  key: string;
  classes: DispatchClass[];
  serving: ServingSpec;
  endpoints: GatewayEndpoint[];
  unavailable: { code: string; message: string; retryAfterMs: number } | null;
  /** How long a start takes, where deferrable requests have to be turned in time for one. */
  coldStartMs?: number;
  /** A request is on time when a replica takes it within this. Left out: 5 s. */
  onTimeUs?: number;
}

export type GatewayEvent =
  /** Absolute counts of one gateway; `atUs` and all integrals are on that gateway's own clock. */
  | { type: 'counts'; gateway: string; atUs: number; counts: DispatchCounts[] }
  /** A request was held where no replica can take it; sent at once. `heldAtUs` is machine-wide monotonic time. */
  | { type: 'wake'; gateway: string; workload: string; class: string; held: number; heldAtUs: number }
  /** Nothing is in flight on a draining replica. `drain` as it was configured; gateways of older versions leave it out. */
  | { type: 'drained'; gateway: string; replica: string; drain?: number }
  /** Endpoint was applied: the gateway routes to it from now on. */
  | { type: 'routed'; gateway: string; replica: string; atUs: number }
  /** A connection to the replica was refused or broken. */
  | { type: 'endpoint-failed'; gateway: string; replica: string; message: string }
  | { type: 'connected'; gateway: string; url: string; pid: number }
  | { type: 'disconnected'; gateway: string; message: string }
  /** It is known to have ended and will not come back: nothing is in flight there, and its counts are complete. */
  | { type: 'gone'; gateway: string };

export interface GatewayPort {
  /** Sends what changed; the implementation resends everything after a reconnection. */
  configure(workload: GatewayWorkload): void;
  remove(workload: string): void;
  watch(listener: (event: GatewayEvent) => void): () => void;
  close(): Promise<void>;
}

/** Reads one trigger's source, or those of one document together. */
export interface Scaler {
  read(nowMs: number): Promise<Reading[]>;
  /** Push, where the source can: calls back with what is new, or with nothing when `read` would give something new. */
  watch?(listener: (readings?: Reading[]) => void): () => void;
  close(): Promise<void>;
}

/** Which triggers of which document are to be read, and what `…FromEnv` settings may name. */
export interface TriggerRequest {
  kind: 'ScaledObject' | 'ScaledJob' | 'Workload';
  key: ObjectKey;
  triggers: KedaTriggerSpec[];
  /** A formula makes one value of them: what each aims at by itself does not count. */
  hasFormula?: boolean;
  /** Environment of the target's container as its document has it, and variables that it takes from the host. */
  env: Record<string, string>;
  envFromHost: string[];
}

/**
 * All triggers of one document. `read` gives one reading for each, in the document's order, and never rejects: what
 * cannot be read has the state `error` and says why. `watch` reads event-driven: pushes where the source can, else rounds of
 * its own, quick while nothing is active.
 */
export interface TriggerSet extends Scaler {
  /** By trigger name, as far as the document says them; cpu and memory triggers and those of unknown types have none. */
  readonly targets: Record<string, { target: number; activationTarget: number }>;
  /** Names of triggers of types that are not available here: their readings always have the state `missing`. */
  readonly unsupported: readonly string[];
  watch(listener: (readings?: Reading[]) => void): () => void;
}

/** Opens what documents name as triggers. Nothing connects before the first `read` or `watch`. */
export interface TriggerPort {
  open(request: TriggerRequest): TriggerSet;
}

/** Where a replica has a page of metrics. */
export interface MetricsAddress {
  host: string;
  port: number;
  path: string;
}

/** Fetches the metrics that replicas publish themselves. */
export interface MetricsScraper {
  /**
   * The page's text. Rejects with a sentence for a person when there is none within `timeoutMs`: nobody listens, another
   * status than 200, more than is read.
   */
  scrape(address: MetricsAddress, timeoutMs: number): Promise<string>;
  close(): Promise<void>;
}

export interface StoredDocument {
  apiVersion: string;
  kind: string;
  key: ObjectKey;
  /** As the user wrote it. */
  document: unknown;
  /** File the document came from: relative paths are resolved against its folder. */
  origin: string | null;
  resourceVersion: number;
  /** Rises when the spec changes. */
  generation: number;
  createdAtMs: number;
}

/** Thrown (as `code`) by a store: `conflict` when `expectedVersion` is stale, `stale-epoch` when a newer leader wrote. */
export class StoreError extends Error {
  readonly code: 'conflict' | 'stale-epoch' | 'corrupt' | 'locked';
  constructor(code: 'conflict' | 'stale-epoch' | 'corrupt' | 'locked', message: string) {
    super(message);
    this.code = code;
  }
}

export interface DocumentStore {
  put(
    input: Omit<StoredDocument, 'resourceVersion' | 'generation' | 'createdAtMs'> & {
      expectedVersion?: number;
      atMs: number;
      epoch: number;
    },
  ): Promise<StoredDocument>;
  get(kind: string, key: ObjectKey): Promise<StoredDocument | null>;
  list(kind?: string): Promise<StoredDocument[]>;
  delete(
    kind: string,
    key: ObjectKey,
    options: { expectedVersion?: number; epoch: number },
  ): Promise<StoredDocument | null>;
}

export const journalKinds = ['snapshot', 'reading', 'event', 'decision', 'grant', 'action', 'outcome'] as const;
export type JournalKind = (typeof journalKinds)[number];

export function isJournalKind(value: unknown): value is JournalKind {
  return journalKinds.some((kind) => kind === value);
}

/** One line of the journal. Sequence numbers rise by one without gaps within a store. */
export interface JournalRecord {
  sequence: number;
  segment: number;
  atMs: number;
  kind: JournalKind;
  /** `cluster/namespace/name`, or null for the whole system. */
  workload: string | null;
  body: unknown;
}

export interface JournalStore {
  /** Appends in order; does not wait for the disk (design §3a.11). */
  append(records: JournalRecord[]): Promise<void>;
  read(range: {
    fromSequence?: number;
    workload?: string;
    fromMs?: number;
    toMs?: number;
    kinds?: JournalKind[];
    limit?: number;
    newestFirst?: boolean;
  }): Promise<JournalRecord[]>;
  /** Highest sequence and segment so far; zeros for an empty journal. */
  head(): Promise<{ sequence: number; segment: number }>;
  /** Drops whole segments beyond the age or the size. */
  trim(limits: { olderThanMs: number; maxBytes: number }): Promise<number>;
}

/** A replica's time on a node at a price. Open rows have `toMs` null. */
export interface LedgerRow {
  replica: string;
  workload: string;
  class: string;
  node: string;
  fromMs: number;
  toMs: number | null;
  pricePerHourMicro: number;
  currency: string;
  /** How its machine is rented; left out: on demand. */
  capacityType?: CapacityType;
}

/** A node's time at a price. Replicas on it are paid by it: their own price does not count besides. */
export interface NodeLedgerRow {
  node: string;
  pool: string;
  instanceType: string;
  capacityType: CapacityType;
  fromMs: number;
  /** Null while it runs. */
  toMs: number | null;
  pricePerHourMicro: number;
  currency: string;
  /** What can be asked for on it. */
  allocatable: { cpuMilli: number; memoryBytes: number; gpuMilli: number };
}

export interface LedgerStore {
  write(rows: LedgerRow[]): Promise<void>;
  read(range: { workload?: string; fromMs?: number; toMs?: number }): Promise<LedgerRow[]>;
  /** A node has one row, which a later write replaces. */
  writeNodes(rows: NodeLedgerRow[]): Promise<void>;
  readNodes(range: { fromMs?: number; toMs?: number }): Promise<NodeLedgerRow[]>;
}

/** Small named JSON values: memories of decisions, the clock's floor, statuses. */
export interface StateStore {
  save(name: string, value: unknown, epoch: number): Promise<void>;
  load(name: string): Promise<unknown>;
  /** Names that begin with the prefix. */
  names(prefix: string): Promise<string[]>;
  drop(name: string): Promise<void>;
}

export interface Store {
  documents: DocumentStore;
  journal: JournalStore;
  ledger: LedgerStore;
  state: StateStore;
  /** A new leader's epoch, larger than every earlier one; older epochs are refused from then on. */
  takeEpoch(): Promise<number>;
  close(): Promise<void>;
}

export type { Condition };
