import {
  clusterPermissions,
  credentialPermissions,
  namespacedPermissions,
  nodePermissions,
  ownPermissions,
  type Permission,
  rulesOf,
  scaleKindPermissions,
} from './permissions.ts';
import { installLabels, installName, type InstallSettings, type Manifest } from './settings.ts';

const rbac = 'rbac.authorization.k8s.io/v1';
const credentialsName = `${installName}-credentials`;
/** Of the one namespace that is followed; it may be the operator's own, which has a Role `ebb` already. */
const followedName = `${installName}-followed`;

/** Who the operator is, and what it may do. */
export function accessManifests(settings: InstallSettings): Manifest[] {
  const { namespace, readNamespaces, scaleKinds, watchNamespace } = settings;
  return [
    serviceAccount(settings),
    ...(watchNamespace === '' ? clusterAccess(namespace) : followedAccess(watchNamespace, namespace)),
    ...(settings.nodePools === 'true' ? nodeAccess(namespace) : []),
    ...role({ name: installName, namespace, of: namespace, permissions: ownPermissions }),
    ...[namespace, ...readNamespaces].flatMap((each) => credentialManifests(each, namespace)),
    ...scaleKinds.flatMap((kind) => scaleKindAccess(kindParts(kind), watchNamespace, namespace)),
  ];
}

function kindParts(kind: string): { group: string; resource: string } {
  const slash = kind.indexOf('/');
  return { group: kind.slice(0, slash), resource: kind.slice(slash + 1) };
}

/** Lets the operator scale one more kind: everywhere, or in the one namespace that is followed. */
export function scaleKindAccess(
  { group, resource }: { group: string; resource: string },
  watchNamespace: string,
  operatorNamespace: string,
): Manifest[] {
  const name = `${installName}-scale-${resource}.${group}`;
  const permissions = scaleKindPermissions(group, resource);
  if (watchNamespace === '') return clusterRole(name, permissions, operatorNamespace);
  return role({ name, namespace: watchNamespace, of: operatorNamespace, permissions });
}

function serviceAccount({ namespace, serviceAccountAnnotations }: InstallSettings): Manifest {
  const hasAnnotations = Object.keys(serviceAccountAnnotations).length > 0;
  const annotations = hasAnnotations ? { annotations: { ...serviceAccountAnnotations } } : {};
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: installName, namespace, labels: installLabels, ...annotations },
    // Pods say themselves that they want the token.
    automountServiceAccountToken: false,
  };
}

/** Rights in every namespace. */
export function clusterAccess(namespace: string): Manifest[] {
  return clusterRole(installName, clusterPermissions, namespace);
}

/** What making nodes needs besides; only where it is switched on. */
export function nodeAccess(namespace: string): Manifest[] {
  return clusterRole(`${installName}-nodes`, nodePermissions, namespace);
}

export function clusterRole(name: string, permissions: readonly Permission[], namespace: string): Manifest[] {
  return [
    {
      apiVersion: rbac,
      kind: 'ClusterRole',
      metadata: { name, labels: installLabels },
      rules: rulesOf(permissions),
    },
    {
      apiVersion: rbac,
      kind: 'ClusterRoleBinding',
      metadata: { name, labels: installLabels },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: [subject(namespace)],
    },
  ];
}

/** The same rights in one namespace alone; what is of the whole cluster is not to be had by a Role. */
export function followedAccess(namespace: string, operatorNamespace: string): Manifest[] {
  return role({ name: followedName, namespace, of: operatorNamespace, permissions: namespacedPermissions() });
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

export function role({ name, namespace, of, permissions }: RoleOptions): Manifest[] {
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

export function subject(namespace: string) {
  return { kind: 'ServiceAccount', name: installName, namespace };
}
