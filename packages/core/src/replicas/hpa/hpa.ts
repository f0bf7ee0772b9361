import type { Reason } from '../../explain/reasons.ts';
import type { DecideResult, Decision, Json, Memory, Observation } from '../types.ts';
import type { CalculatorInput } from './calculator.ts';
import { type HpaCondition, type HpaHistory, normalize, rememberScaleEvent } from './normalize.ts';
import { proposeByMetrics } from './severalMetrics.ts';
import { tolerancesOf } from './tolerance.ts';
import type { HpaDecisionSpec, HpaObservation } from './types.ts';

/**
 * HorizontalPodAutoscaler v2, one sync as the controller does it (pkg/controller/podautoscaler/horizontal.go,
 * `reconcileAutoscaler`): pause at zero, bounds without metrics, metrics, stabilisation, rates, bounds. Acts on its own
 * grid of `syncPeriodMs`; when asked in between it repeats the last decision.
 */
export function decideByHpa(spec: HpaDecisionSpec, stored: Memory | null, observation: Observation): DecideResult {
  const { nowMs, hpa } = observation;
  const memory = readHpaMemory(stored);
  if (!hpa) return repeat(memory ?? firstMemory(nowMs, 0), nowMs, { code: 'hpa-no-observation' });
  if (memory && nowMs < memory.nextSyncMs) return repeat(memory, nowMs, { code: 'hpa-between-syncs' });

  const state = memory ?? firstMemory(nowMs, hpa.specReplicas);
  const result = sync(spec, state.history, nowMs, hpa);
  rememberScaleEvent(spec.behavior, state.history, nowMs, hpa.specReplicas, result.replicas);
  const conditions = mergeConditions(state.conditions, result.conditions);
  if (result.replicas !== hpa.specReplicas) {
    const message = `the HPA controller was able to update the target scale to ${result.replicas}`;
    conditions.AbleToScale = { type: 'AbleToScale', status: 'True', reason: 'SucceededRescale', message };
  }
  const nextSyncMs = nowMs + spec.controller.syncPeriodMs;
  const next: HpaMemory = { replicas: result.replicas, nextSyncMs, history: state.history, conditions };
  return {
    decision: decisionOf(result.replicas, [...result.reasons, ...conditionReasons(conditions)], nextSyncMs),
    memory: writeHpaMemory(next),
  };
}

interface SyncResult {
  replicas: number;
  reasons: Reason[];
  conditions: HpaCondition[];
}

function sync(spec: HpaDecisionSpec, history: HpaHistory, nowMs: number, hpa: HpaObservation): SyncResult {
  const current = hpa.specReplicas;
  const able: HpaCondition = {
    type: 'AbleToScale',
    status: 'True',
    reason: 'SucceededGetScale',
    message: "the HPA controller was able to get the target's current scale",
  };
  const reason = (code: string, stage: Reason['stage'], data: Reason['data']): Reason => ({ code, stage, data });

  if (current === 0 && spec.minReplicas !== 0) {
    const message = 'scaling is disabled since the replica count of the target is zero';
    const active: HpaCondition = { type: 'ScalingActive', status: 'False', reason: 'ScalingDisabled', message };
    return { replicas: 0, reasons: [reason('hpa-disabled-at-zero', 'gate', {})], conditions: [able, active] };
  }
  if (current > spec.maxReplicas) {
    const data = { wanted: current, maxReplicas: spec.maxReplicas };
    return { replicas: spec.maxReplicas, reasons: [reason('capped-at-max', 'bounds', data)], conditions: [able] };
  }
  if (current < spec.minReplicas) {
    const data = { wanted: current, minReplicas: spec.minReplicas };
    return { replicas: spec.minReplicas, reasons: [reason('raised-to-min', 'bounds', data)], conditions: [able] };
  }

  const input: CalculatorInput = {
    nowMs,
    currentReplicas: current,
    statusReplicas: hpa.statusReplicas,
    pods: hpa.pods,
    tolerances: tolerancesOf(spec),
    settings: spec.controller,
  };
  const metrics = proposeByMetrics(spec.metrics, hpa, input);
  const reasons = metrics.proposals.map(({ metric, unit, proposal, failure }) =>
    proposal
      ? reason('hpa-metric', 'recommendation', { metric, current: proposal.current, unit, replicas: proposal.replicas })
      : reason('hpa-metric-failed', 'recommendation', { metric, why: failure?.message ?? '' }),
  );
  const active: HpaCondition = { type: 'ScalingActive', ...metrics.active };
  if (metrics.replicas === null) {
    reasons.push(reason('hpa-nothing-scaled', 'combine', { why: metrics.active.message, replicas: current }));
    return { replicas: current, reasons, conditions: [able, active] };
  }
  reasons.push(reason('hpa-largest', 'combine', { metric: metrics.metric, replicas: metrics.replicas }));
  const normalized = normalize(spec, history, nowMs, current, metrics.replicas);
  return { replicas: normalized.replicas, reasons, conditions: [able, active, ...normalized.conditions] };
}

function repeat(memory: HpaMemory, nowMs: number, { code }: { code: string }): DecideResult {
  const reasons: Reason[] = [
    { code, stage: 'reading', data: { replicas: memory.replicas, inMs: Math.max(0, memory.nextSyncMs - nowMs) } },
  ];
  return {
    decision: decisionOf(memory.replicas, reasons, memory.nextSyncMs > nowMs ? memory.nextSyncMs : null),
    memory: writeHpaMemory(memory),
  };
}

function decisionOf(replicas: number, reasons: Reason[], revisitAtMs: number | null): Decision {
  return { classes: { default: replicas }, replicas, reasons, revisitAtMs };
}

/** Conditions in the words of Kubernetes: what a reader of `kubectl describe hpa` knows. */
function conditionReasons(conditions: Conditions): Reason[] {
  return Object.values(conditions).map(({ type, status, reason, message }) => ({
    code: 'hpa-condition',
    stage: type === 'ScalingLimited' ? 'bounds' : type === 'AbleToScale' ? 'behavior' : 'reading',
    data: { type, status, reason, message },
  }));
}

type Conditions = Partial<Record<HpaCondition['type'], HpaCondition>>;

function mergeConditions(before: Conditions, changes: HpaCondition[]): Conditions {
  const merged: Conditions = { ...before };
  for (const condition of changes) merged[condition.type] = condition;
  return merged;
}

export interface HpaMemory {
  replicas: number;
  nextSyncMs: number;
  history: HpaHistory;
  conditions: Conditions;
}

/** The first sync seeds the history with the count it finds, which keeps a restarted controller from scaling down at once. */
function firstMemory(nowMs: number, specReplicas: number): HpaMemory {
  const history: HpaHistory = { recommendations: [{ replicas: specReplicas, atMs: nowMs }], ups: [], downs: [] };
  return { replicas: specReplicas, nextSyncMs: nowMs, history, conditions: {} };
}

const version = 1;

function writeHpaMemory(memory: HpaMemory): Memory {
  const { recommendations, ups, downs } = memory.history;
  const events = (list: HpaHistory['ups']): Json => list.map(({ change, atMs, outdated }) => [change, atMs, outdated]);
  return {
    version,
    policy: 'hpa',
    replicas: memory.replicas,
    nextSyncMs: memory.nextSyncMs,
    recommendations: recommendations.map(({ replicas, atMs }) => [replicas, atMs]),
    ups: events(ups),
    downs: events(downs),
    conditions: Object.values(memory.conditions).map((condition) => ({ ...condition })),
  };
}

function readHpaMemory(memory: Memory | null): HpaMemory | null {
  if (!memory || memory.version !== version || memory.policy !== 'hpa') return null;
  const { replicas, nextSyncMs } = memory;
  if (typeof replicas !== 'number' || typeof nextSyncMs !== 'number') return null;
  const rows = (json: Json | undefined): Json[][] =>
    Array.isArray(json) ? json.filter((row) => Array.isArray(row)) : [];
  const events = (json: Json | undefined) =>
    rows(json).map(([change, atMs, outdated]) => ({
      change: Number(change),
      atMs: Number(atMs),
      outdated: outdated === true,
    }));
  const conditions: Conditions = {};
  for (const json of Array.isArray(memory.conditions) ? memory.conditions : []) {
    const condition = json as unknown as HpaCondition;
    conditions[condition.type] = condition;
  }
  return {
    replicas,
    nextSyncMs,
    history: {
      recommendations: rows(memory.recommendations).map(([count, atMs]) => ({
        replicas: Number(count),
        atMs: Number(atMs),
      })),
      ups: events(memory.ups),
      downs: events(memory.downs),
    },
    conditions,
  };
}
