/** One namespace, several, or null: all of them. */
export type Namespaces = string | readonly string[] | null;

/** Each namespace that is asked for by itself; null: all at once. */
export function eachNamespace(namespaces: Namespaces): readonly (string | null)[] {
  return typeof namespaces === 'string' || namespaces === null ? [namespaces] : namespaces;
}

/** A collection of the API server. */
export interface Resource {
  /** Empty: the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

const namespaced = true;

export const resources = {
  pods: { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced },
  nodes: { group: '', version: 'v1', plural: 'nodes', kind: 'Node', namespaced: false },
  secrets: { group: '', version: 'v1', plural: 'secrets', kind: 'Secret', namespaced },
  configMaps: { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap', namespaced },
  deployments: { group: 'apps', version: 'v1', plural: 'deployments', kind: 'Deployment', namespaced },
  statefulSets: { group: 'apps', version: 'v1', plural: 'statefulsets', kind: 'StatefulSet', namespaced },
  replicaSets: { group: 'apps', version: 'v1', plural: 'replicasets', kind: 'ReplicaSet', namespaced },
  daemonSets: { group: 'apps', version: 'v1', plural: 'daemonsets', kind: 'DaemonSet', namespaced },
  jobs: { group: 'batch', version: 'v1', plural: 'jobs', kind: 'Job', namespaced },
  services: { group: '', version: 'v1', plural: 'services', kind: 'Service', namespaced },
  endpointSlices: {
    group: 'discovery.k8s.io',
    version: 'v1',
    plural: 'endpointslices',
    kind: 'EndpointSlice',
    namespaced,
  },
  events: { group: 'events.k8s.io', version: 'v1', plural: 'events', kind: 'Event', namespaced },
  leases: { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', kind: 'Lease', namespaced },
  horizontalPodAutoscalers: {
    group: 'autoscaling',
    version: 'v2',
    plural: 'horizontalpodautoscalers',
    kind: 'HorizontalPodAutoscaler',
    namespaced,
  },
  verticalPodAutoscalers: {
    group: 'autoscaling.k8s.io',
    version: 'v1',
    plural: 'verticalpodautoscalers',
    kind: 'VerticalPodAutoscaler',
    namespaced,
  },
  scaledObjects: { group: 'keda.sh', version: 'v1alpha1', plural: 'scaledobjects', kind: 'ScaledObject', namespaced },
  scaledJobs: { group: 'keda.sh', version: 'v1alpha1', plural: 'scaledjobs', kind: 'ScaledJob', namespaced },
  triggerAuthentications: {
    group: 'keda.sh',
    version: 'v1alpha1',
    plural: 'triggerauthentications',
    kind: 'TriggerAuthentication',
    namespaced,
  },
  clusterTriggerAuthentications: {
    group: 'keda.sh',
    version: 'v1alpha1',
    plural: 'clustertriggerauthentications',
    kind: 'ClusterTriggerAuthentication',
    namespaced: false,
  },
  nodeClaims: { group: 'karpenter.sh', version: 'v1', plural: 'nodeclaims', kind: 'NodeClaim', namespaced: false },
  clusters: { group: 'ebb.dev', version: 'v1alpha1', plural: 'clusters', kind: 'Cluster', namespaced },
  nodePools: { group: 'ebb.dev', version: 'v1alpha1', plural: 'nodepools', kind: 'NodePool', namespaced },
  httpScaledObjects: {
    group: 'http.keda.sh',
    version: 'v1alpha1',
    plural: 'httpscaledobjects',
    kind: 'HTTPScaledObject',
    namespaced,
  },
  interceptorRoutes: {
    group: 'http.keda.sh',
    version: 'v1beta1',
    plural: 'interceptorroutes',
    kind: 'InterceptorRoute',
    namespaced,
  },
  workloads: { group: 'ebb.dev', version: 'v1alpha1', plural: 'workloads', kind: 'Workload', namespaced },
} as const satisfies Record<string, Resource>;

/** `group/version`, or `v1` of the core group. */
export function apiVersionOf({ group, version }: Pick<Resource, 'group' | 'version'>): string {
  return group === '' ? version : `${group}/${version}`;
}

export function splitApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf('/');
  if (slash < 0) return { group: '', version: apiVersion };
  return { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

/** Path of a group and version, such as `/apis/apps/v1`. */
export function groupPath({ group, version }: Pick<Resource, 'group' | 'version'>): string {
  return group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
}

/** Path of the collection; a namespace of null is all of them. */
export function collectionPath(resource: Resource, namespace: string | null): string {
  const within = resource.namespaced && namespace !== null ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${groupPath(resource)}${within}/${resource.plural}`;
}

export function objectPath(
  resource: Resource,
  { namespace, name }: { namespace: string; name: string },
  subresource?: 'eviction' | 'resize' | 'scale' | 'status',
): string {
  const path = `${collectionPath(resource, resource.namespaced ? namespace : null)}/${encodeURIComponent(name)}`;
  return subresource ? `${path}/${subresource}` : path;
}
