import type { Reason } from '../explain/reasons.ts';
import { amountKey } from './amounts.ts';
import { proportionalLimit, withinContainerRange, withinPodRange } from './limitRange.ts';
import { clamp, entriesOf, mapAmounts, policyOf } from './policy.ts';
import { because } from './sizingReasons.ts';
import type {
  ContainerPolicy,
  ContainerRecommendation,
  LimitRanges,
  ResourceAmounts,
  SizedContainer,
  SizingRecommendation,
} from './types.ts';

/** What is needed to fit a recommendation to one replica. */
export interface ApplyRules {
  policies: ContainerPolicy[];
  limitRanges: LimitRanges;
}

/**
 * A recommendation as it holds for one replica: limit range of pods in proportion, limit range of containers, policy,
 * and, where only requests are controlled, never above the container's limit. Source: VPA capping processor.
 */
export function fitToReplica(
  recommendation: SizingRecommendation,
  containers: SizedContainer[],
  rules: ApplyRules,
  reasons: Reason[] = [],
): SizingRecommendation {
  const inPod = withinPodRange(recommendation.containers, containers, rules.limitRanges.pod, reasons);
  const byName = new Map(containers.map((container) => [container.name, container]));
  return {
    containers: inPod.flatMap((wanted): ContainerRecommendation[] => {
      const container = byName.get(wanted.name);
      if (!container) return [];
      const fit = (amounts: ResourceAmounts, into: Reason[]) => fitAmounts(amounts, container, rules, into);
      return [
        {
          ...wanted,
          lowerBound: fit(wanted.lowerBound, []),
          target: fit(wanted.target, reasons),
          upperBound: fit(wanted.upperBound, []),
        },
      ];
    }),
  };
}

function fitAmounts(
  amounts: ResourceAmounts,
  container: SizedContainer,
  { policies, limitRanges }: ApplyRules,
  reasons: Reason[],
): ResourceAmounts {
  const policy = policyOf(policies, container.name);
  const inRange = withinContainerRange(amounts, container, limitRanges.container);
  const allowed = mapAmounts(inRange, (value, key) =>
    clamp(value, policy?.minAllowed?.[key], policy?.maxAllowed?.[key]),
  );
  const fitted = mapAmounts(allowed, (value, key) =>
    policy?.controlledValues === 'RequestsOnly' ? Math.min(value, container.limits[key] ?? value) : value,
  );
  for (const { resource, key, value } of entriesOf(amounts)) {
    explainFit(container.name, resource, [value, inRange[key], allowed[key], fitted[key]], policy, reasons);
  }
  return fitted;
}

/** `steps`: recommended, after the limit range, after the policy, after the container's own limit. */
function explainFit(
  container: string,
  resource: 'cpu' | 'memory',
  [recommended = 0, inRange = 0, allowed = 0, fitted = 0]: (number | undefined)[],
  policy: ContainerPolicy | null,
  reasons: Reason[],
): void {
  const step = (wanted: number, bound: number) => ({ container, resource, wanted, bound });
  if (inRange !== recommended) reasons.push(because('sizing-limit-range', step(recommended, inRange)));
  if (allowed > inRange) reasons.push(because('sizing-min-allowed', step(inRange, allowed)));
  if (allowed < inRange && policy) {
    reasons.push(because('sizing-max-allowed', { ...step(inRange, allowed), from: 'policy' }));
  }
  if (fitted !== allowed) reasons.push(because('sizing-container-limit', step(allowed, fitted)));
}

/**
 * Requests and limits that each container of a replica gets: the fitted target, and limits in proportion unless only
 * requests are controlled. What is not recommended stays as it is. Source: VPA recommendation provider.
 */
export function applyRecommendation(
  recommendation: SizingRecommendation,
  containers: SizedContainer[],
  rules: ApplyRules,
): { containers: SizedContainer[]; reasons: Reason[] } {
  const reasons: Reason[] = [];
  const fitted = fitToReplica(recommendation, containers, rules, reasons);
  const targets = new Map(fitted.containers.map(({ name, target }) => [name, target]));
  return {
    reasons,
    containers: containers.map((container) => {
      const target = targets.get(container.name);
      if (!target) return container;
      const requests = { ...container.requests, ...target };
      const limits = { ...container.limits };
      if (policyOf(rules.policies, container.name)?.controlledValues !== 'RequestsOnly') {
        for (const { resource } of entriesOf(target)) {
          const key = amountKey[resource];
          const limit = proportionalLimit(container, target[key], key, rules.limitRanges.container?.default?.[key]);
          if (limit !== undefined) limits[key] = limit;
        }
      }
      return { name: container.name, requests, limits };
    }),
  };
}
