import type { WorkloadSpec } from '@ebb/documents';
import type { Reason } from '../explain/reasons.ts';
import type { AibrixDecisionSpec } from './algorithms/aibrixApa.ts';
import type { ClarifaiDecisionSpec } from './algorithms/clarifai.ts';
import type { KpaDecisionSpec, KpaObservation } from './algorithms/kpaSettings.ts';
import type { KubeAiDecisionSpec } from './algorithms/kubeAi.ts';
import type { RayDecisionSpec } from './algorithms/rayServe.ts';
import type { SkyDecisionSpec } from './algorithms/skyServe.ts';
import type { SloDecisionSpec } from './algorithms/slo.ts';
import type { HpaDecisionSpec, HpaObservation } from './hpa/types.ts';
import type { KedaDecisionSpec, KedaObservation } from './keda/types.ts';
import type { PricedDecisionSpec } from './priced/pricedSpec.ts';

/**
 * The decision core's contract: `decide(spec, memory, observation) → { decision, memory }`.
 * Pure: time is in the observation, memory is plain JSON, nothing else is read.
 */

/** What a decision is made from. Policies of other origins (HPA, KEDA, KPA …) are members of this union. */
export type DecisionSpec =
  | WorkloadDecisionSpec
  | HpaDecisionSpec
  | KedaDecisionSpec
  | KpaDecisionSpec
  | RayDecisionSpec
  | SkyDecisionSpec
  | KubeAiDecisionSpec
  | AibrixDecisionSpec
  | ClarifaiDecisionSpec
  | SloDecisionSpec
  | PricedDecisionSpec;

/** The decision-relevant part of a Workload document; `decisionSpecOf` makes it. */
export interface WorkloadDecisionSpec {
  policy: 'windows';
  workload: string;
  /** Cheapest first. */
  classes: { name: string; concurrency: number; pricePerHourMicro: number }[];
  scaling: WorkloadSpec['scaling'];
}

export type ReadingState = 'ok' | 'stale' | 'missing' | 'error';

/** One value of one trigger. NaN, infinities and negatives never get further than `sanitizeReading`. */
export interface Reading {
  /** Name of the trigger in the document, or `schedule:NAME`. */
  trigger: string;
  /** Class the reading belongs to; null: the workload as a whole. */
  class: string | null;
  /** Mean over `spanMs` for averaged signals, else the value at `atMs`. Null unless state is ok or stale. */
  value: number | null;
  /** Largest value within the span, where the source knows it. */
  peak: number | null;
  /** Interval that the value averages over, ending at `atMs`; 0 for an instant value. */
  spanMs: number;
  atMs: number;
  state: ReadingState;
  message?: string;
  /** When the value is known to change by itself (schedules, calendars). */
  nextChangeMs?: number;
  /** Whether the source's own rule for leaving zero is met; left out: value > activation value. */
  active?: boolean;
  /** What is aimed at, where only the source knows (external scalers). */
  target?: number;
}

export interface ClassObservation {
  ready: number;
  starting: number;
  draining: number;
  /** Ended for good or in back-off. */
  failed: number;
  /** Requests on replicas now. */
  inFlight: number;
  /** Requests the gateway holds for this class now. */
  held: number;
}

/** What the gateways counted of one class since the last observation that had it. Milliseconds are whole ones. */
export interface FlowObservation {
  /** The counts below are over this long, ending at the newest counts of the gateways; 0: nothing new. */
  spanMs: number;
  /** Requests that arrived for this class within it. */
  arrivals: number;
  /** Answered well within it. */
  answered: number;
  /** Sum over those: end of the answer − moment it was given to a replica. */
  serviceMs: number;
  /** Sum over those of the time before it was given to a replica. */
  waitMs: number;
  /**
   * Requests whose wait ended within it and was longer than what is on time: each once, whether a replica took it, it was
   * refused or its client left. Also those that no replica took until their hold time or deadline was over.
   */
  late: number;
  /** Largest inFlight + held within it. */
  peak: number;
  /** Now: sum over the requests in flight of the time that each had waited before a replica took it. */
  inFlightWaitMs: number;
  /** Now; 0 where nothing is held. */
  oldestHeldMs: number;
  /** Learned time from asking for a replica of this class to its being routed to; null: none was seen yet. */
  coldStartMs: number | null;
}

/** Why the core is asked now; shown by explain, never changes the arithmetic. */
export type Cause = 'document' | 'request-held' | 'reading' | 'replica' | 'revisit' | 'schedule' | 'restart' | 'grant';

export interface Observation {
  /** Integer milliseconds on a clock that never steps back. */
  nowMs: number;
  causes: Cause[];
  readings: Reading[];
  classes: Record<string, ClassObservation>;
  /** Last moment at which anything was held or in flight; null: never since it was applied. */
  lastActiveAtMs: number | null;
  /** False while the source of counts (gateway) is silent: its counts are missing, not zero. */
  countsKnown: boolean;
  /** What a HorizontalPodAutoscaler reads; only for the policy `hpa`. */
  hpa?: HpaObservation;
  /** What KEDA reads for a ScaledObject; only for the policy `keda`. */
  keda?: KedaObservation;
  /** What only Knative's autoscaler reads; only for the policy `kpa`, and optional there. */
  kpa?: KpaObservation;
  /** By class; only for the policy `priced`, and left out while a gateway is silent. */
  flow?: Record<string, FlowObservation>;
}

export interface Decision {
  /** Replicas wanted per class; integers within the bounds. */
  classes: Record<string, number>;
  /** Their sum. */
  replicas: number;
  /** The chain in the order of design §4: readings, recommendation, combine, gate, behaviour, bounds. */
  reasons: Reason[];
  /** When the core wants to be asked again though nothing happens; null: never. */
  revisitAtMs: number | null;
}

/** Plain JSON, versioned, at most 16 KB. Its inside belongs to the policy that wrote it. */
export type Memory = { readonly version: number; readonly policy: string } & Record<string, Json>;

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface DecideResult {
  decision: Decision;
  memory: Memory;
}

export type Decide<Spec extends DecisionSpec = DecisionSpec> = (
  spec: Spec,
  memory: Memory | null,
  observation: Observation,
) => DecideResult;
