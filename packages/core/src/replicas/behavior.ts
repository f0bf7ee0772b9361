import type { ScalingSpec } from '@ebb/documents';
import type { Reason } from '../explain/reasons.ts';
import type { Json } from './types.ts';

type Rules = ScalingSpec['behavior']['scaleUp'];

/**
 * Behaviour rules in HPA's order: stabilise first, on raw recommendations, then limit the rate of change
 * (Kubernetes pkg/controller/podautoscaler, `stabilizeRecommendationWithBehaviors` and `convertDesiredReplicasWithBehaviorRate`).
 *
 * A recommendation counts for as long as it was in force, not only at the moments it was computed, so that asking
 * more often changes nothing.
 */
export interface BehaviorMemory {
  /** `[replicas, in force until]`, oldest first; the last one is in force now. */
  history: [number, number][];
  /** `[at, change]` of the counts that were decided: positive up, negative down. */
  changes: [number, number][];
}

/** Entries kept; beyond it the oldest ones are merged so that the result can only become more cautious. */
const mostEntries = 100;

export interface BehaviorResult {
  replicas: number;
  reasons: Reason[];
  /** When the result could change by time alone; null: never. */
  revisitAtMs: number | null;
}

export function emptyBehaviorMemory(): BehaviorMemory {
  return { history: [], changes: [] };
}

/** Remembers the recommendation as in force from now on. */
export function rememberRecommendation(
  memory: BehaviorMemory,
  nowMs: number,
  replicas: number,
  longestMs: number,
): void {
  const last = memory.history.at(-1);
  if (last) last[1] = nowMs;
  if (!last || last[0] !== replicas) memory.history.push([replicas, nowMs]);
  const newest = memory.history.length - 1;
  const recent = memory.history.filter((entry, index) => index === newest || entry[1] > nowMs - longestMs);
  memory.history = withoutOutlasted(recent);
  while (memory.history.length > mostEntries) mergeOldest(memory.history);
}

/**
 * Without the entries that cannot count any more: a later one counts longer, so that an entry matters only while it is
 * larger, or smaller, than all that came after it. Stabilisation gives the same with them and without.
 */
function withoutOutlasted(history: [number, number][]): [number, number][] {
  let largest = Number.NEGATIVE_INFINITY;
  let smallest = Number.POSITIVE_INFINITY;
  const kept: [number, number][] = [];
  for (let index = history.length - 1; index >= 0; index--) {
    const entry = history[index];
    if (!entry || (entry[0] <= largest && entry[0] >= smallest)) continue;
    largest = Math.max(largest, entry[0]);
    smallest = Math.min(smallest, entry[0]);
    kept.push(entry);
  }
  return kept.reverse();
}

/** Two old recommendations become one that lasts as long and shrinks as little as either. */
function mergeOldest(history: [number, number][]): void {
  const [first, second] = history;
  if (!first || !second) return;
  second[0] = Math.max(first[0], second[0]);
  history.shift();
}

/** Remembers a change of the decided count. */
export function rememberChange(memory: BehaviorMemory, nowMs: number, change: number, longestMs: number): void {
  memory.changes = memory.changes.filter((entry) => entry[0] > nowMs - longestMs);
  if (change !== 0) memory.changes.push([nowMs, change]);
  while (memory.changes.length > mostEntries) {
    const [first, second] = memory.changes;
    if (!first || !second) break;
    second[1] += first[1];
    memory.changes.shift();
  }
}

/** Longest time that the rules look back. */
export function behaviorHorizonMs(behavior: ScalingSpec['behavior']): number {
  const of = (rules: Rules) => Math.max(rules.stabilizationMs, ...rules.policies.map((policy) => policy.periodMs));
  return Math.max(0, of(behavior.scaleUp), of(behavior.scaleDown));
}

/** The recommendation after stabilisation and rate limits. `memory.history` must already hold it. */
export function applyBehavior(
  behavior: ScalingSpec['behavior'],
  memory: BehaviorMemory,
  nowMs: number,
  current: number,
  recommended: number,
): BehaviorResult {
  const reasons: Reason[] = [];
  const stabilized = stabilize(behavior, memory, nowMs, current, recommended);
  if (stabilized.replicas !== recommended) {
    const down = recommended < current;
    const windowMs = (down ? behavior.scaleDown : behavior.scaleUp).stabilizationMs;
    reasons.push({
      code: down ? 'scale-down-stabilized' : 'scale-up-stabilized',
      stage: 'behavior',
      data: { recommended, replicas: stabilized.replicas, windowMs },
    });
  }
  const limited = limitRate(behavior, memory, nowMs, current, stabilized.replicas);
  if (limited.replicas !== stabilized.replicas) {
    reasons.push({
      code: stabilized.replicas > current ? 'scale-up-limited' : 'scale-down-limited',
      stage: 'behavior',
      data: { wanted: stabilized.replicas, replicas: limited.replicas, current },
    });
  }
  const revisits = [stabilized.revisitAtMs, limited.revisitAtMs].filter((at) => at !== null);
  return { replicas: limited.replicas, reasons, revisitAtMs: revisits.length > 0 ? Math.min(...revisits) : null };
}

interface Step {
  replicas: number;
  revisitAtMs: number | null;
}

function stabilize(
  behavior: ScalingSpec['behavior'],
  memory: BehaviorMemory,
  nowMs: number,
  current: number,
  recommended: number,
): Step {
  let up = recommended;
  let down = recommended;
  let revisitAtMs: number | null = null;
  for (const [replicas, untilMs] of memory.history) {
    const upExpiresMs = untilMs + behavior.scaleUp.stabilizationMs;
    const downExpiresMs = untilMs + behavior.scaleDown.stabilizationMs;
    if (upExpiresMs > nowMs && replicas < up) up = replicas;
    if (downExpiresMs > nowMs && replicas > down) down = replicas;
    for (const at of [upExpiresMs, downExpiresMs]) {
      if (replicas !== recommended && at > nowMs) revisitAtMs = Math.min(revisitAtMs ?? at, at);
    }
  }
  const replicas = current < up ? up : current > down ? down : current;
  return { replicas, revisitAtMs };
}

function limitRate(
  behavior: ScalingSpec['behavior'],
  memory: BehaviorMemory,
  nowMs: number,
  current: number,
  wanted: number,
): Step {
  if (wanted === current) return { replicas: current, revisitAtMs: null };
  const rules = wanted > current ? behavior.scaleUp : behavior.scaleDown;
  if (rules.selectPolicy === 'Disabled') return { replicas: current, revisitAtMs: null };
  if (rules.policies.length === 0) return { replicas: wanted, revisitAtMs: null };
  const limits = rules.policies.map((policy) => {
    const recent = memory.changes.filter((entry) => entry[0] > nowMs - policy.periodMs);
    const start = current - recent.reduce((sum, entry) => sum + entry[1], 0);
    if (wanted > current) {
      const limit = policy.type === 'Pods' ? start + policy.value : Math.ceil(start * (1 + policy.value / 100));
      // From zero a percentage allows nothing for ever; the gate has decided that one is needed.
      return Math.max(current, limit, current === 0 ? 1 : 0);
    }
    const limit = policy.type === 'Pods' ? start - policy.value : Math.trunc(start * (1 - policy.value / 100));
    return Math.min(current, Math.max(0, limit));
  });
  const up = wanted > current;
  const greatest = rules.selectPolicy === 'Max' ? up : !up;
  const limit = greatest ? Math.max(...limits) : Math.min(...limits);
  const replicas = up ? Math.min(wanted, limit) : Math.max(wanted, limit);
  if (replicas === wanted) return { replicas, revisitAtMs: null };
  const expiries = rules.policies.flatMap((policy) =>
    memory.changes.map((entry) => entry[0] + policy.periodMs).filter((at) => at > nowMs),
  );
  // What is decided now is itself a change that expires.
  const shortestMs = Math.min(...rules.policies.map((policy) => policy.periodMs));
  return { replicas, revisitAtMs: Math.min(nowMs + shortestMs, ...expiries) };
}

export function behaviorToJson(memory: BehaviorMemory): Json {
  return { h: memory.history.map((entry) => [...entry]), c: memory.changes.map((entry) => [...entry]) };
}

export function behaviorFromJson(json: Json | undefined): BehaviorMemory {
  const memory = emptyBehaviorMemory();
  if (json === null || typeof json !== 'object' || Array.isArray(json)) return memory;
  memory.history = pairs(json.h);
  memory.changes = pairs(json.c);
  return memory;
}

function pairs(json: Json | undefined): [number, number][] {
  if (!Array.isArray(json)) return [];
  return json.flatMap((entry) => {
    if (!Array.isArray(entry)) return [];
    const [a, b] = entry;
    return typeof a === 'number' && typeof b === 'number' ? [[a, b] as [number, number]] : [];
  });
}
