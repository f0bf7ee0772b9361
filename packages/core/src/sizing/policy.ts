import type { Reason } from '../explain/reasons.ts';
import { type AmountKey, amountKey, roundUp, sizedResources } from './amounts.ts';
import { because } from './sizingReasons.ts';
import type {
  ContainerPolicy,
  ContainerRecommendation,
  RecommenderSettings,
  ResourceAmounts,
  SizedResource,
} from './types.ts';

/** The policy named after the container, else the one for all (`*`), else none. */
export function policyOf(policies: ContainerPolicy[], container: string): ContainerPolicy | null {
  const own = policies.find((policy) => policy.container === container);
  return own ?? policies.findLast((policy) => policy.container === '*') ?? null;
}

/** The controlled resources of an amount; the others are not recommended for. */
export function controlled(amounts: ResourceAmounts, policy: ContainerPolicy | null): ResourceAmounts {
  const result: ResourceAmounts = {};
  for (const resource of policy?.controlledResources ?? sizedResources) {
    const key = amountKey[resource];
    if (amounts[key] !== undefined) result[key] = amounts[key];
  }
  return result;
}

/** Amounts rounded up to the recommender's steps, then CPU to whole cores where the policy asks for it. */
export function rounded(
  amounts: ResourceAmounts,
  policy: ContainerPolicy | null,
  settings: Pick<RecommenderSettings, 'roundCpuMilli' | 'roundMemoryBytes'>,
): ResourceAmounts {
  const result: ResourceAmounts = {};
  if (amounts.cpuMilli !== undefined) {
    result.cpuMilli = roundUp(roundUp(amounts.cpuMilli, settings.roundCpuMilli), policy?.integerCpu ? 1000 : 1);
  }
  if (amounts.memoryBytes !== undefined) {
    result.memoryBytes = roundUp(amounts.memoryBytes, settings.roundMemoryBytes);
  }
  return result;
}

/** An amount raised to a lower bound and then cut to an upper one, which wins; bounds of 0 are none. */
export function clamp(value: number, min: number | undefined, max: number | undefined): number {
  const raised = min && value < min ? min : value;
  return max && raised > max ? max : raised;
}

/**
 * Target and bounds within what the policy allows; the uncapped target is kept. The recommender-wide maximum holds for
 * a resource that the policy's own maximum does not name. Source: VPA capping post-processor.
 */
export function capToPolicy(
  recommendation: ContainerRecommendation,
  policy: ContainerPolicy | null,
  recommenderMax: ResourceAmounts,
  reasons: Reason[],
): ContainerRecommendation {
  const min = policy?.minAllowed ?? {};
  const maxOf = (key: AmountKey): number | undefined => policy?.maxAllowed?.[key] ?? recommenderMax[key];
  const cap = (amounts: ResourceAmounts): ResourceAmounts =>
    mapAmounts(amounts, (value, key) => clamp(value, min[key], maxOf(key)));
  for (const { resource, key, value } of entriesOf(recommendation.target)) {
    const lowest = min[key];
    const highest = maxOf(key);
    const data = { container: recommendation.name, resource };
    const raised = clamp(value, lowest, undefined);
    if (raised !== value && raised === clamp(value, lowest, highest)) {
      reasons.push(because('sizing-min-allowed', { ...data, wanted: value, bound: raised }));
    } else if (highest && raised > highest) {
      const from = policy?.maxAllowed?.[key] === undefined ? 'recommender' : 'policy';
      reasons.push(because('sizing-max-allowed', { ...data, wanted: raised, bound: highest, from }));
    }
  }
  return {
    ...recommendation,
    lowerBound: cap(recommendation.lowerBound),
    target: cap(recommendation.target),
    upperBound: cap(recommendation.upperBound),
  };
}

/** The resources that are set, CPU first. */
export function entriesOf(amounts: ResourceAmounts): { resource: SizedResource; key: AmountKey; value: number }[] {
  return sizedResources.flatMap((resource) => {
    const key = amountKey[resource];
    const value = amounts[key];
    return value === undefined ? [] : [{ resource, key, value }];
  });
}

/** The same resources with other amounts. */
export function mapAmounts(
  amounts: ResourceAmounts,
  change: (value: number, key: AmountKey) => number,
): ResourceAmounts {
  const result: ResourceAmounts = {};
  for (const { key, value } of entriesOf(amounts)) result[key] = change(value, key);
  return result;
}
