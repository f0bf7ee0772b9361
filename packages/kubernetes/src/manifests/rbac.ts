import {
  advicePermissions,
  clusterPermissions,
  credentialPermissions,
  namespacedPermissions,
  nodePermissions,
  ownAdvicePermissions,
  ownPermissions,
  type Permission,
  rulesOf,
  scaleKindPermissions,
} from './permissions.ts';
import { installLabels, installName, type InstallSettings, isAdviceOnly, type Manifest } from './settings.ts';

const rbac = 'rbac.authorization.k8s.io/v1';
const credentialsName = `${installName}-credentials`;
/** Of the namespaces that are followed; one may be the operator's own, which has a Role `ebb` already. */
const followedName = `${installName}-followed`;

/** Who the operator is, and what it may do. */
export function accessManifests(settings: InstallSettings): Manifest[] {
  const { namespace, readNamespaces, scaleKinds, watchNamespace } = settings;
  const isAdvice = isAdviceOnly(settings);
  return [
    serviceAccount(settings),
    ...(watchNamespace === ''
      ? clusterAccess(namespace, isAdvice)
      : followedAccess(watchNamespace, namespace, isAdvice)),
    // Nothing is done with machines in advice.
    ...(settings.nodePools === 'true' && settings.advice !== 'true' ? nodeAccess(namespace) : []),
    ...ownAccess(namespace, isAdvice),
    ...[namespace, ...readNamespaces].flatMap((each) => credentialManifests(each, namespace)),
    ...scaleKinds.flatMap((kind) => scaleKindAccess(kindParts(kind), watchNamespace, namespace, isAdvice)),
  ];
}

function kindParts(kind: string): { group: string; resource: string } {
  const slash = kind.indexOf('/');
  return { group: kind.slice(0, slash), resource: kind.slice(slash + 1) };
}

/** Lets the operator scale one more kind: everywhere, or in the namespaces that are followed. */
export function scaleKindAccess(
  { group, resource }: { group: string; resource: string },
  watchNamespace: string,
  operatorNamespace: string,
  isAdvice: boolean,
): Manifest[] {
  const name = `${installName}-scale-${resource}.${group}`;
  return accessWhere({
    name,
    permissions: scaleKindPermissions(group, resource, isAdvice),
    operatorNamespace,
    watchNamespace,
  });
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
export function clusterAccess(namespace: string, isAdvice: boolean): Manifest[] {
  return clusterRole(installName, isAdvice ? advicePermissions : clusterPermissions, namespace);
}

/** Rights where the operator itself is. */
export function ownAccess(namespace: string, isAdvice: boolean): Manifest[] {
  const permissions = isAdvice ? ownAdvicePermissions : ownPermissions;
  return role({ name: installName, namespace, of: namespace, permissions });
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

/** The same rights in each namespace that is followed; what is of the whole cluster is not to be had by a Role. */
export function followedAccess(watchNamespace: string, operatorNamespace: string, isAdvice: boolean): Manifest[] {
  const permissions = namespacedPermissions(isAdvice ? advicePermissions : clusterPermissions);
  return accessWhere({ name: followedName, permissions, operatorNamespace, watchNamespace });
}

interface WhereOptions {
  readonly name: string;
  readonly permissions: readonly Permission[];
  readonly operatorNamespace: string;
  /** With commas between them; empty: everywhere. */
  readonly watchNamespace: string;
}

/** Rights everywhere, or in each of the namespaces that are followed and nowhere else. */
export function accessWhere({ name, permissions, operatorNamespace, watchNamespace }: WhereOptions): Manifest[] {
  if (watchNamespace === '') return clusterRole(name, permissions, operatorNamespace);
  const namespaces = watchNamespace.split(',');
  return namespaces.flatMap((namespace) => role({ name, namespace, of: operatorNamespace, permissions }));
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
