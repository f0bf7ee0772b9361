import type { WorkloadStatus } from '@ebb/documents';
import type { Engine } from '@ebb/engine';
import type { ServedState } from '@ebb/kubernetes';
import { engineLines, familyLines, processLines, type Sample } from './metrics.ts';

export interface OperatorMetrics {
  version: string;
  /** Wall milliseconds. */
  startedAt: number;
  /** What decides while this process leads; null: another one does, or nobody. */
  engine: Pick<Engine, 'statuses' | 'fleets' | 'scaledJobs'> | null;
  /** Services whose endpoints are kept; left out: none are. */
  services?: readonly ServedState[];
}

/**
 * The Prometheus text format of an operator in a cluster: what the control plane of one machine has, whether this process
 * leads, and triggers by the names that KEDA gives to the same things. Of several operators only the one that leads has
 * anything to say of workloads.
 */
export function operatorMetricsText({ version, startedAt, engine, services = [] }: OperatorMetrics): string {
  const workloads = engine?.statuses() ?? [];
  const lines = [
    ...processLines({ version, startedAt }),
    ...familyLines('ebb_leader', 'gauge', 'Whether this process holds the lease and decides.', [
      { labels: {}, value: Number(engine !== null) },
    ]),
    ...engineLines(workloads, engine?.fleets() ?? []),
    ...conditionLines(workloads),
    ...kedaLines(workloads, engine?.scaledJobs().length ?? 0),
    ...serviceLines(services),
  ];
  return `${lines.join('\n')}\n`;
}

function conditionLines(workloads: readonly WorkloadStatus[]): string[] {
  const help = 'Conditions of a workload: 1 where it is true, 0 where it is false, -1 where it is not known.';
  const values = { True: 1, False: 0, Unknown: -1 } as const;
  const samples = workloads.flatMap(({ cluster, namespace, name, conditions }) =>
    conditions.map(
      ({ type, status }): Sample => ({
        labels: { cluster, namespace, workload: name, condition: type },
        value: values[status],
      }),
    ),
  );
  return familyLines('ebb_workload_condition', 'gauge', help, samples);
}

function serviceLines(services: readonly ServedState[]): string[] {
  if (services.length === 0) return [];
  const help = 'Whether requests of a Service go straight to its pods, past the gateways.';
  const samples = services.map(
    ({ isDirect, ...labels }): Sample => ({ labels: { ...labels }, value: Number(isDirect) }),
  );
  return familyLines('ebb_service_out_of_path', 'gauge', help, samples);
}

function kedaLines(workloads: readonly WorkloadStatus[], scaledJobs: number): string[] {
  const objects = workloads.flatMap(({ namespace, scaledBy, conditions }) =>
    scaledBy?.kind === 'ScaledObject' ? [{ namespace, conditions, ...scaledBy }] : [],
  );
  const triggers = objects.flatMap(({ namespace, name: scaledObject, triggers: own }) =>
    own.map((trigger, index) => ({
      trigger,
      labels: {
        namespace,
        metric: trigger.name,
        scaledObject,
        scaler: trigger.type,
        triggerIndex: String(index),
        type: 'scaledobject',
      },
    })),
  );
  const types = Map.groupBy(triggers, ({ trigger }) => trigger.type);
  return [
    ...familyLines(
      'keda_scaler_active',
      'gauge',
      'Whether the trigger keeps its object from zero.',
      triggers.flatMap(({ trigger: { active }, labels }) =>
        active === null ? [] : [{ labels, value: Number(active) }],
      ),
    ),
    ...familyLines(
      'keda_scaler_metrics_value',
      'gauge',
      'Value that was read last.',
      triggers.flatMap(({ trigger: { value }, labels }) => (value === null ? [] : [{ labels, value }])),
    ),
    ...familyLines(
      'ebb_trigger_failing',
      'gauge',
      'Whether the source of the trigger cannot be read now.',
      triggers.map(({ trigger: { state }, labels }) => ({
        labels,
        value: Number(state === 'error' || state === 'missing'),
      })),
    ),
    ...familyLines('keda_resource_registered_total', 'gauge', 'Objects of KEDA that are followed, by kind.', [
      { labels: { type: 'scaled_object' }, value: objects.length },
      { labels: { type: 'scaled_job' }, value: scaledJobs },
    ]),
    ...familyLines(
      'keda_trigger_registered_total',
      'gauge',
      'Triggers that are followed, by type.',
      [...types].map(([type, own]) => ({ labels: { type }, value: own.length })),
    ),
  ];
}
