import type { ObjectKey } from '../objectKey.ts';
import type { PlacementSpec } from './placement.ts';
import type { PolicySpec } from './resolvedPolicy.ts';
import type { SizingApplySpec } from './sizing.ts';

/**
 * A Workload document with every default filled in and every quantity turned into the core's units:
 * integer milliseconds, bytes, thousandths of a CPU or GPU, and micro-units of a currency per hour.
 * `resolveWorkload` makes it; everything behind the documents package reads only this.
 */
export interface WorkloadSpec {
  key: ObjectKey;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** In document order, at least one. */
  classes: WorkloadClass[];
  probes: { startup: StartupProbe; readiness: Probe; liveness: Probe | null };
  serving: ServingSpec;
  scaling: ScalingSpec;
  update: UpdateSpec;
  /** Absent: requests are what the document says. */
  sizing?: SizingApplySpec;
  /** Higher wins when capacity is short. */
  priority: number;
  /** Workloads that must have a ready replica before this one starts. */
  dependsOn: ObjectKey[];
  interruption: 'never' | 'allowed';
  /** Absent: anywhere in its cluster. */
  placement?: PlacementSpec;
}

/** How to run one kind of replica of the workload, and what it costs. */
export interface WorkloadClass {
  name: string;
  /** Executed directly, never through a shell. */
  command: string[];
  /** Exactly these reach the process, besides PORT, EBB_REPLICA, EBB_WORKLOAD and PATH. */
  env: Record<string, string>;
  /** Names of variables of the agent's own environment that are passed on. */
  envFromHost: string[];
  /** Absolute. */
  workingDirectory: string;
  port: 'auto' | number;
  resources: { requests: Resources; limits: Partial<Resources> };
  /** Requests one replica works on at once; 0 means no limit. */
  concurrency: number;
  /** Which requests this class can serve; null: all of them. */
  accepts: ClassAcceptance | null;
  pricePerHourMicro: number;
  /** ISO 4217, such as USD. */
  currency: string;
  /** Time between SIGTERM and SIGKILL. */
  terminationGraceMs: number;
}

export interface Resources {
  cpuMilli: number;
  memoryBytes: number;
  /** Thousandths of one GPU below 1000, whole GPUs above. Of MIG instances it is their part of the compute slices. */
  gpuMilli: number;
  /** Memory that each GPU must have, or of one GPU where it is shared. */
  gpuMemoryBytes?: number;
  /** Instances of a MIG profile in place of GPUs. */
  gpuMig?: { profile: string; count: number };
}

export interface ClassAcceptance {
  maxBodyBytes: number | null;
  /** Compared with `max_tokens` or `max_completion_tokens` of an OpenAI-style body. */
  maxTokens: number | null;
  models: string[];
  headers: Record<string, string>;
}

export type ProbeAction =
  | { type: 'http'; path: string; headers: Record<string, string> }
  | { type: 'tcp' }
  | { type: 'exec'; command: string[] };

export interface Probe {
  action: ProbeAction;
  periodMs: number;
  timeoutMs: number;
  /** Consecutive results needed to change state. */
  successThreshold: number;
  failureThreshold: number;
}

export interface StartupProbe {
  action: ProbeAction;
  timeoutMs: number;
  /** A replica that is not ready after this long is ended. */
  budgetMs: number;
}

export interface ServingSpec {
  /** Any match routes here. Empty: the default route `/{namespace}/{name}`-free header `x-ebb-workload` only. */
  routes: RouteSpec[];
  timeouts: {
    /** From arrival until the request is given to a replica. */
    holdMs: number;
    /** From the hand-over to a replica until the head of its answer. */
    responseMs: number;
    /** The whole exchange; 0: no limit. */
    requestMs: number;
    /** Silence in either direction; 0: no limit. */
    idleMs: number;
  };
  buffer: { maxRequests: number; maxBodyBytes: number; maxTotalBytes: number };
  balancing: 'leastConnections' | 'roundRobin' | 'random';
  affinity: { header: string } | { cookie: string } | null;
  /** Requests that may wait for slack; null: there are none. `reserve` is a share of a class's slots. */
  deferrable: { maxDelayMs: number; reserve: number; maxRequests: number } | null;
  /** How long a draining replica may keep its requests. */
  drainMs: number;
}

export interface RouteSpec {
  host: string | null;
  pathPrefix: string | null;
  headers: Record<string, string>;
  /** `model` of an OpenAI-style JSON body. */
  model: string | null;
}

export interface ScalingSpec {
  minReplicas: number;
  maxReplicas: number;
  /** Replicas asked for when the workload is first applied. */
  initialReplicas: number;
  windows: WindowsSpec;
  triggers: TriggerSpec[];
  /** How long an idle workload keeps its last replica. */
  keepAliveMs: number;
  /** Only with the policy `priced`: the document itself names that time. Absent: it is the default. */
  keepAliveGiven?: boolean;
  behavior: { scaleUp: BehaviorRules; scaleDown: BehaviorRules };
  schedules: ScheduleSpec[];
  events: EventSpec[];
  /** `null`: not paused. `replicas: null`: hold what runs. */
  paused: { replicas: number | null } | null;
  /** The rules that decide; absent: `windows`. */
  policy?: PolicySpec;
}

/** Averaging windows of concurrency and request rate, in the manner of Knative's KPA. */
export interface WindowsSpec {
  stableMs: number;
  panicMs: number;
  /** Panic begins when the panic window asks for this many times the ready replicas. */
  panicThreshold: number;
  maxScaleUpRate: number;
  maxScaleDownRate: number;
  /** Share of a replica's concurrency that is planned for, (0, 1]. */
  targetUtilization: number;
}

export type TriggerSpec =
  | { name: string; type: 'concurrency'; target: number }
  | { name: string; type: 'requestRate'; target: number };

export interface BehaviorRules {
  stabilizationMs: number;
  selectPolicy: 'Max' | 'Min' | 'Disabled';
  /** Empty: no rate limit. */
  policies: { type: 'Pods' | 'Percent'; value: number; periodMs: number }[];
}

/** While the schedule is on, `minReplicas` is at least this. */
export interface ScheduleSpec {
  name: string;
  timezone: string;
  /** Cron expressions. */
  start: string;
  end: string;
  minReplicas: number;
}

/** A dated event: in its time demand counts for more, and `minReplicas` is at least this. */
export interface EventSpec {
  name: string;
  timezone: string;
  /** Local times of the zone, such as `2026-12-24T18:00:00`. */
  from: string;
  to: string;
  /** It takes effect this long before it begins. */
  leadMs: number;
  factor: number;
  minReplicas: number;
}

export interface UpdateSpec {
  type: 'Rolling' | 'Recreate';
  maxSurge: number;
  maxUnavailable: number;
}
