import type { KedaDecisionSpec } from './types.ts';

/**
 * One step of KEDA's operator between 0 and 1, or idle and minimum (pkg/scaling/executor/scale_scaledobjects.go). The
 * HPA does everything else.
 */
export interface OperatorInput {
  nowMs: number;
  current: number;
  isActive: boolean;
  isError: boolean;
  /** Null: never active. */
  lastActiveMs: number | null;
  createdAtMs: number;
}

export type OperatorStep =
  /** `code` is the reason code of the step. */
  { write: number; code: string; cooldownEndsMs: null } | { write: null; code: string; cooldownEndsMs: number | null };

const nothing = (code: string, cooldownEndsMs: number | null = null): OperatorStep => ({
  write: null,
  code,
  cooldownEndsMs,
});

/** What the operator writes to the target's scale, or nothing, and why. */
export function operatorStep(spec: KedaDecisionSpec, input: OperatorInput): OperatorStep {
  const { pause, idleReplicas, minReplicas, fallback } = spec;
  const { current, isError } = input;
  if (pause.replicas !== null) {
    const code = 'keda-paused-at';
    return pause.replicas === current ? nothing(code) : { write: pause.replicas, code, cooldownEndsMs: null };
  }
  if (pause.paused) return nothing('keda-paused');
  const isActive = input.isActive || spec.forceActivation;
  if (isActive) {
    const asleep = current === 0 || (idleReplicas !== null && current < minReplicas);
    if (!asleep) return nothing('keda-active');
    if (pause.scaleOut) return nothing('keda-scale-out-paused');
    return { write: Math.max(1, minReplicas), code: 'keda-activates', cooldownEndsMs: null };
  }
  if (isError && fallback !== null && fallback.replicas > 0) return nothing('keda-error-with-fallback');
  if (isError && fallback === null) return nothing('keda-error');
  const aboveIdle = idleReplicas !== null && current > idleReplicas;
  if (aboveIdle || (minReplicas === 0 && current > 0)) return toIdle(spec, input);
  if (idleReplicas === null && current < minReplicas) {
    if (pause.scaleOut) return nothing('keda-scale-out-paused');
    return { write: minReplicas, code: 'keda-to-minimum', cooldownEndsMs: null };
  }
  return nothing('keda-inactive');
}

function toIdle(spec: KedaDecisionSpec, input: OperatorInput): OperatorStep {
  if (spec.pause.scaleIn) return nothing('keda-scale-in-paused');
  const cooldownEndsMs =
    input.lastActiveMs === null ? input.createdAtMs + spec.initialCooldownMs : input.lastActiveMs + spec.cooldownMs;
  // Strictly later, as `Before(now)`.
  if (cooldownEndsMs >= input.nowMs) return nothing('keda-cools-down', cooldownEndsMs);
  return { write: spec.idleReplicas ?? spec.minReplicas, code: 'keda-deactivates', cooldownEndsMs: null };
}
