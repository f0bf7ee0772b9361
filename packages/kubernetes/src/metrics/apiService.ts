import type { KubernetesClient } from '../client/client.ts';
import type { KubernetesObject } from '../client/objects.ts';
import { type Resource, resources } from '../client/resources.ts';
import { textAt } from '../client/values.ts';
import { externalMetricsName, leaderLabel } from '../manifests/settings.ts';

const apiServices: Resource = {
  group: 'apiregistration.k8s.io',
  version: 'v1',
  plural: 'apiservices',
  kind: 'APIService',
  namespaced: false,
};

export interface ServiceName {
  readonly namespace: string;
  readonly name: string;
}

/** Has the API server trust a certificate. Throws where another adapter has the API, or nobody has registered Ebb for it. */
export async function trustCertificates(
  client: KubernetesClient,
  service: ServiceName,
  certificates: readonly string[],
): Promise<void> {
  const at = { namespace: '', name: externalMetricsName };
  const found = await client.get(apiServices, at);
  if (!found) {
    throw new Error(`there is no APIService ${externalMetricsName}: install Ebb with --external-metrics`);
  }
  const other = otherServer(found, service);
  if (other !== null) throw new Error(other);
  const caBundle = Buffer.from(certificates.join('')).toString('base64');
  if (textAt(found.body, 'spec', 'caBundle') === caBundle) return;
  await client.apply(apiServices, at, { spec: { caBundle } });
}

/** Who serves the API in Ebb's place; null: nobody else does. */
export function otherServer({ body }: Pick<KubernetesObject, 'body'>, service: ServiceName): string | null {
  const namespace = textAt(body, 'spec', 'service', 'namespace');
  const name = textAt(body, 'spec', 'service', 'name');
  if (namespace === service.namespace && name === service.name) return null;
  const who = name === null ? 'the API server itself' : `the Service ${namespace}/${name}`;
  return `the external metrics API (APIService ${externalMetricsName}) is served by ${who} already: a cluster has one, and Ebb leaves it`;
}

/** Marks the pod that leads, which the Service sends to, and no other one. */
export async function markLeader(client: KubernetesClient, namespace: string, podName: string): Promise<void> {
  const { objects } = await client.list(resources.pods, { namespace, labelSelector: leaderLabel });
  for (const pod of objects) if (pod.name !== podName) await label(client, pod, null);
  await label(client, { namespace, name: podName }, 'true');
}

function label(client: KubernetesClient, pod: ServiceName, value: string | null): Promise<unknown> {
  return client.mergePatch(resources.pods, pod, { metadata: { labels: { [leaderLabel]: value } } });
}
