import { adviceConfigMapName, externalMetricsName } from './settings.ts';

/** One thing that the operator may do, and why it has to. */
export interface Permission {
  /** Empty: the core group. */
  readonly group: string;
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  /** Of these objects alone; left out: of all. */
  readonly names?: readonly string[];
  readonly reason: string;
}

/** Everything is followed, nothing is asked for one by one. */
export const follow = ['list', 'watch'] as const;

/** In every namespace. No Secret, no exec, no change of anybody's spec but its number of replicas. */
export const clusterPermissions: readonly Permission[] = [
  {
    group: 'ebb.dev',
    resources: ['workloads'],
    verbs: follow,
    reason: 'to know what is wanted; Ebb never writes a spec',
  },
  {
    group: 'ebb.dev',
    resources: ['workloads/status'],
    verbs: ['patch'],
    reason: 'to say what was decided and why',
  },
  {
    group: 'keda.sh',
    resources: ['scaledobjects', 'scaledjobs', 'triggerauthentications', 'clustertriggerauthentications'],
    verbs: follow,
    reason: "to scale by KEDA's documents as they are",
  },
  {
    group: 'http.keda.sh',
    resources: ['httpscaledobjects', 'interceptorroutes'],
    verbs: follow,
    reason: "to route, hold and count requests by the documents of KEDA's http-add-on as they are",
  },
  {
    group: 'keda.sh',
    resources: ['scaledobjects/status', 'scaledjobs/status'],
    verbs: ['patch'],
    reason: "to say in KEDA's own fields what became of them",
  },
  {
    group: 'keda.sh',
    resources: ['scaledobjects', 'scaledjobs'],
    verbs: ['patch'],
    reason: "to take KEDA's finalizer off those that are deleted while KEDA is switched off: they would stay for ever",
  },
  {
    group: 'events.k8s.io',
    resources: ['events'],
    verbs: ['create', 'patch'],
    reason: 'to tell of each object what was done and why, as `kubectl describe` shows it',
  },
  {
    group: 'autoscaling',
    resources: ['horizontalpodautoscalers'],
    verbs: follow,
    reason: 'to see who else scales a target, and leave it alone',
  },
  {
    group: 'apps',
    resources: ['deployments', 'statefulsets', 'replicasets'],
    verbs: follow,
    reason: 'to see the targets, their templates and which pods are theirs',
  },
  {
    group: 'apps',
    resources: ['deployments/scale', 'statefulsets/scale', 'replicasets/scale'],
    verbs: ['get', 'update'],
    reason: 'to scale: the number of replicas, and nothing else of the target',
  },
  {
    group: 'batch',
    resources: ['jobs'],
    verbs: follow,
    reason: 'to count the Jobs of ScaledJobs, whoever has made them',
  },
  {
    group: 'batch',
    resources: ['jobs'],
    verbs: ['create', 'get'],
    reason: 'to make Jobs of ScaledJobs, and to see that one that is there already is the one that was asked for',
  },
  {
    group: 'batch',
    resources: ['jobs'],
    verbs: ['delete'],
    reason: 'to keep no more finished Jobs than the history limits say, and to replace those of an earlier ScaledJob',
  },
  {
    group: '',
    resources: ['pods'],
    verbs: follow,
    reason: 'to see which replicas are ready, and where',
  },
  {
    group: 'metrics.k8s.io',
    resources: ['pods'],
    verbs: ['list'],
    reason: 'to scale by the cpu and memory that pods use; asked only for workloads with such triggers',
  },
  {
    group: '',
    resources: ['pods'],
    verbs: ['patch'],
    reason: 'to mark with pod-deletion-cost which pod of a ReplicaSet goes first',
  },
  {
    group: '',
    resources: ['pods'],
    verbs: ['delete'],
    reason: 'to have one replica replaced while their number stays',
  },
];

/** In the whole cluster, where node pools are switched on (`nodePools`). Nodes of others are seen and never written to. */
export const nodePermissions: readonly Permission[] = [
  {
    group: 'ebb.dev',
    resources: ['clusters', 'nodepools'],
    verbs: follow,
    reason: 'to know which machines may be made',
  },
  {
    group: 'ebb.dev',
    resources: ['clusters/status', 'nodepools/status'],
    verbs: ['patch'],
    reason: 'to say how many machines there are, what they cost, and what is wrong',
  },
  {
    group: '',
    resources: ['nodes'],
    verbs: follow,
    reason: 'to see which nodes there are, and when one that was made is ready',
  },
  {
    group: '',
    resources: ['nodes'],
    verbs: ['patch'],
    reason: 'to close a node that goes to new pods, and to give one that has joined the labels and taints of its pool',
  },
  {
    group: '',
    resources: ['nodes'],
    verbs: ['delete'],
    reason: 'to remove the Node of a machine that has been ended',
  },
  {
    group: '',
    resources: ['pods/eviction'],
    verbs: ['create'],
    reason: 'to empty a node that goes, as far as disruption budgets allow',
  },
  {
    group: 'apps',
    resources: ['daemonsets'],
    verbs: follow,
    reason: 'to leave room for their pods on a node that is not there yet',
  },
  {
    group: 'karpenter.sh',
    resources: ['nodeclaims'],
    verbs: follow,
    reason: 'to see what becomes of the nodes that Karpenter was asked for',
  },
  {
    group: 'karpenter.sh',
    resources: ['nodeclaims'],
    verbs: ['create', 'patch', 'delete'],
    reason: 'to ask Karpenter for a node (by server-side apply, which needs both), and to end it',
  },
];

/** In the whole cluster, where Ebb serves the external metrics API (`externalMetrics`). */
export const externalMetricsPermissions: readonly Permission[] = [
  {
    group: 'apiregistration.k8s.io',
    resources: ['apiservices'],
    verbs: ['get', 'patch'],
    names: [externalMetricsName],
    reason: "to see that no other adapter has the API, and to have the API server trust the operator's certificate",
  },
];

/** In the operator's own namespace, where Ebb serves the external metrics API. */
export const ownExternalMetricsPermissions: readonly Permission[] = [
  {
    group: '',
    resources: ['pods'],
    verbs: ['patch'],
    reason: 'to mark the pod that leads, which questions are sent to',
  },
];

/** In the operator's own namespace. */
export const ownPermissions: readonly Permission[] = [
  {
    group: 'coordination.k8s.io',
    resources: ['leases'],
    verbs: ['get', 'create', 'update'],
    reason: 'to elect the one that writes',
  },
  {
    group: '',
    resources: ['pods'],
    verbs: follow,
    reason: 'to find the gateways, also where the pods of another namespace alone are followed',
  },
  {
    group: '',
    resources: ['secrets'],
    verbs: ['create'],
    reason: 'to make the secret by which operator and gateways know each other, once',
  },
  {
    group: '',
    resources: ['configmaps'],
    verbs: ['create', 'patch'],
    names: [adviceConfigMapName],
    reason: 'to show what it advises beside what happened',
  },
];

const isReading = ({ verbs }: Permission) => verbs.every((verb) => ['get', 'list', 'watch'].includes(verb));

/** What an operator may do in the place of that where it only advises: it sees the same, and writes to no target. */
export const advicePermissions: readonly Permission[] = clusterPermissions.filter(
  (permission) =>
    isReading(permission) ||
    (permission.group === 'ebb.dev' && permission.resources.every((resource) => resource.endsWith('/status'))),
);

/** In its own namespace where it only advises: its lease, and what it shows. There are no gateways to make a secret for. */
export const ownAdvicePermissions: readonly Permission[] = ownPermissions.filter(
  (permission) => isReading(permission) || !permission.resources.includes('secrets'),
);

/** In the operator's own namespace and in each that `readNamespaces` names. */
export const credentialPermissions: readonly Permission[] = [
  {
    group: '',
    resources: ['secrets', 'configmaps'],
    verbs: ['get'],
    reason: 'to sign in to the sources of triggers; one by name, never a list',
  },
];

/** For each kind that `scaleKinds` names, such as `rollouts` of `argoproj.io`; where Ebb only advises, their scale is read alone. */
export function scaleKindPermissions(group: string, resource: string, isAdvice = false): readonly Permission[] {
  const scale = isAdvice
    ? { verbs: ['get'], reason: 'to see how many replicas they are to have' }
    : { verbs: ['get', 'update'], reason: 'to scale them: the number of replicas, and nothing else of the target' };
  return [
    {
      group,
      resources: [resource],
      verbs: follow,
      reason: 'to see the targets of this kind and their templates',
    },
    { group, resources: [`${resource}/scale`], ...scale },
  ];
}

/** Resources that are in no namespace, as `group/resource`. A Role cannot grant them. */
const clusterScoped = new Set([
  '/nodes',
  '/nodes/status',
  '/namespaces',
  '/persistentvolumes',
  'keda.sh/clustertriggerauthentications',
  'karpenter.sh/nodepools',
  'karpenter.sh/nodepools/status',
  'karpenter.sh/nodeclaims',
  'karpenter.sh/nodeclaims/status',
  'scheduling.k8s.io/priorityclasses',
  'storage.k8s.io/storageclasses',
  'storage.k8s.io/csinodes',
  'node.k8s.io/runtimeclasses',
]);

/** What of the rights in every namespace can be had in one. */
export function namespacedPermissions(permissions: readonly Permission[]): Permission[] {
  return permissions.flatMap((permission) => {
    const resources = permission.resources.filter((resource) => !clusterScoped.has(`${permission.group}/${resource}`));
    return resources.length > 0 ? [{ ...permission, resources }] : [];
  });
}

/** Rules of a Role. */
export function rulesOf(permissions: readonly Permission[]) {
  return permissions.map(({ group, resources, verbs, names }) => ({
    apiGroups: [group],
    resources: [...resources],
    verbs: [...verbs],
    ...(names ? { resourceNames: [...names] } : {}),
  }));
}
