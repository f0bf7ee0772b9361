import type { LlmSignal, SloLlmTrigger } from '@ebb/documents';
import type { Reason } from '../../explain/reasons.ts';

/**
 * Triggers that steer by what callers feel or by what a replica does: response time, queue wait, throughput a replica, and
 * what servers of language models publish.
 *
 * A change is judged only after it has had time to show: no second step before the replicas it asked for could start
 * and a whole window has been measured with them (dead time). Steps are bounded: up by a factor or a fixed number,
 * whichever is larger, down likewise. A shrink that had to be taken back is not tried again at the same demand, so that
 * constant demand ends in a constant count.
 */
export type SloTrigger = ResponseTimeTrigger | QueueWaitTrigger | ThroughputTrigger | SloLlmTrigger;

interface SloTriggerBase {
  /** Name of the readings: milliseconds, or requests a second of the whole workload for `throughput`. */
  name: string;
  /** The signal is averaged over this long. */
  windowMs: number;
  increase: SloStep;
  decrease: SloStep;
}

export interface ResponseTimeTrigger extends SloTriggerBase {
  type: 'responseTime';
  aboveMs: number;
  /** Below this a replica is taken away; null: this trigger never shrinks. */
  belowMs: number | null;
}

export interface QueueWaitTrigger extends SloTriggerBase {
  type: 'queueWait';
  aboveMs: number;
  belowMs: number | null;
}

export interface ThroughputTrigger extends SloTriggerBase {
  type: 'throughput';
  /** Requests a second and replica. */
  abovePerReplica: number;
  belowPerReplica: number | null;
}

/** The larger of the two bounds a step; a step is at least one replica. */
export interface SloStep {
  replicas: number;
  /** Up: at most this many times the count; down: at most the count divided by it. At least 1. */
  factor: number;
}

export const defaultSloIncrease: SloStep = { replicas: 1, factor: 2 };
export const defaultSloDecrease: SloStep = { replicas: 1, factor: 1 };
export const defaultSloWindowMs = 30_000;

/** The last change of the count, whoever asked for it. */
export interface SloChange {
  atMs: number;
  from: number;
  to: number;
  /** When as many as asked for were first ready; null: not yet, or fewer were asked for. */
  readyAtMs: number | null;
}

export interface SloContext {
  nowMs: number;
  current: number;
  ready: number;
  change: SloChange | null;
  /** Given or learned time from a decision to a ready replica, whichever is longer. */
  startTimeMs: number;
  /** Mean demand of the window (requests a second, else those in flight and held), by which a failure is recognised. */
  demand: number;
  /** Mean of the trigger's signal over its window; null: not measured. */
  value: number | null;
  /** The replicas were read and had nothing to say of this signal, so that nobody can have felt it. */
  nothingFelt?: boolean;
  /** More is answered than asked: what is slow is what had piled up before. Null or left out: it is not so. */
  drain?: { remainingMs: number } | null;
  /** Demand over several windows, by which a failure is recognised where arrivals are too few for the window's to be even. */
  slowDemand?: number | null;
}

/** What one trigger remembers: a count at which it was too slow, and the demand it was too slow at. */
export interface SloTriggerMemory {
  failedReplicas: number | null;
  failedDemand: number;
}

export interface SloRecommendation {
  replicas: number;
  memory: SloTriggerMemory;
  reasons: Reason[];
  /** When the dead time ends; null: it is not in one. */
  revisitAtMs: number | null;
  /** It asks for nothing and minds no shrinking: `replicas` does not count. */
  abstains?: boolean;
}

export const noFailure: SloTriggerMemory = { failedReplicas: null, failedDemand: 0 };
/** Demand must have fallen to this share of what a count failed at before that count is tried again. */
const retryShare = 0.9;
/** The same for the demand over several windows: what failed may have been a peak of the window. */
const slowRetryShare = 0.75;
/** Replicas that are later than expected may take this many times as long before there is another step. */
const slowStart = 3;

/** What one trigger asks for, one bounded step at a time. */
export function recommendBySlo(trigger: SloTrigger, memory: SloTriggerMemory, context: SloContext): SloRecommendation {
  const { current, nowMs, value } = context;
  const { above, below, unit } = thresholds(trigger);
  const keep = (why: Pick<Reason, 'code' | 'data'>, revisitAtMs: number | null = null): SloRecommendation => {
    const data = { trigger: trigger.name, ...why.data, replicas: current };
    return { replicas: current, memory, reasons: [{ ...why, stage: 'recommendation', data }], revisitAtMs };
  };
  if (value === null) {
    return { ...keep({ code: 'slo-not-measured', data: {} }), ...(context.nothingFelt ? { abstains: true } : {}) };
  }
  const signal = isTotal(trigger) ? value / Math.max(1, context.ready) : value;
  const data = { value: Math.round(signal * 1000) / 1000, unit };

  const wants = signal > above ? 1 : below !== null && signal < below ? -1 : 0;
  if (wants === 0 || current === 0) {
    const hasNoSay = isLlmTrigger(trigger) && below === null;
    return { ...keep({ code: 'slo-within', data: { ...data, above } }), ...(hasNoSay ? { abstains: true } : {}) };
  }
  const deadUntilMs = deadTimeEnd(trigger, context, wants);
  if (nowMs < deadUntilMs) {
    const dead = { ...data, above, remainingMs: deadUntilMs - nowMs };
    return keep({ code: 'slo-dead-time', data: dead }, deadUntilMs);
  }
  const drain = isLlmTrigger(trigger) ? (context.drain ?? null) : null;
  if (wants > 0 && drain && drain.remainingMs <= context.startTimeMs + trigger.windowMs) {
    return keep({ code: 'slo-draining', data: { ...data, above, remainingMs: drain.remainingMs } });
  }
  if (wants > 0) {
    const replicas = grown(trigger, current, signal / above);
    // As many as now will do, once what had piled up is done.
    const failedDemand = Math.max(context.demand, context.slowDemand ?? 0);
    const failed = drain ? memory : { failedReplicas: current, failedDemand };
    const reason: Reason = {
      code: 'slo-above',
      stage: 'recommendation',
      data: { trigger: trigger.name, ...data, above, from: current, replicas },
    };
    return { replicas, memory: failed, reasons: [reason], revisitAtMs: null };
  }

  const least = leastReplicas(trigger, memory, context);
  const replicas = Math.max(shrunk(trigger, current), Math.min(current, least));
  if (replicas === current && current > 1) {
    return keep({ code: 'slo-shrink-known-to-fail', data: { ...data, below, demand: context.demand } });
  }
  const reason: Reason = {
    code: 'slo-below',
    stage: 'recommendation',
    data: { trigger: trigger.name, ...data, below, from: current, replicas },
  };
  return { replicas, memory, reasons: [reason], revisitAtMs: null };
}

/** The marks of a trigger in the unit of its signal, which is a replica's. */
export function thresholds(trigger: SloTrigger): { above: number; below: number | null; unit: string } {
  switch (trigger.type) {
    case 'throughput':
      return { above: trigger.abovePerReplica, below: trigger.belowPerReplica, unit: 'requests a second and replica' };
    case 'tokensPerSecond':
      return { above: trigger.abovePerReplica, below: trigger.belowPerReplica, unit: 'tokens a second and replica' };
    case 'kvCacheUse':
      return { above: trigger.above, below: trigger.below, unit: 'of the KV cache' };
    case 'waitingRequests':
    case 'runningRequests':
      return { above: trigger.above, below: trigger.below, unit: 'requests a replica' };
    default:
      return { above: trigger.aboveMs, below: trigger.belowMs, unit: 'ms' };
  }
}

const llmTypes: { readonly [Type in LlmSignal]: true } = {
  timeToFirstToken: true,
  interTokenLatency: true,
  tokensPerSecond: true,
  kvCacheUse: true,
  waitingRequests: true,
  runningRequests: true,
};

/** Whether its signal comes from the replicas themselves. */
export function isLlmTrigger(trigger: SloTrigger): trigger is SloLlmTrigger {
  return Object.hasOwn(llmTypes, trigger.type);
}

/** Whether its readings are of the whole workload, not of a replica. */
const isTotal = ({ type }: SloTrigger): boolean => type === 'throughput' || type === 'tokensPerSecond';

/**
 * Until when the last change has not shown: start time and a window after it, and a window after its replicas became
 * ready. Replicas that do not get ready are waited for three times as long. What has been taken away shows within a
 * window, so a shrink that was wrong is mended sooner.
 */
export function deadTimeEnd(
  trigger: Pick<SloTrigger, 'windowMs'>,
  { change, startTimeMs }: Pick<SloContext, 'change' | 'startTimeMs'>,
  wants: -1 | 1,
): number {
  if (!change) return Number.NEGATIVE_INFINITY;
  const grew = change.to > change.from;
  if (!grew && wants > 0) return change.atMs + trigger.windowMs;
  if (grew && change.readyAtMs === null) return change.atMs + startTimeMs * slowStart + trigger.windowMs;
  return Math.max(change.atMs + startTimeMs, change.readyAtMs ?? 0) + trigger.windowMs;
}

/** In proportion to how far the signal is over, within the step; at least one more. */
function grown(trigger: SloTrigger, current: number, ratio: number): number {
  const { replicas, factor } = trigger.increase;
  const most = Math.max(current + Math.max(1, Math.floor(replicas)), Math.floor(current * Math.max(1, factor)));
  return Math.min(most, Math.max(current + 1, Math.ceil(current * ratio - 1e-9)));
}

function shrunk(trigger: SloTrigger, current: number): number {
  const { replicas, factor } = trigger.decrease;
  const byFactor = Math.ceil(current / Math.max(1, factor));
  return Math.max(1, Math.min(current - Math.max(1, Math.floor(replicas)), byFactor));
}

/** The fewest that will do: by arithmetic for what replicas share, else one more than what has failed at this demand. */
function leastReplicas(trigger: SloTrigger, memory: SloTriggerMemory, context: SloContext): number {
  const { failedReplicas, failedDemand } = memory;
  const { demand, slowDemand = null } = context;
  const isSame =
    slowDemand === null ? demand > failedDemand * retryShare : demand > 0 && slowDemand > failedDemand * slowRetryShare;
  const failed = failedReplicas !== null && isSame ? failedReplicas + 1 : 1;
  const total = totalOf(trigger, context);
  return total === null ? failed : Math.max(failed, Math.ceil(total / thresholds(trigger).above - 1e-9));
}

/** What all replicas together do of something that fewer of them would share; null: no such signal. */
function totalOf(trigger: SloTrigger, { value, ready }: SloContext): number | null {
  if (value === null) return null;
  if (isTotal(trigger)) return value;
  return trigger.type === 'kvCacheUse' || trigger.type === 'runningRequests' ? value * Math.max(1, ready) : null;
}
