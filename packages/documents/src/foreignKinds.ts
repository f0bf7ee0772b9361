/** Groups whose documents people are likely to have; they get a plain answer and not a guess at a spelling mistake. */
const foreignGroups: Record<string, string> = {
  '': 'Kubernetes',
  'admissionregistration.k8s.io': 'Kubernetes',
  'apiextensions.k8s.io': 'Kubernetes',
  apps: 'Kubernetes',
  autoscaling: 'Kubernetes',
  batch: 'Kubernetes',
  'networking.k8s.io': 'Kubernetes',
  policy: 'Kubernetes',
  'rbac.authorization.k8s.io': 'Kubernetes',
  'scheduling.k8s.io': 'Kubernetes',
  'storage.k8s.io': 'Kubernetes',
  'argoproj.io': 'Argo',
  'autoscaling.k8s.io': 'Vertical Pod Autoscaler',
  'gateway.networking.k8s.io': 'Gateway API',
  'monitoring.coreos.com': 'Prometheus Operator',
  'keda.sh': 'KEDA',
  'eventing.keda.sh': 'KEDA',
  'http.keda.sh': 'KEDA',
  'serving.knative.dev': 'Knative',
  'autoscaling.internal.knative.dev': 'Knative',
  'karpenter.sh': 'Karpenter',
  'karpenter.k8s.aws': 'Karpenter',
  'kubeai.org': 'KubeAI',
  'ray.io': 'Ray',
  'serving.kserve.io': 'KServe',
};

/** Whose document it is, such as `KEDA`, or undefined where the group is not known. */
export function foreignOwner(apiVersion: unknown): string | undefined {
  if (typeof apiVersion !== 'string' || !/^([a-z0-9.-]+\/)?v\d+((alpha|beta)\d+)?$/.test(apiVersion)) return undefined;
  const slash = apiVersion.indexOf('/');
  const group = slash < 0 ? '' : apiVersion.slice(0, slash);
  return Object.hasOwn(foreignGroups, group) ? foreignGroups[group] : undefined;
}

/** What a ScaledObject aims at in a cluster. */
const scalable = ['Deployment', 'StatefulSet', 'ReplicaSet', 'ReplicationController', 'Rollout', 'DaemonSet', 'Pod'];

const reasons: Readonly<Record<string, string>> = {
  Service: "Ebb's gateway sends requests to a Workload's replicas without one",
  Ingress: 'routes stand in `spec.serving.routes` of a Workload',
  HTTPRoute: 'routes stand in `spec.serving.routes` of a Workload',
  Namespace: 'a namespace is there as soon as a document names it',
  Job: 'Ebb runs the Jobs of ScaledJobs, one process each',
  CronJob: 'Ebb runs the Jobs of ScaledJobs, one process each; a cron trigger makes them at given times',
  ServiceAccount: 'processes of one machine have none',
  Role: 'processes of one machine need no rights in a cluster',
  RoleBinding: 'processes of one machine need no rights in a cluster',
  ClusterRole: 'processes of one machine need no rights in a cluster',
  ClusterRoleBinding: 'processes of one machine need no rights in a cluster',
};

/** Why a document of another system is left aside, and what stands in its place. */
export function leftAside(kind: string, apiVersion: string, owner: string, name: unknown): string {
  const who = typeof name === 'string' && name !== '' && name.length <= 253 ? `${kind} "${name}"` : kind;
  if (scalable.includes(kind)) {
    const target = who === kind ? 'a Workload of that name' : `a Workload named "${String(name)}"`;
    return (
      `${who} is left aside: Ebb runs processes from Workload documents; a ScaledObject whose scaleTargetRef names it ` +
      `needs ${target}`
    );
  }
  const reason = Object.hasOwn(reasons, kind) ? reasons[kind] : `Ebb has no use for ${apiVersion} (${owner})`;
  return `${who} is left aside: ${reason}`;
}
