import type { KubernetesApi } from './kubernetesApi.ts';
import { until } from './until.ts';

/** A kind of somebody else's. */
interface ForeignKind {
  readonly group: string;
  /** Left out: `v1alpha1`. */
  readonly version?: string;
  readonly kind: string;
  /** Left out: `Namespaced`. */
  readonly scope?: 'Namespaced' | 'Cluster';
}

/**
 * Installs a kind as far as an API server needs to know it: every field is kept as it is written, and there is a status. Resolves
 * once its objects can be asked for.
 */
export async function installKind(
  api: KubernetesApi,
  { group, version = 'v1alpha1', kind, scope = 'Namespaced' }: ForeignKind,
): Promise<void> {
  const singular = kind.toLowerCase();
  const plural = `${singular}s`;
  await api.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      names: { kind, listKind: `${kind}List`, plural, singular },
      scope,
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          subresources: { status: {} },
        },
      ],
    },
  });
  await until(async () => (await api.send('GET', `/apis/${group}/${version}/${plural}`)).status === 200, {
    withinMs: 20_000,
    what: () => `the kind ${kind}`,
  });
}
