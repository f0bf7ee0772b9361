import type { Reason } from '../../explain/reasons.ts';
import { type KpaSettings, kpaTarget, kpaTickMs } from './kpaSettings.ts';
import { rowsOf } from './storedJson.ts';
import type { Json } from '../types.ts';

/** One turn of Knative's autoscaler (pkg/autoscaler/scaling/autoscaler.go, `Scale`). */
export interface KpaPanic {
  /** Start or last extension; null: not in panic. */
  sinceMs: number | null;
  /** Most pods asked for since then: the count does not fall before it is over. */
  mostPods: number;
}

/** The largest counts of the scale-down delay, `[two-second index, pods]`, falling: what can still be the largest. */
export type KpaDelay = [number, number][];

export interface KpaScaleInput {
  nowMs: number;
  /** Averages of the two windows. */
  stable: number;
  panic: number;
  /** Ready pods. */
  ready: number;
  reachable: boolean;
}

export interface KpaScaleResult {
  desired: number;
  /** Spare capacity over the target burst capacity; negative: the activator stays in the path. */
  excessBurstCapacity: number;
  panic: KpaPanic;
}

const mostPods = 2 ** 31 - 1;
/** More distinct falling counts than this within one delay are merged, the larger one staying. */
const mostDelaySteps = 240;

/**
 * An autoscaler that finds more than one pod ready begins in panic with that count, which keeps a restart from scaling
 * down before it has data.
 */
export function beginPanic(ready: number, nowMs: number): KpaPanic {
  return { sinceMs: ready > 1 ? nowMs : null, mostPods: ready };
}

/** Pods this revision should have, within the rates of change; the panic and the delay are remembered in place. */
export function kpaScale(
  settings: KpaSettings,
  before: KpaPanic,
  delay: KpaDelay,
  input: KpaScaleInput,
  reasons: Reason[],
): KpaScaleResult {
  const { nowMs, stable, panic: panicValue, reachable } = input;
  const reason = (code: string, data: Reason['data']) => reasons.push({ code, stage: 'recommendation', data });
  const { target, total } = kpaTarget(settings);
  const ready = Math.max(1, input.ready);
  const most = Math.ceil(settings.maxScaleUpRate * ready);
  const least = reachable ? Math.floor(ready / settings.maxScaleDownRate) : 0;
  const clamp = (pods: number) => Math.min(mostPods, Math.max(least, pods), most);

  const stableAsks = Math.ceil(stable / target);
  const panicAsks = Math.ceil(panicValue / target);
  const stablePods = atLeastActivationScale(settings, stableAsks, clamp(stableAsks));
  const panicPods = atLeastActivationScale(settings, panicAsks, clamp(panicAsks));
  const base = { metric: settings.metric, target };
  const windowMs = settings.stableWindowMs;
  reason('kpa-stable-window', { ...base, mean: stable, windowMs, asked: stableAsks, replicas: stablePods });
  if (stableAsks !== stablePods) reason('kpa-limited', { asked: stableAsks, least, most, replicas: stablePods });

  const over = panicAsks / ready >= settings.panicThresholdPercentage / 100;
  const panic = nextPanic(before, over, nowMs, settings.stableWindowMs);
  let desired = stablePods;
  if (panic.sinceMs !== null) {
    panic.mostPods = Math.max(panic.mostPods, stablePods, panicPods);
    desired = panic.mostPods;
    reason('kpa-panic-window', { ...base, mean: panicValue, asked: panicAsks, ready: input.ready, replicas: desired });
  }

  if (reachable && settings.scaleDownDelayMs > 0) {
    const delayed = recordDelay(delay, settings.scaleDownDelayMs, nowMs, desired);
    const data = { wanted: desired, delayMs: settings.scaleDownDelayMs, replicas: delayed };
    if (delayed > desired) reason('kpa-scale-down-delayed', data);
    desired = delayed;
  }
  return { desired, excessBurstCapacity: excessBurst(settings, total, input.ready, panicValue), panic };
}

/** The activation scale is a floor of what is asked for, unless nothing is. */
function atLeastActivationScale(settings: KpaSettings, asked: number, pods: number): number {
  return settings.activationScale > 1 && asked > 0 ? Math.max(pods, settings.activationScale) : pods;
}

/** Over the threshold starts or prolongs it; it ends when more than a stable window has passed below. */
function nextPanic(before: KpaPanic, over: boolean, nowMs: number, stableMs: number): KpaPanic {
  if (over) return { sinceMs: nowMs, mostPods: before.mostPods };
  if (before.sinceMs !== null && before.sinceMs + stableMs < nowMs) return { sinceMs: null, mostPods: 0 };
  return { ...before };
}

function excessBurst(settings: KpaSettings, total: number, ready: number, panicValue: number): number {
  const burst = settings.targetBurstCapacity;
  if (burst === 0) return 0;
  if (burst < 0) return -1;
  return Math.max(-mostPods, Math.min(mostPods, Math.floor(ready * total - burst - panicValue)));
}

/** What the excess is taken for before the first turn with data. */
export function initialExcessBurst(settings: KpaSettings): number {
  const burst = settings.targetBurstCapacity;
  return burst === 0 || burst === -1 ? burst : Math.trunc(kpaTarget(settings).total - burst) + 0;
}

/** Remembers a count and gives the largest of the delay (pkg/autoscaler/aggregation/max). */
export function recordDelay(delay: KpaDelay, delayMs: number, nowMs: number, pods: number): number {
  const index = Math.floor(nowMs / kpaTickMs);
  const size = Math.ceil(delayMs / kpaTickMs);
  // A smaller count before a larger one can never be the largest again.
  while (delay.length > 0 && pods >= (delay.at(-1)?.[1] ?? 0)) delay.pop();
  while (delay.length > 0 && index - (delay[0]?.[0] ?? index) >= size) delay.shift();
  const last = delay.at(-1);
  if (!last || last[0] !== index) delay.push([index, pods]);
  if (delay.length > mostDelaySteps) {
    const second = delay[1]?.[0] ?? index;
    delay.splice(0, 2, [second, delay[0]?.[1] ?? pods]);
  }
  return delay[0]?.[1] ?? pods;
}

export function delayFromJson(json: Json | undefined): KpaDelay {
  return rowsOf(json, 2).map(([index = 0, pods = 0]) => [index, pods]);
}
