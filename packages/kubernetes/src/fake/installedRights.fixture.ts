import type { KubernetesApi, KubernetesCluster } from '@ebb/testing/services';
import type { Manifest } from '../manifests/settings.ts';

/** Applies what gives rights (the namespace, the service account, roles and their bindings), as it is or in another namespace. */
export async function applyRights(api: KubernetesApi, manifests: readonly Manifest[], at?: string): Promise<void> {
  for (const manifest of manifests) {
    const { apiVersion, kind } = manifest;
    if (!apiVersion.startsWith('rbac.') && kind !== 'Namespace' && kind !== 'ServiceAccount') continue;
    const metadata = at === undefined ? manifest.metadata : { ...manifest.metadata, namespace: at };
    const base = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
    const within = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
    const path = `${base}${within}/${kind.toLowerCase()}s/${metadata.name}`;
    await api.apply(path, { ...manifest, metadata }, { force: true });
  }
}

/** A kubeconfig that signs in as a service account for an hour. Returns its path. */
export async function kubeconfigOfAccount(
  cluster: KubernetesCluster,
  namespace: string,
  name: string,
): Promise<string> {
  const { status } = await cluster.api.post<{ status: { token: string } }>(
    `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
    { spec: { expirationSeconds: 3600 } },
  );
  return cluster.kubeconfigFor({ name, token: status.token });
}

/** Which of these the account may not do in all namespaces: `patch apps/deployments`, `get /pods/log`. */
export async function refusedRights(
  api: KubernetesApi,
  account: { namespace: string; name: string },
  rights: readonly string[],
): Promise<string[]> {
  const refused: string[] = [];
  for (const right of rights) {
    const [verb = '', path = ''] = right.split(' ');
    const [group = '', resource = '', subresource = ''] = path.split('/');
    const { status } = await api.post<{ status: { allowed: boolean } }>(
      '/apis/authorization.k8s.io/v1/subjectaccessreviews',
      {
        spec: {
          user: `system:serviceaccount:${account.namespace}:${account.name}`,
          groups: ['system:serviceaccounts', 'system:authenticated'],
          resourceAttributes: { verb, group, resource, subresource },
        },
      },
    );
    if (!status.allowed) refused.push(right);
  }
  return refused;
}
