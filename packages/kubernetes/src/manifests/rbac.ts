import { clusterPermissions, credentialPermissions, ownPermissions, type Permission, rulesOf } from './permissions.ts';
import { installLabels, installName, type InstallSettings, type Manifest } from './settings.ts';

const rbac = 'rbac.authorization.k8s.io/v1';
const credentialsName = `${installName}-credentials`;

/** Who the operator is, and what it may do. */
export function accessManifests(settings: InstallSettings): Manifest[] {
  const { namespace, readNamespaces } = settings;
  return [
    {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: installName, namespace, labels: installLabels },
      // Pods say themselves that they want the token.
      automountServiceAccountToken: false,
    },
    {
      apiVersion: rbac,
      kind: 'ClusterRole',
      metadata: { name: installName, labels: installLabels },
      rules: rulesOf(clusterPermissions),
    },
    {
      apiVersion: rbac,
      kind: 'ClusterRoleBinding',
      metadata: { name: installName, labels: installLabels },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: installName },
      subjects: [subject(namespace)],
    },
    ...role({ name: installName, namespace, of: namespace, permissions: ownPermissions }),
    ...[namespace, ...readNamespaces].flatMap((each) => credentialManifests(each, namespace)),
  ];
}

/** Lets the operator of `operatorNamespace` read the Secrets and ConfigMaps of `namespace` that triggers name. */
export function credentialManifests(namespace: string, operatorNamespace: string): Manifest[] {
  return role({ name: credentialsName, namespace, of: operatorNamespace, permissions: credentialPermissions });
}

interface RoleOptions {
  readonly name: string;
  readonly namespace: string;
  /** Namespace of the operator. */
  readonly of: string;
  readonly permissions: readonly Permission[];
}

function role({ name, namespace, of, permissions }: RoleOptions): Manifest[] {
  const metadata = { name, namespace, labels: installLabels };
  return [
    { apiVersion: rbac, kind: 'Role', metadata, rules: rulesOf(permissions) },
    {
      apiVersion: rbac,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [subject(of)],
    },
  ];
}

function subject(namespace: string) {
  return { kind: 'ServiceAccount', name: installName, namespace };
}
