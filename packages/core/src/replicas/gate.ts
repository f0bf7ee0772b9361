import type { Reason } from '../explain/reasons.ts';

/**
 * The scale-to-zero gate: 0 ↔ 1 is a decision of its own (design §4.5). It opens at once when somebody waits and
 * closes when the workload has been idle for its keep-alive time.
 */
export interface GateInput {
  nowMs: number;
  /** Replicas decided last. */
  current: number;
  /** What the triggers ask for. */
  recommended: number;
  /** Requests held or in flight now. */
  demand: number;
  /** Last moment with demand, or when the gate last opened, whichever is later. */
  lastActiveAtMs: number;
  keepAliveMs: number;
}

export interface GateOutput {
  replicas: number;
  reason: Reason;
  /** When the gate closes if nothing happens; null when time alone does not move it. */
  closesAtMs: number | null;
}

/** Replicas after the gate: 0, or at least 1. */
export function passGate(input: GateInput): GateOutput {
  const { nowMs, current, recommended, demand, lastActiveAtMs, keepAliveMs } = input;
  if (demand > 0) {
    const replicas = Math.max(1, recommended);
    const code = current === 0 ? 'gate-opens' : 'gate-open';
    return { replicas, reason: { code, stage: 'gate', data: { demand, replicas } }, closesAtMs: null };
  }
  if (current === 0) {
    // What the windows still remember of a demand that is over must not wake it again.
    return { replicas: 0, reason: { code: 'gate-closed', stage: 'gate', data: {} }, closesAtMs: null };
  }
  const idleMs = nowMs - lastActiveAtMs;
  if (idleMs >= keepAliveMs) {
    return {
      replicas: 0,
      reason: { code: 'gate-closes', stage: 'gate', data: { idleMs, keepAliveMs } },
      closesAtMs: null,
    };
  }
  const closesAtMs = lastActiveAtMs + keepAliveMs;
  return {
    // Nobody is here: what the windows remember may keep replicas, but starts none.
    replicas: Math.max(1, Math.min(recommended, current)),
    reason: { code: 'gate-keeps-alive', stage: 'gate', data: { idleMs, keepAliveMs, remainingMs: closesAtMs - nowMs } },
    closesAtMs,
  };
}
