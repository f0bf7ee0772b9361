/** Flags without a counterpart, by the reason why; those of `switches` may stand without a value. */
interface IgnoredGroup {
  reason: string;
  switches?: readonly string[];
  values?: readonly string[];
}

const groups: readonly IgnoredGroup[] = [
  {
    reason: 'only replicas are moved, and they keep nothing on their node',
    switches: [
      'skip-nodes-with-local-storage',
      'skip-nodes-with-system-pods',
      'skip-nodes-with-custom-controller-pods',
      'ignore-daemonsets-utilization',
      'ignore-mirror-pods-utilization',
      'daemonset-eviction-for-empty-nodes',
      'daemonset-eviction-for-occupied-nodes',
      'force-ds',
    ],
    values: ['min-replica-count', 'blocking-system-pod-distruption-timeout'],
  },
  {
    reason: 'nodes are planned when something happens, not at intervals',
    switches: ['frequent-loops-enabled'],
    values: ['scan-interval', 'new-pod-scale-up-delay', 'unremovable-node-recheck-timeout'],
  },
  {
    reason: 'pools that are alike need no balance; placement.spread of a Workload spreads its replicas',
    switches: ['balance-similar-node-groups'],
    values: [
      'balancing-ignore-label',
      'balancing-label',
      'memory-difference-ratio',
      'max-free-difference-ratio',
      'max-allocatable-difference-ratio',
    ],
  },
  {
    reason: 'one plan covers all pools at once and is bounded by its time',
    switches: ['parallel-scale-up', 'async-node-groups'],
    values: [
      'estimator',
      'max-nodes-per-scaleup',
      'max-nodegroup-binpacking-duration',
      'max-binpacking-time',
      'scale-down-simulation-timeout',
      'scale-down-non-empty-candidates-count',
      'scale-down-candidates-pool-ratio',
      'scale-down-candidates-pool-min-count',
      'cluster-snapshot-parallelism',
      'predicate-parallelism',
      'node-info-cache-expire-time',
    ],
  },
  {
    reason: 'the time after which a pool is tried again is not set here',
    values: [
      'initial-node-group-backoff-duration',
      'max-node-group-backoff-duration',
      'node-group-backoff-reset-timeout',
      'scale-down-delay-after-failure',
      'scale-down-delay-after-delete',
    ],
  },
  {
    reason: 'how nodes that are not ready are treated is not set here',
    switches: ['scale-down-unready-enabled', 'force-delete-unregistered-nodes', 'force-delete-failed-nodes'],
    values: ['scale-down-unready-time', 'max-total-unready-percentage', 'ok-total-unready-count'],
  },
  {
    reason: 'a node is emptied by draining its replicas, each in its own time',
    switches: ['cordon-node-before-terminating', 'dynamic-node-delete-delay-after-taint-enabled'],
    values: [
      'max-pod-eviction-time',
      'node-deletion-delay-timeout',
      'node-deletion-batcher-interval',
      'node-delete-delay-after-taint',
      'node-deletion-candidate-ttl',
      'max-bulk-soft-taint-count',
      'max-bulk-soft-taint-time',
      'drain-priority-config',
    ],
  },
  {
    reason: 'the priority of a Workload decides what gives way',
    values: ['expendable-pods-priority-cutoff'],
  },
  {
    reason: "Kubernetes' scheduler has no part in it here",
    switches: ['scale-from-unschedulable', 'enable-csi-node-aware-scheduling', 'enable-dynamic-resource-allocation'],
    values: ['bypassed-scheduler-names', 'scheduler-config-file', 'status-taint'],
  },
  {
    reason: 'warm spares (warmSpares of a NodePool) keep room; there are no requests for it',
    switches: [
      'enable-provisioning-requests',
      'enable-proactive-scaleup',
      'check-capacity-batch-processing',
      'capacity-buffer-controller-enabled',
      'capacity-buffer-pod-injection-enabled',
    ],
    values: [
      'provisioning-request-initial-backoff-time',
      'provisioning-request-max-backoff-time',
      'provisioning-request-max-backoff-cache-size',
      'pod-injection-limit',
      'check-capacity-provisioning-request-max-batch-size',
      'check-capacity-provisioning-request-batch-timebox',
      'check-capacity-processor-instance',
    ],
  },
  {
    reason: 'it belongs to the way to the cloud, which documents do not describe',
    switches: [
      'aws-use-static-instance-list',
      'bulk-mig-instances-listing-enabled',
      'clusterapi-cloud-config-authoritative',
      'regional',
    ],
    values: ['cloud-config', 'gce-concurrent-refreshes', 'gce-mig-instances-min-refresh-wait-time', 'user-agent'],
  },
  {
    reason: 'there is no expander to ask',
    values: ['grpc-expander-cert', 'grpc-expander-url'],
  },
  {
    reason: "it belongs to the autoscaler's own process",
    switches: [
      'profiling',
      'write-status-configmap',
      'emit-per-nodegroup-metrics',
      'debugging-snapshot-enabled',
      'record-duplicated-events',
      'leader-elect',
      'logtostderr',
      'alsologtostderr',
      'skip-headers',
      'skip-log-headers',
      'add-dir-header',
      'one-output',
      'log-json-info-buffer-size',
    ],
    values: [
      'address',
      'kubernetes',
      'kubeconfig',
      'kube-api-content-type',
      'kube-client-burst',
      'kube-client-qps',
      'namespace',
      'status-config-map-name',
      'max-inactivity',
      'max-failing-time',
      'leader-elect-lease-duration',
      'leader-elect-renew-deadline',
      'leader-elect-retry-period',
      'leader-elect-resource-lock',
      'leader-elect-resource-name',
      'leader-elect-resource-namespace',
      'feature-gates',
      'v',
      'vmodule',
      'stderrthreshold',
      'log-backtrace-at',
      'log-dir',
      'log-file',
      'log-file-max-size',
      'log-flush-frequency',
      'logging-format',
    ],
  },
];

/** Why a flag is ignored, by name. */
export const ignoredFlags: ReadonlyMap<string, string> = new Map(
  groups.flatMap(({ reason, switches = [], values = [] }) => [...switches, ...values].map((name) => [name, reason])),
);

/** Those among them that may stand without a value. */
export const ignoredSwitches: readonly string[] = groups.flatMap(({ switches = [] }) => switches);
