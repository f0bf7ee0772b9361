/**
 * HorizontalPodAutoscaler v2 as data. Quantities are integers in thousandths, as in Kubernetes' own calculator;
 * sums are made in BigInt and saturate at 2^63 − 1.
 */

export interface HpaDecisionSpec {
  policy: 'hpa';
  workload: string;
  minReplicas: number;
  maxReplicas: number;
  metrics: HpaMetricSpec[];
  /** Null: the rules without `behavior`, which are others. */
  behavior: HpaBehavior | null;
  controller: HpaControllerSettings;
}

/** Flags of kube-controller-manager. */
export interface HpaControllerSettings {
  syncPeriodMs: number;
  tolerance: number;
  cpuInitializationPeriodMs: number;
  initialReadinessDelayMs: number;
  downscaleStabilizationMs: number;
}

export const defaultHpaController: HpaControllerSettings = {
  syncPeriodMs: 15_000,
  tolerance: 0.1,
  cpuInitializationPeriodMs: 300_000,
  initialReadinessDelayMs: 30_000,
  downscaleStabilizationMs: 300_000,
};

export type HpaTarget =
  | { type: 'Utilization'; averageUtilization: number }
  | { type: 'AverageValue'; averageValueMilli: number }
  | { type: 'Value'; valueMilli: number };

export type HpaMetricSpec =
  | { type: 'Resource'; name: string; target: HpaTarget }
  | { type: 'ContainerResource'; name: string; container: string; target: HpaTarget }
  | { type: 'Pods'; name: string; target: HpaTarget }
  | { type: 'Object'; name: string; target: HpaTarget }
  | { type: 'External'; name: string; target: HpaTarget };

export interface HpaPolicy {
  type: 'Pods' | 'Percent';
  value: number;
  periodMs: number;
}

export interface HpaRules {
  stabilizationMs: number;
  selectPolicy: 'Max' | 'Min' | 'Disabled';
  policies: HpaPolicy[];
  /** Null: the controller's. */
  tolerance: number | null;
}

export interface HpaBehavior {
  scaleUp: HpaRules;
  scaleDown: HpaRules;
}

/** What the HPA reads of a pod. */
export interface HpaPod {
  name: string;
  phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
  deleting?: boolean;
  startTimeMs?: number | null;
  /** The Ready condition; null or absent: the pod has none. */
  ready?: { status: 'True' | 'False' | 'Unknown'; lastTransitionMs: number } | null;
  /** Requests by resource in thousandths; null for a container without one. */
  containers?: HpaContainer[];
  /** Pod-level requests, where they are set and the feature is on. */
  podRequests?: Record<string, number>;
}

export interface HpaContainer {
  name: string;
  requests: Record<string, number>;
  /** An init container that restarts always counts like a container; other init containers are left out. */
  sidecar?: boolean;
}

/** What a metrics API answered for one metric of the document, in the document's order. */
export type HpaMetricReading =
  | { error: string }
  /** One sample a pod (Resource, ContainerResource, Pods). */
  | { pods: HpaPodSample[] }
  /** One value (Object) or one a series (External). */
  | { valuesMilli: number[] };

export interface HpaPodSample {
  name: string;
  valueMilli: number;
  atMs?: number;
  windowMs?: number;
}

/** Extra part of an observation for the HPA policy. */
export interface HpaObservation {
  /** `scale.spec.replicas`. */
  specReplicas: number;
  /** `scale.status.replicas`. */
  statusReplicas: number;
  pods: HpaPod[];
  metrics: HpaMetricReading[];
  /** Set when the selector is unusable: `InvalidSelector` or `AmbiguousSelector` with its message. */
  selectorProblem?: { reason: 'InvalidSelector' | 'AmbiguousSelector'; message: string } | null;
}
