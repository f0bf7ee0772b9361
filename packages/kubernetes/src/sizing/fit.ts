import type { ContainerRecommendation, ResourceAmounts, SizedContainer, SizedResource } from '@ebb/core';
import { wholeMebibytes } from './recommendation.ts';
import { type QosClass, qosOf, type SizableContainer } from './sizedPod.ts';

/** What a workload allows of its sizing. */
export interface SizingRules {
  readonly controlledValues: 'RequestsAndLimits' | 'RequestsOnly';
  readonly maxAllowed: ResourceAmounts;
  /** What may change at all. */
  readonly resources: readonly SizedResource[];
  /** Part of the pods that may be changed at once; one always may. */
  readonly share: number;
}

/** What of one container changes. */
export interface ContainerChange {
  readonly name: string;
  readonly requests: ResourceAmounts;
  readonly limits: ResourceAmounts;
}

type AmountKey = keyof ResourceAmounts;

const keyOf: Record<SizedResource, AmountKey> = { cpu: 'cpuMilli', memory: 'memoryBytes' };
/** A smaller difference is not worth a write. */
const leastDifference = 0.1;

export interface FitInput {
  readonly container: SizableContainer;
  readonly recommended: ContainerRecommendation;
  /** Its limits as they would move in proportion to its requests. */
  readonly proportional: ResourceAmounts;
  /** What it uses now; null: not known, and nothing is lowered. */
  readonly used: ResourceAmounts | null;
  readonly qos: QosClass;
  readonly rules: SizingRules;
}

/**
 * What one container should have that it has not; null: nothing. A request is never lowered below what is used now, and never raised
 * above what is allowed; memory is never raised to less than is used. A limit is only ever raised, and only where the request would be
 * above it, but for the CPU of a Guaranteed pod, whose limit is its request.
 */
export function fitContainer(input: FitInput): ContainerChange | null {
  const { container, qos, rules } = input;
  const requests: ResourceAmounts = {};
  const limits: ResourceAmounts = {};
  // With its limits left alone, a Guaranteed pod has nothing that could change.
  if (qos === 'Guaranteed' && rules.controlledValues === 'RequestsOnly') return null;
  for (const resource of rules.resources) {
    if (container.restartsFor.includes(resource)) continue;
    const key = keyOf[resource];
    const wanted = wantedRequest(input, key);
    if (wanted === null) continue;
    const limit = container.limits[key];
    requests[key] = wanted;
    if (qos === 'Guaranteed') limits[key] = wanted;
    else if (limit !== undefined && wanted > limit) limits[key] = raisedLimit(input, key, wanted);
  }
  return Object.keys(requests).length === 0 ? null : { name: container.name, requests, limits };
}

function wantedRequest({ container, recommended, used, qos, rules }: FitInput, key: AmountKey): number | null {
  const target = recommended.target[key];
  if (target === undefined) return null;
  const now = container.requests[key];
  const limit = container.limits[key];
  const inUse = used?.[key] ?? 0;
  let wanted = key === 'memoryBytes' ? Math.max(wholeMebibytes(target), inUse) : target;
  const most = rules.maxAllowed[key];
  if (most) wanted = Math.min(wanted, most);
  if (rules.controlledValues === 'RequestsOnly' && limit !== undefined) wanted = Math.min(wanted, limit);
  if (now === undefined) return wanted;
  if (wanted < now) wanted = used ? Math.min(now, Math.max(wanted, inUse)) : now;
  // A lower memory limit would end what grows into it.
  if (qos === 'Guaranteed' && key === 'memoryBytes' && wanted < now) return null;
  const isTooLittle = now < (recommended.lowerBound[key] ?? 0);
  const isClose = Math.abs(wanted - now) < now * leastDifference;
  if (wanted === now || (isClose && !(isTooLittle && wanted > now))) return null;
  return wanted;
}

/** Of a limit that is below the request that is wanted. */
function raisedLimit({ proportional, rules }: FitInput, key: AmountKey, wanted: number): number {
  const grown = proportional[key] ?? wanted;
  const whole = key === 'memoryBytes' ? wholeMebibytes(grown) : grown;
  const most = rules.maxAllowed[key];
  return Math.max(wanted, most ? Math.min(whole, Math.max(most, wanted)) : whole);
}

/**
 * The changes as they may be made in place, where a pod has to keep its class: a Burstable one that would turn Guaranteed by them
 * asks for a thousandth of a core, or a byte, less.
 */
export function keepingClass(
  containers: readonly SizableContainer[],
  others: readonly SizableContainer[],
  changes: readonly ContainerChange[],
): ContainerChange[] {
  const before = qosOf([...containers, ...others]);
  const after = qosOf([...containers.map((one) => withChange(one, changes)), ...others]);
  if (before === after || after !== 'Guaranteed') return [...changes];
  const [first, ...rest] = changes;
  if (!first) return [];
  const { cpuMilli, memoryBytes } = first.requests;
  const less = cpuMilli === undefined ? { memoryBytes: (memoryBytes ?? 0) - 1 } : { cpuMilli: cpuMilli - 1 };
  return [{ ...first, requests: { ...first.requests, ...less } }, ...rest];
}

export function withChange<Container extends SizedContainer>(
  container: Container,
  changes: readonly ContainerChange[],
): Container {
  const change = changes.find(({ name }) => name === container.name);
  if (!change) return container;
  return {
    ...container,
    requests: { ...container.requests, ...change.requests },
    limits: { ...container.limits, ...change.limits },
  };
}
