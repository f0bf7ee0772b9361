/** Groups whose documents people are likely to have; they get a plain answer and not a guess at a spelling mistake. */
const foreignGroups: Record<string, string> = {
  '': 'Kubernetes',
  apps: 'Kubernetes',
  autoscaling: 'Kubernetes',
  batch: 'Kubernetes',
  'networking.k8s.io': 'Kubernetes',
  policy: 'Kubernetes',
  'rbac.authorization.k8s.io': 'Kubernetes',
  'autoscaling.k8s.io': 'Vertical Pod Autoscaler',
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
