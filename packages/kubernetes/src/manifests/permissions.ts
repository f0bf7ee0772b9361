/** One thing that the operator may do, and why it has to. */
export interface Permission {
  /** Empty: the core group. */
  readonly group: string;
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly reason: string;
}

const read = ['get', 'list', 'watch'] as const;

/** In every namespace. No Secret, no exec, no change of anybody's spec but its number of replicas. */
export const clusterPermissions: readonly Permission[] = [
  {
    group: 'ebb.dev',
    resources: ['workloads', 'clusters', 'nodepools'],
    verbs: read,
    reason: 'to know what is wanted; Ebb never writes a spec',
  },
  {
    group: 'ebb.dev',
    resources: ['workloads/status', 'clusters/status', 'nodepools/status'],
    verbs: ['get', 'update', 'patch'],
    reason: 'to say what was decided and why',
  },
  {
    group: 'keda.sh',
    resources: ['scaledobjects', 'scaledjobs', 'triggerauthentications', 'clustertriggerauthentications'],
    verbs: read,
    reason: "to scale by KEDA's documents as they are",
  },
  {
    group: 'keda.sh',
    resources: ['scaledobjects/status'],
    verbs: ['get', 'update', 'patch'],
    reason: "to say in KEDA's own fields what became of them",
  },
  {
    group: 'autoscaling',
    resources: ['horizontalpodautoscalers'],
    verbs: read,
    reason: 'to see who else scales a target, and leave it alone',
  },
  {
    group: 'apps',
    resources: ['deployments', 'statefulsets', 'replicasets'],
    verbs: read,
    reason: 'to see the targets, their templates and which pods are theirs',
  },
  {
    group: 'apps',
    resources: ['deployments/scale', 'statefulsets/scale', 'replicasets/scale'],
    verbs: ['get', 'update', 'patch'],
    reason: 'to scale: the number of replicas, and nothing else of the target',
  },
  {
    group: '',
    resources: ['pods'],
    verbs: read,
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
    reason: 'to end the replica that has drained where its controller cannot be told which',
  },
  {
    group: 'batch',
    resources: ['jobs'],
    verbs: [...read, 'create', 'delete'],
    reason: 'to run the Jobs of ScaledJobs, and to remove those that their history limits no longer keep',
  },
  {
    group: '',
    resources: ['nodes'],
    verbs: read,
    reason: 'to know what room there is and what a machine costs',
  },
  {
    group: '',
    resources: ['events'],
    verbs: ['create', 'patch'],
    reason: 'to tell at the object what happened to it (`kubectl describe`)',
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
