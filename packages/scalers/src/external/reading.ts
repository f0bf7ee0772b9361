import { SourceError } from '../contract/errors.ts';
import type { SourceReading } from '../contract/source.ts';
import type { ScalerClient } from './client.ts';
import type { MetricSpec, MetricValue, ScaledObjectRef } from './contract.ts';

/**
 * Asks for activity and for every metric that the scaler names. Several metrics are several demands, of which the
 * largest counts: the reading is that of the metric with the largest value for its target.
 */
export async function readExternal(
  client: ScalerClient,
  address: string,
  reference: ScaledObjectRef,
  signal: AbortSignal,
): Promise<SourceReading> {
  const [{ result: active }, { metricSpecs }] = await Promise.all([
    client.call('IsActive', reference, signal),
    client.call('GetMetricSpec', reference, signal),
  ]);
  if (metricSpecs.length === 0) throw new SourceError('bad-answer', `${address} names no metric in GetMetricSpec`);
  const metrics = await Promise.all(
    metricSpecs.map(async (spec) => {
      const { metricName } = spec;
      const target = targetOf(spec, address);
      const { metricValues } = await client.call('GetMetrics', { scaledObjectRef: reference, metricName }, signal);
      if (metricValues.length === 0) throw new SourceError('bad-answer', `${address} gives no value for ${metricName}`);
      // Several values of one metric are added up, as the HPA does.
      const value = metricValues.reduce((sum, one) => sum + valueOf(one, address), 0);
      return { metricName, target, value };
    }),
  );
  const largest = metrics.reduce((most, one) => (one.value / one.target > most.value / most.target ? one : most));
  const { value, target, metricName } = largest;
  const message = `${metricName}, which asks for most of ${metrics.length} metrics`;
  return { value, active, target, ...(metrics.length > 1 ? { message } : {}) };
}

function targetOf({ metricName, targetSize, targetSizeFloat }: MetricSpec, address: string): number {
  const target = targetSizeFloat > 0 ? targetSizeFloat : targetSize;
  if (target > 0 && Number.isFinite(target)) return target;
  throw new SourceError('bad-answer', `${address}: the target of ${metricName} must be more than 0, found ${target}`);
}

/** Below 0 is 0, as in KEDA; what is no number is a fault and not a demand of 0. */
function valueOf({ metricName, metricValue, metricValueFloat }: MetricValue, address: string): number {
  const value = metricValueFloat === 0 || metricValueFloat < 0 ? metricValue : metricValueFloat;
  if (Number.isFinite(value)) return Math.max(0, value);
  throw new SourceError('bad-answer', `${address}: the value of ${metricName} must be a number, found ${value}`);
}
