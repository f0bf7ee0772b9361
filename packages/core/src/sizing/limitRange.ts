import type { Reason } from '../explain/reasons.ts';
import { amountKey, type AmountKey, inProportion, sizedResources } from './amounts.ts';
import { clamp, mapAmounts } from './policy.ts';
import { because } from './sizingReasons.ts';
import type { ContainerRecommendation, LimitRange, ResourceAmounts, SizedContainer, SizedResource } from './types.ts';

type Bound = 'lowerBound' | 'target' | 'upperBound';

/**
 * The limit that keeps its proportion to the request when the request becomes `recommended`; undefined: none. A limit
 * without a request counts as equal to it. Source: VPA limit and request scaling.
 */
export function proportionalLimit(
  { limits, requests }: SizedContainer,
  recommended: number | undefined,
  key: AmountKey,
  defaultLimit: number | undefined,
): number | undefined {
  const limit = limits[key] || defaultLimit;
  const request = requests[key];
  if (!limit || !recommended) return undefined;
  if (!request || request === limit) return recommended;
  return inProportion(limit, recommended, request, 'down');
}

/**
 * Recommended requests within a limit range of containers: requests are moved so that the limit, kept in proportion,
 * fits too. Source: VPA capping processor.
 */
export function withinContainerRange(
  amounts: ResourceAmounts,
  container: SizedContainer,
  range: LimitRange | undefined,
): ResourceAmounts {
  if (!range) return amounts;
  return mapAmounts(amounts, (value, key) => {
    const min = Math.max(requestAt(container, range.min?.[key], key, range) ?? 0, range.min?.[key] ?? 0);
    return clamp(value, min, requestAt(container, range.max?.[key], key, range));
  });
}

/** The request at which the limit, in proportion, reaches `boundary`; undefined without a limit. */
function requestAt(
  { limits, requests }: SizedContainer,
  boundary: number | undefined,
  key: AmountKey,
  range: LimitRange,
): number | undefined {
  const limit = limits[key] || range.default?.[key];
  const request = requests[key];
  if (!limit || boundary === undefined) return undefined;
  return request ? inProportion(request, boundary, limit, 'down') : boundary;
}

/**
 * Recommendations scaled so that the containers together fit into a limit range of pods. Containers without a
 * recommendation take part with what they request, and get that as their target. Where upstream would write an amount
 * of 0 or fail, because a container has no amount of the resource, it is left alone here. Source: VPA capping
 * processor.
 */
export function withinPodRange(
  recommendations: ContainerRecommendation[],
  containers: SizedContainer[],
  range: LimitRange | undefined,
  reasons: Reason[],
): ContainerRecommendation[] {
  if (!range) return recommendations;
  const missing = containers.filter(
    ({ name, requests }) =>
      Object.keys(requests).length > 0 && !recommendations.some((recommendation) => recommendation.name === name),
  );
  const result = [
    ...recommendations.map((r) => ({
      ...r,
      lowerBound: { ...r.lowerBound },
      target: { ...r.target },
      upperBound: { ...r.upperBound },
    })),
    ...missing.map(({ name, requests }) => ({
      name,
      lowerBound: {},
      target: { ...requests },
      upperBound: {},
      uncappedTarget: {},
    })),
  ];
  for (const bound of ['upperBound', 'target', 'lowerBound'] as const) {
    for (const resource of sizedResources) scaleToPodRange(result, containers, range, resource, bound, reasons);
  }
  return result;
}

function scaleToPodRange(
  recommendations: ContainerRecommendation[],
  containers: SizedContainer[],
  range: LimitRange,
  resource: SizedResource,
  bound: Bound,
  reasons: Reason[],
): void {
  const key = amountKey[resource];
  const byName = new Map(recommendations.map((recommendation) => [recommendation.name, recommendation]));
  let limitSum = 0;
  let requestSum = 0;
  for (const container of containers) {
    const recommendation = byName.get(container.name);
    const request = recommendation ? recommendation[bound][key] : container.requests[key];
    limitSum += proportionalLimit(container, request, key, range.default?.[key]) ?? 0;
    requestSum += request ?? 0;
  }
  const min = range.min?.[key] ?? 0;
  const max = range.max?.[key] || Number.POSITIVE_INFINITY;
  if ((min <= limitSum && min <= requestSum && limitSum <= max) || limitSum === 0) return;
  const raises = min > requestSum;
  const [numerator, denominator] = raises ? [min, requestSum] : [limitSum > max ? max : min, limitSum];
  if (denominator === 0) return;
  for (const { name } of containers) {
    const recommendation = byName.get(name);
    const wanted = recommendation?.[bound][key];
    if (!recommendation || wanted === undefined) continue;
    // Upstream's rounding up has no effect on memory, which it keeps in whole bytes.
    const to = inProportion(wanted, numerator, denominator, raises && resource === 'cpu' ? 'up' : 'down');
    recommendation[bound][key] = to;
    if (bound === 'target' && to !== wanted) {
      reasons.push(because('sizing-pod-limit-range', { container: name, resource, wanted, bound: to }));
    }
  }
}
