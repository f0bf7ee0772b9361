import type { TriggerSpec, WindowsSpec } from '@ebb/documents';
import type { Reason } from '../explain/reasons.ts';
import type { ClassObservation } from './types.ts';
import { isUnmeasured, type Window, windowMean } from './window.ts';

/**
 * What one trigger asks of one class, from its stable and panic windows, after Knative's KPA
 * (pkg/autoscaler/scaling/autoscaler.go): wanted = ceil(mean / target), within the rates of change around the ready
 * replicas; in panic the count does not fall.
 */
export interface PanicState {
  /** Start or last extension of the panic; null: not in panic. */
  sinceMs: number | null;
  /** Largest count since then. */
  mostReplicas: number;
}

export interface TriggerRecommendation {
  replicas: number;
  reasons: Reason[];
  panic: PanicState;
}

export function recommendByTrigger(input: {
  trigger: TriggerSpec;
  className: string;
  window: Window;
  windows: WindowsSpec;
  panic: PanicState;
  observed: ClassObservation;
  nowMs: number;
}): TriggerRecommendation {
  const { trigger, className, window, windows, observed, nowMs } = input;
  if (isUnmeasured(window)) {
    // Nothing has been measured yet, which is not the same as no demand: what is there stays.
    const replicas = observed.ready + observed.starting;
    const data = { trigger: trigger.name, class: className, replicas };
    const reasons: Reason[] = replicas > 0 ? [{ code: 'not-measured-yet', stage: 'recommendation', data }] : [];
    return { replicas, reasons, panic: { sinceMs: null, mostReplicas: 0 } };
  }
  const stable = windowMean(window, nowMs, windows.stableMs) ?? 0;
  const panicMean = windowMean(window, nowMs, windows.panicMs) ?? 0;

  const perReplica = Math.max(0.01, trigger.target * windows.targetUtilization);
  const ready = Math.max(1, observed.ready);
  const most = Math.ceil(windows.maxScaleUpRate * ready);
  const least = Math.floor(observed.ready / windows.maxScaleDownRate);
  const clamp = (count: number) => Math.min(most, Math.max(least, count));
  const stableAsks = ceilCount(stable / perReplica);
  const panicAsks = ceilCount(panicMean / perReplica);
  const stableReplicas = clamp(stableAsks);
  const panicReplicas = clamp(panicAsks);

  // On the windows' own grid, so that asking more often neither prolongs nor ends a panic.
  const tickMs = Math.floor(nowMs / window.bucketMs) * window.bucketMs;
  const panic = nextPanic(input.panic, panicAsks / ready >= windows.panicThreshold, tickMs, windows.stableMs);
  const base = { trigger: trigger.name, class: className, target: perReplica };
  const reasons: Reason[] = [
    {
      code: 'stable-window',
      stage: 'recommendation',
      data: { ...base, mean: round(stable), windowMs: windows.stableMs, replicas: stableReplicas },
    },
  ];
  if (stableAsks < least) {
    reasons.push({
      code: 'down-rate-limited',
      stage: 'recommendation',
      data: { ...base, wanted: stableAsks, replicas: stableReplicas },
    });
  }
  if (panic.sinceMs === null) return { replicas: stableReplicas, reasons, panic };
  panic.mostReplicas = Math.max(panic.mostReplicas, stableReplicas, panicReplicas);
  reasons.push({
    code: 'panic-window',
    stage: 'recommendation',
    data: {
      ...base,
      mean: round(panicMean),
      windowMs: windows.panicMs,
      ready: observed.ready,
      replicas: panic.mostReplicas,
    },
  });
  return { replicas: panic.mostReplicas, reasons, panic };
}

/** Over the threshold starts or prolongs a panic; a whole stable window below it ends it. */
function nextPanic(panic: PanicState, over: boolean, nowMs: number, stableMs: number): PanicState {
  if (over) return { sinceMs: nowMs, mostReplicas: panic.sinceMs === null ? 0 : panic.mostReplicas };
  if (panic.sinceMs === null || panic.sinceMs + stableMs < nowMs) return { sinceMs: null, mostReplicas: 0 };
  return { ...panic };
}

/** Whole replicas; a quotient that only float dust puts above a whole number counts as that number. */
export function ceilCount(quotient: number): number {
  return Math.max(0, Math.ceil(quotient - 1e-9));
}

export function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
