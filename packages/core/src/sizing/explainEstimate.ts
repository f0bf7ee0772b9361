import type { Reason } from '../explain/reasons.ts';
import type { ContainerAggregate } from './aggregate.ts';
import { sizedResources } from './amounts.ts';
import type { ContainerEstimate } from './estimator.ts';
import { because } from './sizingReasons.ts';
import type { ContainerPolicy, RecommenderSettings } from './types.ts';

/** The numbers behind a container's estimate: percentile, margin, minimum, and what the bounds rest on. */
export function explainEstimate(
  container: string,
  aggregate: ContainerAggregate,
  estimate: ContainerEstimate,
  policy: ContainerPolicy | null,
  settings: RecommenderSettings,
  reasons: Reason[],
): void {
  const margin = settings.safetyMargin;
  for (const resource of policy?.controlledResources ?? sizedResources) {
    const { targetPercentile, withMargin, minimum } = estimate[resource];
    const { target: percentile } = resource === 'cpu' ? settings.cpuPercentiles : settings.memoryPercentiles;
    if (aggregate[resource].isEmpty) reasons.push(because('sizing-no-history', { container, resource }));
    else {
      const numbers = { percentile, percentileAmount: targetPercentile, margin, withMargin };
      reasons.push(because('sizing-estimate', { container, resource, ...numbers }));
    }
    if (withMargin < minimum) {
      reasons.push(because('sizing-minimum', { container, resource, minimum, estimate: withMargin }));
    }
  }
  if (aggregate.sampleCount === 0) return;
  const spanMs = (aggregate.lastSampleMs ?? 0) - (aggregate.firstSampleMs ?? 0);
  reasons.push(
    because('sizing-confidence', {
      container,
      samples: aggregate.sampleCount,
      spanMs,
      hours: Math.round(spanMs / 360_000) / 10,
      confidence: Math.round(estimate.confidence * 1000) / 1000,
    }),
  );
}
