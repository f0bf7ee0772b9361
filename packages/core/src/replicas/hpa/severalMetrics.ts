import {
  CalculatorError,
  type CalculatorInput,
  type Proposal,
  replicasForAverageOfPods,
  replicasForAverageValue,
  replicasForUtilization,
  replicasForValue,
} from './calculator.ts';
import type { HpaMetricReading, HpaMetricSpec, HpaObservation } from './types.ts';

export interface MetricProposal {
  metric: string;
  /** Unit of the proposal's `current`. */
  unit: 'percent' | 'milli';
  proposal: Proposal | null;
  /** Condition reason and message when it could not be computed. */
  failure: { reason: string; message: string } | null;
}

export interface MetricsResult {
  /** Largest proposal; null when nothing may be scaled. */
  replicas: number | null;
  metric: string;
  proposals: MetricProposal[];
  active: { status: 'True' | 'False'; reason: string; message: string };
  /** Kept although it scaled: some metric failed. */
  partial: boolean;
}

const failedReason: Record<HpaMetricSpec['type'], string> = {
  Resource: 'FailedGetResourceMetric',
  ContainerResource: 'FailedGetContainerResourceMetric',
  Pods: 'FailedGetPodsMetric',
  Object: 'FailedGetObjectMetric',
  External: 'FailedGetExternalMetric',
};

/**
 * The largest proposal of all metrics (`computeReplicasForMetrics`). When some metric fails, the rest may scale up or
 * hold but never down; when all fail, or the selector is unusable, nothing is scaled.
 */
export function proposeByMetrics(
  metrics: HpaMetricSpec[],
  observation: HpaObservation,
  input: CalculatorInput,
): MetricsResult {
  const { selectorProblem } = observation;
  if (selectorProblem) {
    return {
      replicas: null,
      metric: '',
      proposals: [],
      active: { status: 'False', ...selectorProblem },
      partial: false,
    };
  }
  const proposals = metrics.map((metric, index) => proposeByMetric(metric, observation.metrics[index], input));
  let replicas = 0;
  let name = '';
  for (const { metric, proposal } of proposals) {
    if (!proposal || (replicas !== 0 && proposal.replicas <= replicas)) continue;
    replicas = proposal.replicas;
    name = metric;
  }
  const failures = proposals.flatMap((one) => (one.failure ? [one.failure] : []));
  const [firstFailure] = failures;
  if (firstFailure && (failures.length >= metrics.length || replicas < input.currentReplicas)) {
    return { replicas: null, metric: name, proposals, active: { status: 'False', ...firstFailure }, partial: false };
  }
  const message = `the HPA was able to successfully calculate a replica count from ${name}`;
  return {
    replicas,
    metric: name,
    proposals,
    active: { status: 'True', reason: 'ValidMetricFound', message },
    partial: failures.length > 0,
  };
}

function proposeByMetric(
  metric: HpaMetricSpec,
  reading: HpaMetricReading | undefined,
  input: CalculatorInput,
): MetricProposal {
  const name = metricName(metric);
  const unit = metric.target.type === 'Utilization' ? 'percent' : 'milli';
  try {
    return { metric: name, unit, proposal: propose(metric, reading, input), failure: null };
  } catch (error) {
    if (!(error instanceof CalculatorError)) throw error;
    const failure =
      error.message === invalidSource
        ? {
            reason: 'InvalidMetricSourceType',
            message: `the HPA was unable to compute the replica count: invalid target of ${name}`,
          }
        : {
            reason: failedReason[metric.type],
            message: `the HPA was unable to compute the replica count: ${error.message}`,
          };
    return { metric: name, unit, proposal: null, failure };
  }
}

const invalidSource = 'invalid metric source';

function propose(metric: HpaMetricSpec, reading: HpaMetricReading | undefined, input: CalculatorInput): Proposal {
  if (!reading) throw new CalculatorError(`no reading of ${metric.name}`);
  if ('error' in reading) throw new CalculatorError(reading.error);
  const { target } = metric;
  if (metric.type === 'Object' || metric.type === 'External') {
    if (!('valuesMilli' in reading)) throw new CalculatorError(`the reading of ${metric.name} has no values`);
    if (metric.type === 'Object' && reading.valuesMilli.length !== 1)
      throw new CalculatorError(`the reading of ${metric.name} is not one value`);
    if (reading.valuesMilli.length === 0)
      throw new CalculatorError(`no metrics returned from external metrics API for ${metric.name}`);
    if (target.type === 'Value') return replicasForValue(input, reading.valuesMilli, target.valueMilli);
    if (target.type === 'AverageValue')
      return replicasForAverageValue(input, reading.valuesMilli, target.averageValueMilli);
    throw new CalculatorError(invalidSource);
  }
  if (!('pods' in reading)) throw new CalculatorError(`the reading of ${metric.name} has no samples of pods`);
  if (reading.pods.length === 0)
    throw new CalculatorError(`no metrics returned from ${metric.type === 'Pods' ? 'custom' : 'resource'} metrics API`);
  if (target.type === 'AverageValue') {
    // Readiness matters for CPU only, and never for a custom metric that happens to have that name.
    const resource = metric.type === 'Pods' ? '' : metric.name;
    return replicasForAverageOfPods(input, reading.pods, resource, target.averageValueMilli);
  }
  if (target.type === 'Utilization' && metric.type !== 'Pods') {
    const container = metric.type === 'ContainerResource' ? metric.container : null;
    return replicasForUtilization(input, reading.pods, metric.name, container, target.averageUtilization);
  }
  throw new CalculatorError(invalidSource);
}

/** The metric as Kubernetes names it in conditions. */
function metricName(metric: HpaMetricSpec): string {
  const utilization = metric.target.type === 'Utilization' ? ' utilization (percentage of request)' : '';
  switch (metric.type) {
    case 'Resource':
      return `${metric.name} resource${utilization}`;
    case 'ContainerResource':
      return `${metric.name} container resource${utilization}`;
    case 'Pods':
      return `pods metric ${metric.name}`;
    case 'Object':
      return `object metric ${metric.name}`;
    case 'External':
      return `external metric ${metric.name}`;
  }
}
