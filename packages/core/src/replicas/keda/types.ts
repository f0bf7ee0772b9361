import type { HpaBehavior, HpaControllerSettings, HpaMetricReading, HpaMetricSpec, HpaPod } from '../hpa/types.ts';

/** A ScaledObject as data. Quantities are plain numbers; KEDA rounds them to thousandths where it hands them to the HPA. */
export interface KedaDecisionSpec {
  policy: 'keda';
  workload: string;
  /** Class that the replicas are of. Left out: `default`. */
  class?: string;
  minReplicas: number;
  maxReplicas: number;
  /** Null: no idle mode. */
  idleReplicas: number | null;
  cooldownMs: number;
  initialCooldownMs: number;
  pollingIntervalMs: number;
  triggers: KedaTrigger[];
  fallback: KedaFallback | null;
  modifiers: KedaModifiers | null;
  pause: KedaPause;
  forceActivation: boolean;
  behavior: HpaBehavior | null;
  controller: HpaControllerSettings;
  /** Ebb's own rules where KEDA's let users down (docs/from-keda.md); opt-in by one annotation. */
  improvements: KedaImprovements | null;
}

export interface KedaTrigger {
  /** Unique within the object; the document's name or one made from type and index. */
  name: string;
  type: string;
  metricType: 'AverageValue' | 'Value' | 'Utilization';
  target: number;
  activationTarget: number;
  /** cpu and memory become resource metrics of the HPA; KEDA itself never sees their values. */
  resource: HpaMetricSpec | null;
}

export type FallbackBehavior =
  | 'static'
  | 'currentReplicas'
  | 'currentReplicasIfHigher'
  | 'currentReplicasIfLower'
  | 'scalingModifiers';

export interface KedaFallback {
  failureThreshold: number;
  replicas: number;
  behavior: FallbackBehavior;
}

export interface KedaModifiers {
  formula: string;
  target: number;
  activationTarget: number;
  metricType: 'AverageValue' | 'Value';
}

/** What the pause annotations say. */
export interface KedaPause {
  paused: boolean;
  /** `paused-replicas`: scale there and stop. */
  replicas: number | null;
  scaleIn: boolean;
  scaleOut: boolean;
}

export interface KedaImprovements {
  /** A source's last value is used for this long after it was lost; 0: not at all. */
  lastValueMaxAgeMs: number;
  /** Go down by HPA's policies before zero, in place of one jump. */
  stepwiseToZero: boolean;
  /**
   * Act on every reading in place of KEDA's poll: from zero to the count that the readings ask for in one decision, then
   * the HPA's arithmetic each second.
   */
  reactive?: boolean;
}

/** What one trigger's source answered. Several values of one trigger are added up by the scaler before. */
export type KedaReading = { value: number; active?: boolean } | { error: string };

/** Extra part of an observation for KEDA's policies. */
export interface KedaObservation {
  /** `spec.replicas` of the target. */
  specReplicas: number;
  statusReplicas: number;
  /** Ready replicas of the target: the base of Value fallback and Value targets. */
  readyReplicas: number;
  createdAtMs: number;
  /** When somebody else last saw it active (`status.lastActiveTime`), for a policy that remembers nothing of it. Left out: nobody did. */
  lastActiveAtMs?: number;
  /** By trigger name; absent: not read this time. */
  readings: Record<string, KedaReading>;
  /** Triggers whose reading is not the one of the last observation: only these count as failures. Left out: all. */
  fresh?: string[];
  /** For cpu and memory triggers only. */
  pods?: HpaPod[];
  resourceMetrics?: Record<string, HpaMetricReading>;
}
