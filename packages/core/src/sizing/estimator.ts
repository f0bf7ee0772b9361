import type { ContainerAggregate } from './aggregate.ts';
import { toAmount } from './amounts.ts';
import type { Percentiles, RecommenderSettings, ResourceAmounts } from './types.ts';

/** The three amounts of one resource and the steps to them, each truncated as it was used. */
export interface ResourceEstimate {
  lowerBound: number;
  target: number;
  upperBound: number;
  /** The target's percentile, then with the margin added. */
  targetPercentile: number;
  withMargin: number;
  /** Least that any of the three may be. */
  minimum: number;
}

export interface ContainerEstimate {
  cpu: ResourceEstimate;
  memory: ResourceEstimate;
  confidence: number;
}

/**
 * How much history there is, in units of `confidenceIntervalMs`: the shorter of the time between first and last CPU
 * sample and of the number of samples at one a minute. Source: VPA recommender, estimators.
 */
export function confidenceOf(aggregate: ContainerAggregate, confidenceIntervalMs: number): number {
  const { firstSampleMs, lastSampleMs, sampleCount } = aggregate;
  const spanMs = firstSampleMs === null || lastSampleMs === null ? 0 : lastSampleMs - firstSampleMs;
  return Math.min(spanMs / confidenceIntervalMs, sampleCount / (confidenceIntervalMs / 60_000));
}

/**
 * What a container needs: percentile, plus margin, widened by confidence (the bounds only), at least the minimum.
 * `containers` is how many share the minimum of the pod. A short history widens the bounds, so that little is done on
 * little knowledge; memory uses the confidence of CPU samples too. Source: VPA recommender, estimators.
 */
export function estimateContainer(
  aggregate: ContainerAggregate,
  containers: number,
  settings: RecommenderSettings,
): ContainerEstimate {
  const confidence = confidenceOf(aggregate, settings.confidenceIntervalMs);
  const share = 1 / containers;
  const common = { confidence, safetyMargin: settings.safetyMargin };
  return {
    confidence,
    cpu: estimate(settings.cpuPercentiles, {
      ...common,
      percentile: (p) => toAmount(aggregate.cpu.percentile(p) * 1000),
      // Through cores and back, as upstream does it, truncated.
      minimum: toAmount(toAmount(settings.podMinCpuMilli * 0.001 * 1000) * share),
    }),
    memory: estimate(settings.memoryPercentiles, {
      ...common,
      percentile: (p) => toAmount(aggregate.memory.percentile(p)),
      minimum: toAmount(toAmount(settings.podMinMemoryBytes) * share),
    }),
  };
}

/** One of the estimate's values for both resources. */
export function amountsOf(
  estimate: ContainerEstimate,
  bound: 'lowerBound' | 'target' | 'upperBound',
): Required<ResourceAmounts> {
  return { cpuMilli: estimate.cpu[bound], memoryBytes: estimate.memory[bound] };
}

interface Basis {
  confidence: number;
  safetyMargin: number;
  minimum: number;
  percentile: (p: number) => number;
}

function estimate(percentiles: Percentiles, basis: Basis): ResourceEstimate {
  const { confidence, minimum } = basis;
  const withMargin = (base: number): number => base + toAmount(base * basis.safetyMargin);
  const targetPercentile = basis.percentile(percentiles.target);
  const target = withMargin(targetPercentile);
  const narrowing = 1 + 0.001 / confidence;
  const lower = toAmount(withMargin(basis.percentile(percentiles.lowerBound)) * (1 / (narrowing * narrowing)));
  const upper = toAmount(withMargin(basis.percentile(percentiles.upperBound)) * (1 + 1 / confidence));
  return {
    lowerBound: Math.max(lower, minimum),
    target: Math.max(target, minimum),
    upperBound: Math.max(upper, minimum),
    targetPercentile,
    withMargin: target,
    minimum,
  };
}
