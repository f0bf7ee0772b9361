import { externalMetricsPermissions, ownExternalMetricsPermissions } from './permissions.ts';
import { clusterRole, role, subject } from './rbac.ts';
import {
  externalMetricsGroup,
  externalMetricsName,
  externalMetricsPort,
  externalMetricsService,
  installLabels,
  installName,
  leaderLabel,
  type Manifest,
  podLabels,
} from './settings.ts';

const accessName = `${installName}-external-metrics`;

/**
 * What makes the operator that leads the server of the external metrics API: its rights, a Service to its pod, and the
 * registration. Whom the API server is to trust is added by the leader.
 */
export function externalMetricsManifests(namespace: string): Manifest[] {
  return [
    ...clusterRole(accessName, externalMetricsPermissions, namespace),
    ...role({ name: accessName, namespace, of: namespace, permissions: ownExternalMetricsPermissions }),
    // A Role of every cluster: to read by which certificate the API server is known.
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: accessName, namespace: 'kube-system', labels: installLabels },
      roleRef: {
        apiGroup: 'rbac.authorization.k8s.io',
        kind: 'Role',
        name: 'extension-apiserver-authentication-reader',
      },
      subjects: [subject(namespace)],
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: externalMetricsService, namespace, labels: installLabels },
      spec: {
        selector: { ...podLabels, [leaderLabel]: 'true' },
        ports: [{ name: 'https', port: 443, targetPort: externalMetricsPort, protocol: 'TCP' }],
      },
    },
    {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: externalMetricsName, labels: installLabels },
      spec: {
        group: externalMetricsGroup,
        version: 'v1beta1',
        groupPriorityMinimum: 100,
        versionPriority: 100,
        service: { name: externalMetricsService, namespace, port: 443 },
      },
    },
  ];
}

/** Lets the API server in, beside the operator's own NetworkPolicy: where it asks from differs by cluster. */
export function externalMetricsNetworkPolicy(namespace: string): Manifest {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: externalMetricsService, namespace, labels: installLabels },
    spec: {
      podSelector: { matchLabels: podLabels },
      policyTypes: ['Ingress'],
      ingress: [{ ports: [{ protocol: 'TCP', port: externalMetricsPort }] }],
    },
  };
}
