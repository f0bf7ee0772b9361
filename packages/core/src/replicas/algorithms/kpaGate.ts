import type { Reason } from '../../explain/reasons.ts';
import type { KpaSettings } from './kpaSettings.ts';
import { type JsonObject, numberOr } from './storedJson.ts';

/**
 * From the autoscaler's wish to the count that is applied (pkg/reconciler/autoscaling/kpa/{kpa,scaler}.go): bounds,
 * the initial scale, and the gate between one and zero.
 */
export type KpaPhase = 'Activating' | 'Active' | 'Inactive';

export interface KpaGate {
  phase: KpaPhase;
  /** `NoTraffic`, `TimedOut`, `Queued` or nothing. */
  reason: string;
  /** When phase or reason last changed. */
  sinceMs: number;
  /** Whether the initial (or minimum) scale has been reached once. */
  initialized: boolean;
  /** Since when the activator is in the path; null: it is not. */
  proxySinceMs: number | null;
  /** The count that is applied. */
  replicas: number;
}

export interface KpaGateInput {
  nowMs: number;
  /** What the autoscaler wants; -1: it has no data yet. */
  desired: number;
  excessBurstCapacity: number;
  ready: number;
  reachable: boolean;
  activatorAnswers: boolean;
}

/** `activationTimeoutBuffer`: time for the deployment to report its own failure first. */
export const activationBufferMs = 30_000;
export const unknownScale = -1;

export function beginGate(replicas: number, nowMs: number): KpaGate {
  return { phase: 'Activating', reason: '', sinceMs: nowMs, initialized: false, proxySinceMs: null, replicas };
}

/** One reconciliation; gives the gate after it and why. */
export function passKpaGate(settings: KpaSettings, before: KpaGate, input: KpaGateInput, reasons: Reason[]): KpaGate {
  const { nowMs, reachable } = input;
  const min = reachable ? settings.minScale : 0;
  const initial = reachable ? settings.initialScale : 0;
  const gate = { ...before };

  const wanted = scale(settings, gate, input, min, initial, reasons);
  if (wanted.apply) gate.replicas = wanted.replicas;

  const inactiveUnknown = wanted.replicas === unknownScale && gate.phase === 'Inactive';
  const proxied = wanted.replicas === 0 || input.excessBurstCapacity < 0 || inactiveUnknown;
  gate.proxySinceMs = proxied ? (gate.proxySinceMs ?? nowMs) : null;

  markPhase(gate, wanted.replicas, input, gate.initialized ? Math.max(min, 1) : Math.max(min, initial));
  return gate;
}

interface Wanted {
  replicas: number;
  apply: boolean;
}

function scale(
  settings: KpaSettings,
  gate: KpaGate,
  input: KpaGateInput,
  min: number,
  initial: number,
  reasons: Reason[],
): Wanted {
  const { desired } = input;
  const reason = (code: string, stage: Reason['stage'], data: Reason['data']) => reasons.push({ code, stage, data });
  if (desired < 0 && gate.phase !== 'Activating') return { replicas: unknownScale, apply: false };
  const floor = initial > 1 && !gate.initialized ? Math.max(min, initial) : min;
  let replicas = desired;
  if (replicas < floor) {
    replicas = floor;
    if (floor > min) reason('kpa-initial-scale', 'bounds', { wanted: Math.max(0, desired), replicas });
    else if (floor > 0) reason('raised-to-min', 'bounds', { wanted: Math.max(0, desired), minReplicas: min });
  } else if (settings.maxScale !== 0 && replicas > settings.maxScale) {
    reason('capped-at-max', 'bounds', { wanted: replicas, maxReplicas: settings.maxScale });
    replicas = settings.maxScale;
  }
  return replicas === 0 ? towardsZero(settings, gate, input, reasons) : { replicas, apply: true };
}

/** `handleScaleToZero`: an active revision is first held at one, then marked inactive, and ends only behind the activator. */
function towardsZero(settings: KpaSettings, gate: KpaGate, input: KpaGateInput, reasons: Reason[]): Wanted {
  const reason = (code: string, data: Reason['data']) => reasons.push({ code, stage: 'gate', data });
  const forMs = input.nowMs - gate.sinceMs;
  if (!settings.enableScaleToZero) {
    reason('kpa-zero-disabled', { replicas: 1 });
    return { replicas: 1, apply: true };
  }
  switch (gate.phase) {
    case 'Activating': {
      const limitMs = settings.progressDeadlineMs + activationBufferMs;
      if (forMs > limitMs) {
        reason('kpa-activation-timed-out', { forMs, limitMs });
        return { replicas: 0, apply: true };
      }
      reason('kpa-activating', { forMs, limitMs, replicas: gate.replicas });
      return { replicas: unknownScale, apply: false };
    }
    case 'Active':
      if (forMs >= settings.stableWindowMs) {
        reason('kpa-deactivates', { forMs, replicas: gate.replicas });
        return { replicas: 0, apply: false };
      }
      reason('kpa-held-at-one', { forMs, windowMs: settings.stableWindowMs });
      return { replicas: 1, apply: true };
    case 'Inactive':
      return pastInactive(settings, gate, input, forMs, reasons);
  }
}

function pastInactive(
  settings: KpaSettings,
  gate: KpaGate,
  input: KpaGateInput,
  forMs: number,
  reasons: Reason[],
): Wanted {
  const reason = (code: string, data: Reason['data']) => reasons.push({ code, stage: 'gate', data });
  const graceMs = settings.scaleToZeroGracePeriodMs;
  const retentionMs = input.reachable ? settings.scaleToZeroPodRetentionPeriodMs : 0;
  const zero: Wanted = { replicas: 0, apply: true };
  const wait: Wanted = { replicas: 0, apply: false };
  if (gate.replicas === 0) {
    reason('gate-closed', {});
    return zero;
  }
  // With an unlimited burst capacity the activator is in the path for certain.
  if (settings.targetBurstCapacity !== -1 && !input.activatorAnswers) {
    reason('kpa-waits-for-activator', { replicas: gate.replicas });
    return wait;
  }
  const proxiedMs = gate.proxySinceMs === null ? 0 : input.nowMs - gate.proxySinceMs;
  const data = { forMs, proxiedMs, graceMs, retentionMs };
  if (forMs >= Math.max(graceMs, retentionMs)) {
    reason('kpa-to-zero', data);
    return zero;
  }
  if (forMs >= retentionMs && proxiedMs >= graceMs) {
    reason('kpa-to-zero', data);
    return zero;
  }
  reason('kpa-grace-period', { ...data, replicas: gate.replicas });
  return wait;
}

/** `computeActiveCondition`: the phase after a reconciliation, from what is wanted and what is ready. */
function markPhase(gate: KpaGate, wanted: number, input: KpaGateInput, minReady: number): void {
  const { nowMs, ready } = input;
  if (ready >= minReady) gate.initialized = true;
  if (wanted === 0 || minReady === 0) {
    const timedOut = gate.phase === 'Activating' && minReady > 0;
    mark(gate, 'Inactive', timedOut ? 'TimedOut' : 'NoTraffic', nowMs);
  } else if (wanted > 0 || gate.phase !== 'Inactive') {
    if (ready < minReady) mark(gate, 'Activating', 'Queued', nowMs);
    else mark(gate, 'Active', '', nowMs);
  }
}

function mark(gate: KpaGate, phase: KpaPhase, reason: string, nowMs: number): void {
  if (gate.phase === phase && gate.reason === reason) return;
  gate.phase = phase;
  gate.reason = reason;
  gate.sinceMs = nowMs;
}

export function gateToJson(gate: KpaGate): JsonObject {
  return { ...gate };
}

export function gateFromJson(json: JsonObject): KpaGate | null {
  const { phase, reason, sinceMs, initialized, proxySinceMs, replicas } = json;
  if (phase !== 'Activating' && phase !== 'Active' && phase !== 'Inactive') return null;
  if (typeof sinceMs !== 'number' || typeof replicas !== 'number') return null;
  return {
    phase,
    reason: typeof reason === 'string' ? reason : '',
    sinceMs,
    initialized: initialized === true,
    proxySinceMs: numberOr(proxySinceMs, null),
    replicas,
  };
}
