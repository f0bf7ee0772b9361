/** What the engine says about objects: the shapes behind `status`, the API, the CLI's live view and the page. */

export type ReplicaPhase = 'pending' | 'starting' | 'ready' | 'draining' | 'stopping' | 'backoff' | 'failed' | 'gone';

/**
 * Where the time of a 0 → 1 went, in microseconds. A stage is null until it has passed.
 * `arrivalToAsk` + `askToSpawn` + `readyToRoute` is Ebb's own share; the rest is the worker's.
 */
export interface ColdStart {
  /** First held request → the driver was asked. Null where no request was waiting. */
  arrivalToAskUs: number | null;
  /** Replica wanted → its node is ready. Left out where it needs no node of its own, null until then. */
  askToNodeUs?: number | null;
  /** Driver asked → the process exists ("spawn"). */
  askToSpawnUs: number | null;
  /** Process exists → it accepts connections ("load", first part). */
  spawnToListenUs: number | null;
  /** Accepts connections → its readiness probe says yes ("load", second part: weights). */
  listenToReadyUs: number | null;
  /** Readiness seen → the gateway routes to it ("ready"). */
  readyToRouteUs: number | null;
}

/** The mean of the last starts of one class, the newest counting most, stage by stage; null: never measured. */
export interface LearnedColdStart extends Omit<ColdStart, 'arrivalToAskUs'> {
  /** How many starts it was learned from. */
  starts: number;
  /** Sum of the stages: from asking for a replica until requests reach it. */
  totalUs: number;
}

export interface ReplicaStatus {
  id: string;
  class: string;
  revision: string;
  node: string;
  phase: ReplicaPhase;
  /** Milliseconds of wall time. */
  createdAt: number;
  readyAt: number | null;
  inFlight: number;
  pid: number | null;
  port: number | null;
  restarts: number;
  /** Why it is in this phase, for a person. */
  message: string;
  coldStart: ColdStart;
}

export interface ReplicaCounts {
  wanted: number;
  starting: number;
  ready: number;
  draining: number;
  failed: number;
}

export interface ReasonStatus {
  code: string;
  stage: string;
  sentence: string;
  data: Record<string, string | number | boolean | null>;
}

export interface DecisionStatus {
  sequence: number;
  at: number;
  replicas: number;
  classes: Record<string, number>;
  /** The one sentence that matters most. */
  summary: string;
  reasons: ReasonStatus[];
}

export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message: string;
  lastTransitionTime: string;
}

/** Money in micro-units; sums as decimal strings because they are BigInt inside. */
export interface CostStatus {
  currency: string;
  ratePerHourMicro: number;
  soFarMicro: string;
  replicaSeconds: number;
  /** What the largest number of replicas seen would have cost, kept all the time. */
  alwaysOnMicro: string;
  alwaysOnReplicaSeconds: number;
  /** Says what the price rests on. */
  assumption: string;
}

export interface RequestCounts {
  total: number;
  succeeded: number;
  /** Begun on a replica and broken there, or answered 5xx by the gateway after it was accepted. */
  failed: number;
  /** Turned away with a reason. */
  refused: number;
  /** Client went away. */
  cancelled: number;
  /** Waited for a slot or a replica at all. */
  held: number;
}

/** How many of the requests began too late. Those that wait still are in none of it. */
export interface OnTimeStatus {
  /** What counts as on time: a replica takes the request within this. */
  withinMs: number;
  /** Since the workload was applied. */
  requests: number;
  late: number;
  /** As far as this control plane has run, to five minutes. */
  lastHour: { requests: number; late: number };
}

/** Which class would serve the whole measured load cheapest. A hint: nothing is decided by it. */
export interface ClassHintStatus {
  /** Null: there is no hint, and `because` says why. */
  class: string | null;
  because: string;
  /**
   * Of the whole load on that class, at the promise; what it does not accept is on the cheapest class that accepts every
   * request. Classes that are not compared are left out.
   */
  costPerHourMicro: Record<string, number>;
  /** Share of the requests that would be late then. */
  lateShare: Record<string, number>;
  /** Share of the last requests that were late, with the classes as they are used now. */
  measuredLateShare: number;
  /** Mean requests an hour at which the next best class costs the same; null: at none near the present load. */
  breakEvenRatePerHour: number | null;
  /** 0 to 1, by the hours that were seen, the services of each class and the lead. */
  confidence: number;
}

export interface WorkloadStatus {
  cluster: string;
  namespace: string;
  name: string;
  generation: number;
  observedGeneration: number;
  replicas: ReplicaCounts;
  classes: Record<string, ReplicaCounts>;
  inFlight: number;
  held: number;
  /** Deferrable requests: no demand, so in none of the other numbers. Absent until there was one. */
  deferred?: { waiting: number; inFlight: number };
  /** Age of the oldest held request, or null. */
  oldestHeldMs: number | null;
  requests: RequestCounts;
  minReplicas: number;
  maxReplicas: number;
  decision: DecisionStatus | null;
  /** When the next decision is due by the clock, wall milliseconds. */
  revisitAt: number | null;
  /** `learned` is what the next start of a class is expected to take; absent in what an older control plane says. */
  coldStarts: { count: number; last: ColdStart | null; learned?: Record<string, LearnedColdStart> };
  /** Absent in what an older control plane says. */
  onTime?: OnTimeStatus;
  /** Only of a workload with several classes that the policy `priced` decides. */
  classHint?: ClassHintStatus;
  /** By class: what new replicas ask for in place of what the document says. Absent: of no class. */
  sized?: Record<string, SizedClassStatus>;
  cost: CostStatus;
  replicaList: ReplicaStatus[];
  conditions: Condition[];
  /** Ready to paste into curl: `http://127.0.0.1:8080/upscale`. */
  url: string | null;
  /** What scales it in place of its own document; null: nothing does. */
  scaledBy: ScaledByStatus | null;
}

/** Amounts that a class's latest roll-out took from what is recommended; a limit that is left out is none. */
export interface SizedClassStatus {
  revision: string;
  atMs: number;
  requests: { cpuMilli: number; memoryBytes: number };
  limits: { cpuMilli?: number; memoryBytes?: number };
  /** What the document says. */
  documentRequests: { cpuMilli: number; memoryBytes: number };
  documentLimits: { cpuMilli?: number; memoryBytes?: number };
}

/** One Job of a ScaledJob. */
export interface JobStatus {
  id: string;
  phase: 'waiting' | 'running' | 'succeeded' | 'failed';
  /** Runs so far, and how many of them failed. */
  attempts: number;
  failures: number;
  /** Wall milliseconds. */
  createdAt: number;
  startedAt: number | null;
  endedAt: number | null;
  /** Of its last run that ended; null: none has, or a signal ended it. */
  exitCode: number | null;
  /** Why it is in this phase, for a person. */
  message: string;
}

export interface ScaledJobStatus {
  cluster: string;
  namespace: string;
  name: string;
  generation: number;
  paused: boolean;
  /** `exact`: at KEDA's polls. `reactive`: with Ebb's improvements. */
  mode: 'exact' | 'reactive';
  minReplicas: number;
  /** Most Jobs at once. */
  maxReplicas: number;
  /** Jobs that wait for a first run or for the end of a back-off, run, and have ended (as far as they are kept). */
  jobs: { waiting: number; running: number; succeeded: number; failed: number };
  /** The sentence of the last decision; empty before the first. */
  summary: string;
  triggers: TriggerStatus[];
  /** Unfinished ones first, then the newest that have ended; at most a hundred. */
  jobList: JobStatus[];
  conditions: Condition[];
}

export interface TriggerStatus {
  name: string;
  type: string;
  /** `unread`: not yet, or never (cpu and memory are read from the replicas). `missing`: the type is not available. */
  state: 'ok' | 'stale' | 'missing' | 'error' | 'unread';
  value: number | null;
  target: number | null;
  /** Whether it keeps the workload from zero. */
  active: boolean | null;
  /** When it was read, wall milliseconds. */
  at: number | null;
  message: string;
}

/** What Ebb says of a ScaledObject, in KEDA's words. */
export interface ScaledObjectStatus {
  /** Name of the workload that it scales; the object may be there before it. */
  target: string;
  mode: 'exact' | 'reactive';
  minReplicas: number;
  maxReplicas: number;
  /** Replicas that are wanted now; null: there is no such workload. */
  replicas: number | null;
  /** Name that KEDA would give its HPA. */
  hpaName: string;
  triggers: TriggerStatus[];
  /** When a trigger was last active, as an RFC 3339 time; null: never, as far as is known. */
  lastActiveAt: string | null;
  /** Ready, Active, Fallback, Paused. */
  conditions: Condition[];
}

export interface ScaledByStatus {
  kind: 'ScaledObject' | 'HTTPScaledObject';
  name: string;
  /** `exact`: at the polls and syncs of KEDA and its HPA. `reactive`: with Ebb's improvements. */
  mode: 'exact' | 'reactive';
  triggers: TriggerStatus[];
}

/** One sample of the live curves, for the page and the terminal. */
export interface SystemStatus {
  version: string;
  at: number;
  startedAt: number;
  scaledJobs?: ScaledJobStatus[];
  gateway: { connected: boolean; url: string; pid: number | null };
  agent: { connected: boolean; pid: number | null };
  workloads: WorkloadStatus[];
  dataDirectory: string;
  /** Of the machine that replicas run on; null while the agent has not said. Absent in what an older control plane says. */
  gpus?: GpusStatus | null;
}

/** GPUs of a machine. */
export interface GpusStatus {
  /** `broken`: a driver is there, and no GPU can be given out. */
  state: 'none' | 'ok' | 'broken';
  /** For a person: which there are, or what is wrong. */
  message: string;
  driverVersion: string | null;
  /** `none`, `fraction`, `time-slicing by 4`, `mps by 4`; of those that are not cut by MIG. */
  sharing: string;
  /** An MPS daemon runs. */
  mps: boolean;
  /** Thousandths of a GPU, all together. */
  gpuMilli: number;
  /** As NVIDIA's GPU feature discovery names them. */
  labels: Record<string, string>;
}

/** An object as the API gives it, after Kubernetes: what was written, who wrote it when, and what the engine says. */
export interface ApiObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace: string;
    cluster: string;
    labels: Record<string, string>;
    annotations: Record<string, string>;
    resourceVersion: string;
    generation: number;
    creationTimestamp: string;
  };
  /** What was written beside metadata; of kinds without a `spec` (Secret, ConfigMap), all of it. Secret values are `***`. */
  spec: unknown;
  /** Of a workload, a ScaledObject or a ScaledJob, once the engine has seen it. */
  status?: WorkloadStatus | ScaledObjectStatus | ScaledJobStatus;
}

/** What `/api/v1/watch` streams: each with a sequence that a client can resume from. */
export type WatchEvent =
  | { sequence: number; type: 'status'; at: number; status: WorkloadStatus }
  | { sequence: number; type: 'jobs'; at: number; status: ScaledJobStatus }
  | { sequence: number; type: 'decision'; at: number; workload: string; decision: DecisionStatus }
  | {
      sequence: number;
      type: 'document';
      at: number;
      action: 'applied' | 'deleted';
      kind: string;
      key: string;
      resourceVersion: number;
    }
  | { sequence: number; type: 'deleted'; at: number; workload: string };

export type NodeStatusPhase = 'asked' | 'starting' | 'ready' | 'draining' | 'ending';

/** One machine of a cluster whose machines are rented. */
export interface NodeStatus {
  id: string;
  /** The provider's own name; null before there is one. */
  providerId: string | null;
  cluster: string;
  pool: string;
  cloud: string;
  region: string;
  zone: string;
  instanceType: string;
  capacityType: 'on-demand' | 'spot' | 'reserved';
  phase: NodeStatusPhase;
  pricePerHourMicro: number;
  currency: string;
  /** Wall milliseconds. */
  askedAt: number;
  readyAt: number | null;
  /** What can be asked for on it, and what of that is set aside. */
  allocatable: { cpuMilli: number; memoryBytes: number; gpuMilli: number };
  setAside: { cpuMilli: number; memoryBytes: number; gpuMilli: number };
  /** Ids of the replicas that are or will be on it. */
  replicas: string[];
  /** Why it is in this phase or goes, for a person; empty: there is nothing to say. */
  message: string;
}

/** A cluster whose machines are rented: what there is, why, and how far from the cheapest. */
export interface FleetStatus {
  cluster: string;
  provider: string;
  /** Null: its provider answers. */
  problem: string | null;
  nodes: NodeStatus[];
  /** Replicas that have no place yet. */
  waiting: number;
  pricePerHourMicro: number;
  /** Least that these replicas could cost an hour; null: not known yet. */
  lowerBoundMicro: number | null;
  currency: string;
  /** Of the last decision, most important first. */
  reasons: { code: string; sentence: string }[];
  /** What of the documents is not heeded, and what was assumed. */
  notes: string[];
}
