import type { HpaBehavior, HpaDecisionSpec, HpaRules } from './types.ts';

/** A raw proposal of an earlier sync. Slots are reused once they are old, as Kubernetes does. */
export interface RecommendationSlot {
  replicas: number;
  atMs: number;
}

export interface ScaleEvent {
  /** Positive in both lists. */
  change: number;
  atMs: number;
  outdated: boolean;
}

export interface HpaHistory {
  recommendations: RecommendationSlot[];
  ups: ScaleEvent[];
  downs: ScaleEvent[];
}

export interface HpaCondition {
  type: 'AbleToScale' | 'ScalingActive' | 'ScalingLimited';
  status: 'True' | 'False';
  reason: string;
  message: string;
}

export interface Normalized {
  replicas: number;
  stabilized: number;
  conditions: HpaCondition[];
}

const readyForNewScale = 'recommended size matches current size';
const lowestRecent = 'recent recommendations were lower than current one, applying the lowest recent recommendation';
const highestRecent = 'recent recommendations were higher than current one, applying the highest recent recommendation';
const limitMessages: Record<string, string> = {
  ScaleUpLimit: 'the desired replica count is increasing faster than the maximum scale rate',
  ScaleDownLimit: 'the desired replica count is decreasing faster than the maximum scale rate',
  TooManyReplicas: 'the desired replica count is more than the maximum replica count',
  TooFewReplicas: 'the desired replica count is less than the minimum replica count',
  DesiredWithinRange: 'the desired count is within the acceptable range',
};

/**
 * From a proposal to the count (`normalizeDesiredReplicas` and `…WithBehaviors` of
 * pkg/controller/podautoscaler/horizontal.go). Changes `history`: the raw proposal takes a slot.
 */
export function normalize(
  spec: HpaDecisionSpec,
  history: HpaHistory,
  nowMs: number,
  current: number,
  proposal: number,
): Normalized {
  return spec.behavior
    ? normalizeWithBehavior(spec, spec.behavior, history, nowMs, current, proposal)
    : normalizeWithoutBehavior(spec, history, nowMs, current, proposal);
}

function normalizeWithoutBehavior(
  spec: HpaDecisionSpec,
  history: HpaHistory,
  nowMs: number,
  current: number,
  proposal: number,
): Normalized {
  const cutoffMs = nowMs - spec.controller.downscaleStabilizationMs;
  let stabilized = proposal;
  let slot = -1;
  history.recommendations.forEach((recommendation, index) => {
    // At the very edge of the window a recommendation still counts here.
    if (recommendation.atMs < cutoffMs) slot = index;
    else stabilized = Math.max(stabilized, recommendation.replicas);
  });
  remember(history.recommendations, slot, { replicas: proposal, atMs: nowMs });
  const able =
    stabilized === proposal
      ? ableToScale('ReadyForNewScale', readyForNewScale)
      : ableToScale('ScaleDownStabilized', highestRecent);

  const factorLimit = Math.max(2 * current, 4);
  const byFactor = spec.maxReplicas > factorLimit;
  const most = byFactor ? factorLimit : spec.maxReplicas;
  if (stabilized < spec.minReplicas) return limited(spec.minReplicas, stabilized, 'TooFewReplicas', able);
  if (stabilized > most) return limited(most, stabilized, byFactor ? 'ScaleUpLimit' : 'TooManyReplicas', able);
  return limited(stabilized, stabilized, 'DesiredWithinRange', able);
}

function normalizeWithBehavior(
  spec: HpaDecisionSpec,
  behavior: HpaBehavior,
  history: HpaHistory,
  nowMs: number,
  current: number,
  proposal: number,
): Normalized {
  const stabilized = stabilizeWithBehavior(behavior, history, nowMs, current, proposal);
  const able =
    stabilized === proposal
      ? ableToScale('ReadyForNewScale', readyForNewScale)
      : proposal >= current
        ? ableToScale('ScaleUpStabilized', lowestRecent)
        : ableToScale('ScaleDownStabilized', highestRecent);
  if (stabilized > current) {
    const limit = Math.max(current, scaleUpLimit(behavior.scaleUp, history, nowMs, current));
    const byRate = spec.maxReplicas > limit;
    const most = byRate ? limit : spec.maxReplicas;
    if (stabilized > most) return limited(most, stabilized, byRate ? 'ScaleUpLimit' : 'TooManyReplicas', able);
  } else if (stabilized < current) {
    const limit = Math.min(current, scaleDownLimit(behavior.scaleDown, history, nowMs, current));
    const byRate = spec.minReplicas < limit;
    const least = byRate ? limit : spec.minReplicas;
    if (stabilized < least) return limited(least, stabilized, byRate ? 'ScaleDownLimit' : 'TooFewReplicas', able);
  }
  return limited(stabilized, stabilized, 'DesiredWithinRange', able);
}

function stabilizeWithBehavior(
  behavior: HpaBehavior,
  history: HpaHistory,
  nowMs: number,
  current: number,
  proposal: number,
): number {
  const upCutoffMs = nowMs - behavior.scaleUp.stabilizationMs;
  const downCutoffMs = nowMs - behavior.scaleDown.stabilizationMs;
  let up = proposal;
  let down = proposal;
  let slot = -1;
  history.recommendations.forEach(({ replicas, atMs }, index) => {
    if (atMs > upCutoffMs) up = Math.min(up, replicas);
    if (atMs > downCutoffMs) down = Math.max(down, replicas);
    if (atMs < upCutoffMs && atMs < downCutoffMs) slot = index;
  });
  remember(history.recommendations, slot, { replicas: proposal, atMs: nowMs });
  let stabilized = current;
  if (stabilized < up) stabilized = up;
  if (stabilized > down) stabilized = down;
  return stabilized;
}

/** Overwrites the last expired slot, or takes a new one. */
function remember(slots: RecommendationSlot[], slot: number, recommendation: RecommendationSlot): void {
  if (slot >= 0) slots[slot] = recommendation;
  else slots.push(recommendation);
}

function changeWithin(events: ScaleEvent[], nowMs: number, periodMs: number): number {
  return events.reduce((sum, event) => (event.atMs > nowMs - periodMs ? sum + event.change : sum), 0);
}

function periodStart(history: HpaHistory, nowMs: number, periodMs: number, current: number): number {
  return current - changeWithin(history.ups, nowMs, periodMs) + changeWithin(history.downs, nowMs, periodMs);
}

function scaleUpLimit(rules: HpaRules, history: HpaHistory, nowMs: number, current: number): number {
  if (rules.selectPolicy === 'Disabled') return current;
  const limits = rules.policies.map(({ type, value, periodMs }) => {
    const start = periodStart(history, nowMs, periodMs, current);
    return type === 'Pods' ? start + value : Math.ceil(start * (1 + value / 100));
  });
  return rules.selectPolicy === 'Min' ? Math.min(...limits) : Math.max(...limits);
}

function scaleDownLimit(rules: HpaRules, history: HpaHistory, nowMs: number, current: number): number {
  if (rules.selectPolicy === 'Disabled') return current;
  const limits = rules.policies.map(({ type, value, periodMs }) => {
    const start = periodStart(history, nowMs, periodMs, current);
    return type === 'Pods' ? start - value : Math.trunc(start * (1 - value / 100));
  });
  // The greatest change is the lowest count.
  return rules.selectPolicy === 'Min' ? Math.max(...limits) : Math.min(...limits);
}

/** Notes a change that was made, for the rate policies. Without behaviour nothing is noted, as in Kubernetes. */
export function rememberScaleEvent(
  behavior: HpaBehavior | null,
  history: HpaHistory,
  nowMs: number,
  from: number,
  to: number,
): void {
  if (!behavior || from === to) return;
  const [events, rules] = to > from ? [history.ups, behavior.scaleUp] : [history.downs, behavior.scaleDown];
  const longestMs = Math.max(0, ...rules.policies.map((policy) => policy.periodMs));
  let slot = -1;
  events.forEach((event, index) => {
    if (event.atMs < nowMs - longestMs) event.outdated = true;
    if (event.outdated) slot = index;
  });
  const event = { change: Math.abs(to - from), atMs: nowMs, outdated: false };
  if (slot >= 0) events[slot] = event;
  else events.push(event);
}

function ableToScale(reason: string, message: string): HpaCondition {
  return { type: 'AbleToScale', status: 'True', reason, message };
}

function limited(replicas: number, stabilized: number, reason: string, able: HpaCondition): Normalized {
  const status = replicas === stabilized ? 'False' : 'True';
  const condition: HpaCondition = { type: 'ScalingLimited', status, reason, message: limitMessages[reason] ?? '' };
  return { replicas, stabilized, conditions: [able, condition] };
}
