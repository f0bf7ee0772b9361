/** One thing that the operator may do, and why it has to. */
export interface Permission {
  /** Empty: the core group. */
  readonly group: string;
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly reason: string;
}

/** Everything is followed, nothing is asked for one by one. */
const follow = ['list', 'watch'] as const;

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
    resources: ['scaledobjects', 'triggerauthentications', 'clustertriggerauthentications'],
    verbs: follow,
    reason: "to scale by KEDA's documents as they are",
  },
  {
    group: 'keda.sh',
    resources: ['scaledobjects/status'],
    verbs: ['patch'],
    reason: "to say in KEDA's own fields what became of them",
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
    group: '',
    resources: ['pods'],
    verbs: follow,
    reason: 'to see which replicas are ready, and where',
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

/** In the operator's own namespace. */
export const ownPermissions: readonly Permission[] = [
  {
    group: 'coordination.k8s.io',
    resources: ['leases'],
    verbs: ['get', 'create', 'update'],
    reason: 'to elect the one that writes',
  },
];

/** In the operator's own namespace and in each that `readNamespaces` names. */
export const credentialPermissions: readonly Permission[] = [
  {
    group: '',
    resources: ['secrets', 'configmaps'],
    verbs: ['get'],
    reason: 'to sign in to the sources of triggers; one by name, never a list',
  },
];

/** Rules of a Role. */
export function rulesOf(permissions: readonly Permission[]) {
  return permissions.map(({ group, resources, verbs }) => ({
    apiGroups: [group],
    resources: [...resources],
    verbs: [...verbs],
  }));
}
