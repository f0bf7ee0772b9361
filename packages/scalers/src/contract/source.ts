import type { CloudAccess } from '../auth/cloud/cloudAccess.ts';
import type { Connections } from '../runtime/connections.ts';

/** What a source answered. */
export interface SourceReading {
  /** Never negative; NaN and infinities are for the source to turn into an error or a 0, by the scaler's own rules. */
  value: number;
  /** Strictly above the activation value, by the scaler's own rules. */
  active: boolean;
  /** Only where the source itself says what is aimed at (external scalers). */
  target?: number;
  /** When it is known to change by itself (calendars), on the clock of `nowMs`. */
  nextChangeMs?: number;
  /** Something worth telling about the value, such as `no series: read as 0`. */
  message?: string;
}

/** How often a value is wanted at present, where nothing is pushed. Read it anew for each round. */
export interface Pace {
  readonly intervalMs: number;
}

/** One trigger's source. */
export interface TriggerSource {
  /**
   * Asks the source once. Rejects with `SourceError`. Never consumes, acknowledges or changes anything there. The signal
   * aborts when the time is up: give up and free what the call holds.
   */
  read(signal: AbortSignal): Promise<SourceReading>;
  /**
   * Where the source can tell, or where many triggers of one connection can be asked at once: calls back with the new
   * reading, or with none when `read` would find news. Also covers the time in which a push is not possible (no rights, broken
   * connection) by rounds of its own at `pace`, so that nothing is missed. Errors come as a `SourceError`. Left out: the
   * trigger is read at its pace.
   */
  watch?(news: (reading: SourceReading | Error | null) => void, pace: Pace): () => void;
  /** Longest time for one `read`, where the trigger says one. Left out: the context's. */
  timeoutMs?: number;
  /** Gives connections back. */
  close(): Promise<void>;
}

/** A metric of a cluster's metrics API. */
export interface ClusterMetricQuestion {
  readonly namespace: string;
  readonly metric: string;
  /** Labels of its series; empty: all. */
  readonly metricSelector: string;
  /** `pods`, or one object as `deployments.apps/web`; null: an external metric. */
  readonly object: string | null;
  /** Labels of the pods. */
  readonly podSelector: string;
}

/** What Ebb itself knows, for triggers that look inside. */
export interface InsideView {
  /** Replicas (ready and starting) of the workloads whose labels fit the selector, in the trigger's namespace. */
  replicas(labelSelector: string): number;
  /** Mean requests in flight or held now, and arrivals a second over the window, of one workload. */
  requests(workload: string, windowMs: number): { concurrency: number; requestRate: number } | null;
  /** Calls back when a request is held or counts changed. */
  watch(workload: string, listener: () => void): () => void;
  /** Sum of a metric of the cluster that this runs in; left out: it runs in none. */
  clusterMetric?(question: ClusterMetricQuestion, signal: AbortSignal): Promise<number>;
}

/** What a definition may use. */
export interface ScalerContext {
  /** Connections that triggers of the same place and account share. */
  connections: Connections;
  /** Longest time for one read; scalers with a `timeout` setting take that. */
  timeoutMs: number;
  /** Milliseconds of a clock that never steps back. */
  nowMs(): number;
  /** Wall time, for calendars. */
  wallNowMs(): number;
  inside: InsideView;
  /** What signing in to a cloud with an identity needs. */
  cloud: CloudAccess;
  /** Namespace and name of the document, and position of the trigger in it. */
  object: { namespace: string; name: string; kind: 'ScaledObject' | 'ScaledJob' | 'Workload' };
  triggerIndex: number;
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string, data?: Record<string, unknown>): void;
}
