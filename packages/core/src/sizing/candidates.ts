import type { Reason } from '../explain/reasons.ts';
import { fitToReplica } from './apply.ts';
import { amountKey } from './amounts.ts';
import { entriesOf, policyOf } from './policy.ts';
import { because } from './sizingReasons.ts';
import type { ContainerRecommendation, SizedContainer, SizingRecommendation } from './types.ts';
import { byUrgency, type UpdatePriority, updatePriority } from './updatePriority.ts';
import type { EvictionRequirement, UpdatableReplica, UpdateSpec } from './updaterTypes.ts';

export interface Candidate {
  replica: UpdatableReplica;
  priority: UpdatePriority;
  reasons: Reason[];
}

/**
 * The replicas that should be updated, most urgent first: a request outside its bounds, or a quick OOM, or old enough
 * and far enough from the target. The others go to `held` with the reason. Source: VPA updater, priority calculator;
 * as there, the OOM has to be recent too.
 */
export function candidatesOf(
  spec: UpdateSpec,
  recommendation: SizingRecommendation,
  replicas: UpdatableReplica[],
  nowMs: number,
  held: { replica: string; reasons: Reason[] }[],
): Candidate[] {
  const candidates: Candidate[] = [];
  for (const replica of replicas) {
    const fitted = fitToReplica(recommendation, replica.containers, spec);
    const priority = updatePriority(replica.containers, fitted, replica.observedContainers);
    const quickOom = hasQuickOom(spec, replica, nowMs);
    const { wanted, reason } = isWanted(spec, replica, fitted, priority, quickOom, nowMs);
    if (!wanted) held.push({ replica: replica.name, reasons: [reason] });
    else if (!meetsRequirements(spec.policy.evictionRequirements, replica.containers, fitted)) {
      held.push({ replica: replica.name, reasons: [reason, because('sizing-requirement', { replica: replica.name })] });
    } else candidates.push({ replica, priority, reasons: [reason] });
  }
  return candidates.sort((a, b) => byUrgency(a.priority, b.priority));
}

/** Whether some target is lower than one that was refused. */
export function asksForLess(now: SizingRecommendation, refused: SizingRecommendation): boolean {
  return refused.containers.some((before) => {
    const after = now.containers.find(({ name }) => name === before.name);
    return (
      after !== undefined && entriesOf(before.target).some(({ key, value }) => (after.target[key] ?? value) < value)
    );
  });
}

function isWanted(
  { policy, settings }: UpdateSpec,
  { name: replica, startedAtMs, refused }: UpdatableReplica,
  fitted: SizingRecommendation,
  { outsideRange, difference }: UpdatePriority,
  quickOom: boolean,
  nowMs: number,
): { wanted: boolean; reason: Reason } {
  const lifetimeMs = settings.minLifetimeMs;
  if (policy.mode === 'InPlace' && refused && !asksForLess(fitted, refused)) {
    return { wanted: false, reason: because('sizing-refused-before', { replica }) };
  }
  if (quickOom && difference === 0) return { wanted: false, reason: because('sizing-oom-same-size', { replica }) };
  if (quickOom) {
    const withinMs = policy.evictAfterOomMs ?? settings.evictAfterOomMs;
    return { wanted: true, reason: because('sizing-quick-oom', { replica, withinMs }) };
  }
  if (outsideRange) return { wanted: true, reason: because('sizing-outside-range', { replica, difference }) };
  if (startedAtMs === null || nowMs < startedAtMs + lifetimeMs) {
    return { wanted: false, reason: because('sizing-too-young', { replica, lifetimeMs }) };
  }
  if (difference < settings.minDifference) {
    return { wanted: false, reason: because('sizing-close-enough', { replica, difference }) };
  }
  return { wanted: true, reason: because('sizing-long-lived', { replica, difference, lifetimeMs }) };
}

function hasQuickOom(
  { policy, policies, settings }: UpdateSpec,
  { containers, observedContainers }: UpdatableReplica,
  nowMs: number,
): boolean {
  const withinMs = policy.evictAfterOomMs ?? settings.evictAfterOomMs;
  return containers.some(({ name, lastOom }) => {
    if (!lastOom || (observedContainers && !observedContainers.includes(name))) return false;
    if (policyOf(policies, name)?.mode === 'Off') return false;
    const { startedAtMs, finishedAtMs } = lastOom;
    return finishedAtMs - startedAtMs < withinMs && nowMs - finishedAtMs < withinMs;
  });
}

/**
 * Whether one container at least meets all requirements; a container without a request for CPU or memory does. Source:
 * VPA updater, eviction admission by direction.
 */
function meetsRequirements(
  requirements: EvictionRequirement[],
  containers: SizedContainer[],
  fitted: SizingRecommendation,
): boolean {
  if (requirements.length === 0) return true;
  return containers.some((container) => {
    const wanted = fitted.containers.find(({ name }) => name === container.name);
    if (!wanted) return false;
    const { cpuMilli, memoryBytes } = container.requests;
    if (cpuMilli === undefined || memoryBytes === undefined) return true;
    return requirements.every((requirement) => meets(requirement, container, wanted));
  });
}

function meets(
  { resources, changeRequirement }: EvictionRequirement,
  { requests }: SizedContainer,
  { target }: ContainerRecommendation,
): boolean {
  return resources.some((resource) => {
    const key = amountKey[resource];
    const change = (target[key] ?? 0) - (requests[key] ?? 0);
    return changeRequirement === 'TargetHigherThanRequests' ? change > 0 : change < 0;
  });
}
