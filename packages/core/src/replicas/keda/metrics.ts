import type { HpaMetricReading, HpaMetricSpec } from '../hpa/types.ts';
import type { FallbackBehavior, KedaDecisionSpec, KedaObservation, KedaReading, KedaTrigger } from './types.ts';

/**
 * What KEDA's metrics adapter answers the HPA: values rounded to thousandths, fallback values while a source fails
 * (pkg/fallback/fallback.go), and the composite metric of a formula.
 */

/** Consecutive failures of each trigger, kept between decisions. */
export type FailureCounts = Record<string, number>;

export interface AdapterMetric {
  trigger: string;
  metric: HpaMetricSpec;
  reading: HpaMetricReading;
  /** The value is the fallback's, not the source's. */
  isFallback: boolean;
}

/** Evaluates a scaling-modifier formula; null stands for a trigger without a value. May throw. */
export type FormulaEvaluator = (formula: string, values: Record<string, number | null>) => number | null;

/** Thousandths, as `%.3f` of the value; what is not a positive finite number counts as 0. */
export function toMilli(value: number): number {
  if (!Number.isFinite(value) || value < 0) return 0;
  return Math.min(Number.MAX_SAFE_INTEGER, Math.round(Number(value.toFixed(3)) * 1000));
}

/** Counts failures: up by one for each failed reading, back to zero with the first good one. */
export function countFailures(
  triggers: KedaTrigger[],
  observation: KedaObservation,
  before: FailureCounts,
): FailureCounts {
  const after: FailureCounts = {};
  for (const { name } of triggers) {
    const reading = observation.readings[name];
    const failures = before[name] ?? 0;
    const isKnown = observation.fresh !== undefined && !observation.fresh.includes(name);
    after[name] = reading === undefined || isKnown ? failures : 'error' in reading ? failures + 1 : 0;
  }
  return after;
}

/** The metrics as the HPA sees them, in the document's order; a formula turns all external ones into one. */
export function adapterMetrics(
  spec: KedaDecisionSpec,
  observation: KedaObservation,
  failures: FailureCounts,
  evaluate: FormulaEvaluator,
): AdapterMetric[] {
  const resources = spec.triggers.flatMap((trigger) => {
    if (!trigger.resource) return [];
    const reading = observation.resourceMetrics?.[trigger.name] ?? { error: `no metrics of ${trigger.name}` };
    return [{ trigger: trigger.name, metric: trigger.resource, reading, isFallback: false }];
  });
  const external = spec.triggers.filter((trigger) => !trigger.resource);
  if (spec.modifiers && external.length > 0)
    return [...resources, composite(spec, external, observation, failures, evaluate)];
  return [...external.map((trigger) => single(spec, trigger, observation, failures)), ...resources];
}

function single(
  spec: KedaDecisionSpec,
  trigger: KedaTrigger,
  observation: KedaObservation,
  failures: FailureCounts,
): AdapterMetric {
  const metric = externalMetric(
    trigger.name,
    trigger.metricType === 'Value' ? 'Value' : 'AverageValue',
    trigger.target,
  );
  const reading = observation.readings[trigger.name] ?? { error: `no reading of ${trigger.name}` };
  if ('value' in reading)
    return { trigger: trigger.name, metric, reading: { valuesMilli: [toMilli(reading.value)] }, isFallback: false };
  if (!fallbackIsDue(spec, failures[trigger.name] ?? 0)) {
    return { trigger: trigger.name, metric, reading: { error: reading.error }, isFallback: false };
  }
  const fallback = fallbackReading(spec, observation, metric.target.type === 'Value', trigger.target, reading.error);
  return { trigger: trigger.name, metric, reading: fallback, isFallback: !('error' in fallback) };
}

function composite(
  spec: KedaDecisionSpec,
  triggers: KedaTrigger[],
  observation: KedaObservation,
  failures: FailureCounts,
  evaluate: FormulaEvaluator,
): AdapterMetric {
  const { modifiers } = spec;
  if (!modifiers) throw new Error('composite metric without modifiers');
  const name = 'composite-metric';
  const metric = externalMetric(name, modifiers.metricType, modifiers.target);
  const values: Record<string, number | null> = {};
  let broken: { name: string; error: string } | null = null;
  for (const trigger of triggers) {
    const reading: KedaReading = observation.readings[trigger.name] ?? { error: `no reading of ${trigger.name}` };
    if ('value' in reading) values[trigger.name] = reading.value;
    else {
      values[trigger.name] = null;
      broken ??= { name: trigger.name, error: reading.error };
    }
  }
  const byFormula = spec.fallback?.behavior === 'scalingModifiers';
  if (broken && !byFormula) {
    const due = fallbackIsDue(spec, failures[broken.name] ?? 0);
    const reading = due
      ? fallbackReading(spec, observation, metric.target.type === 'Value', modifiers.target, broken.error)
      : { error: broken.error };
    return { trigger: name, metric, reading, isFallback: due && !('error' in reading) };
  }
  try {
    const value = evaluate(modifiers.formula, values);
    if (value !== null)
      return { trigger: name, metric, reading: { valuesMilli: [toMilli(value)] }, isFallback: broken !== null };
    const replicas = spec.fallback?.replicas;
    if (replicas === undefined)
      return { trigger: name, metric, reading: { error: 'the formula has no value' }, isFallback: false };
    return {
      trigger: name,
      metric,
      reading: { valuesMilli: [toMilli(replicas * modifiers.target)] },
      isFallback: true,
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { trigger: name, metric, reading: { error: `formula: ${why}` }, isFallback: false };
  }
}

function externalMetric(name: string, type: 'Value' | 'AverageValue', target: number): HpaMetricSpec {
  const milli = toMilli(target);
  return {
    type: 'External',
    name,
    target: type === 'Value' ? { type, valueMilli: milli } : { type, averageValueMilli: milli },
  };
}

/** More failures than the threshold, strictly; the counter has already been raised for this one. */
function fallbackIsDue(spec: KedaDecisionSpec, failures: number): boolean {
  return spec.fallback !== null && failures > spec.fallback.failureThreshold;
}

function fallbackReading(
  spec: KedaDecisionSpec,
  observation: KedaObservation,
  isValue: boolean,
  target: number,
  error: string,
): HpaMetricReading {
  const { fallback, modifiers } = spec;
  if (!fallback) return { error };
  // KEDA reads the modifiers' target as a whole number here: a fractional one switches the fallback off.
  if (modifiers && !Number.isInteger(target) && !spec.improvements) return { error };
  const replicas = fallbackReplicas(fallback.behavior, fallback.replicas, observation.specReplicas);
  if (!isValue) return { valuesMilli: [toMilli(target * replicas)] };
  if (observation.readyReplicas === 0) return { error: `${error}; fallback of a Value metric needs a ready replica` };
  return { valuesMilli: [toMilli((target * replicas) / observation.readyReplicas)] };
}

function fallbackReplicas(behavior: FallbackBehavior, replicas: number, current: number): number {
  switch (behavior) {
    case 'currentReplicas':
      return current;
    case 'currentReplicasIfHigher':
      return Math.max(current, replicas);
    case 'currentReplicasIfLower':
      return Math.min(current, replicas);
    default:
      return replicas;
  }
}
