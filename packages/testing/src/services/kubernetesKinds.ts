import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { available, programs } from './installed.ts';
import { type KubernetesApi, KubernetesRefusal } from './kubernetesApi.ts';
import { until } from './until.ts';

const definitionsPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

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
  const definition = {
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
  };
  await create(api, `the kind ${kind}`, JSON.stringify(definition));
  await isServed(api, `/apis/${group}/${version}/${plural}`);
}

/** Installs KEDA's own definition of a kind; where this machine does not have it, one that keeps every field. */
export async function installKedaKind(api: KubernetesApi, kind: 'ScaledObject' | 'ScaledJob'): Promise<void> {
  const plural = `${kind.toLowerCase()}s`;
  if (!available('keda')) return installKind(api, { group: 'keda.sh', kind });
  await installDefinition(api, join(programs('keda').kinds, `keda.sh_${plural}.yaml`));
  await isServed(api, `/apis/keda.sh/v1alpha1/${plural}`);
}

/** Installs the definitions of Karpenter and of its provider of KWOK nodes, as they are. */
export async function installKarpenterKinds(api: KubernetesApi): Promise<void> {
  const folder = programs('karpenter').kinds;
  for (const file of readdirSync(folder)) await installDefinition(api, join(folder, file));
  for (const path of [
    'karpenter.sh/v1/nodeclaims',
    'karpenter.sh/v1/nodepools',
    'karpenter.kwok.sh/v1alpha1/kwoknodeclasses',
  ]) {
    await isServed(api, `/apis/${path}`);
  }
}

async function installDefinition(api: KubernetesApi, file: string): Promise<void> {
  await create(api, file, readFileSync(file, 'utf8'));
}

/** One that is there already, as in a cluster that was brought along, stays as it is. */
async function create(api: KubernetesApi, what: string, definition: string): Promise<void> {
  const answer = await api.send('POST', definitionsPath, definition, { contentType: 'application/yaml' });
  if (answer.status === 201 || answer.status === 409) return;
  throw new KubernetesRefusal(what, answer.status, answer.text.slice(0, 1000));
}

function isServed(api: KubernetesApi, path: string): Promise<void> {
  return until(async () => (await api.send('GET', path)).status === 200, { withinMs: 60_000, what: () => path });
}
