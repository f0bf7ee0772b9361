/** One alert, in the words of Prometheus. */
interface Alert {
  readonly alert: string;
  readonly expr: string;
  /** How long it has to hold. */
  readonly for: string;
  readonly labels: { readonly severity: 'critical' | 'warning' };
  readonly annotations: { readonly summary: string; readonly description: string };
}

const alert = (
  name: string,
  severity: Alert['labels']['severity'],
  lasting: string,
  expr: string,
  summary: string,
  description: string,
): Alert => ({ alert: name, expr, for: lasting, labels: { severity }, annotations: { summary, description } });

const workload = '{{ $labels.namespace }}/{{ $labels.workload }}';

/** Alerts for an Ebb in a cluster, as a file of rules of Prometheus. */
export const alertRules = {
  groups: [
    {
      name: 'ebb',
      rules: [
        alert(
          'EbbNobodyDecides',
          'critical',
          '2m',
          'absent(ebb_leader) or sum(ebb_leader) < 1',
          'No operator of Ebb decides.',
          'Replicas stay as they are, whatever the demand. ebb kubernetes doctor tells why no operator holds the lease.',
        ),
        alert(
          'EbbSeveralDecide',
          'critical',
          '1m',
          'sum(ebb_leader) > 1',
          'More than one operator of Ebb decides.',
          'Either there is one for each tenant, and then this rule is to be split by namespace, or two hold different leases.',
        ),
        alert(
          'EbbTriggerFailing',
          'warning',
          '5m',
          'max by (namespace, scaledObject, metric, scaler) (ebb_trigger_failing) == 1',
          'A trigger of {{ $labels.namespace }}/{{ $labels.scaledObject }} cannot be read.',
          'The source of {{ $labels.metric }} ({{ $labels.scaler }}) gives no value: its object does not go to zero by that, and falls back where it says so.',
        ),
        alert(
          'EbbWorkloadNotAvailable',
          'warning',
          '10m',
          'min by (namespace, workload) (ebb_workload_condition{condition="Available"}) == 0',
          `${workload} is not available.`,
          'Its condition Available says why: kubectl describe, or ebb kubernetes doctor.',
        ),
        alert(
          'EbbReplicasMissing',
          'warning',
          '15m',
          'sum by (namespace, workload) (ebb_replicas{state="wanted"}) > sum by (namespace, workload) (ebb_replicas{state="ready"})',
          `${workload} has fewer replicas than were granted.`,
          'Pods wait for a node, for an image, or fail: kubectl get pods.',
        ),
        alert(
          'EbbRequestsWait',
          'warning',
          '1m',
          'max by (namespace, workload) (ebb_oldest_held_seconds) > 60',
          `A request to ${workload} waits for {{ $value | humanizeDuration }}.`,
          'A cold start takes long, or there is no room for another replica.',
        ),
        alert(
          'EbbRequestsFail',
          'critical',
          '5m',
          'sum by (namespace, workload) (rate(ebb_requests_total{outcome="failed"}[5m])) / sum by (namespace, workload) (rate(ebb_requests_arrived_total[5m])) > 0.05',
          `{{ $value | humanizePercentage }} of the requests to ${workload} fail.`,
          'They began on a replica and broke there.',
        ),
        alert(
          'EbbReplicasWithoutNode',
          'warning',
          '15m',
          'max by (cluster) (ebb_replicas_without_node) > 0',
          '{{ $value }} replicas wait for a machine.',
          'No machine that may be had takes them, or none is delivered: the reasons of the cluster say which.',
        ),
      ],
    },
  ],
};
