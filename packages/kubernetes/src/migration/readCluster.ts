import { isStatus, type KubernetesClient } from '../client/client.ts';
import type { KubernetesObject } from '../client/objects.ts';
import { type Resource, resources } from '../client/resources.ts';
import { isObject, type JsonObject, listAt, objectAt, textAt } from '../client/values.ts';

const other = (group: string, version: string, plural: string, kind: string, namespaced = true): Resource => ({
  ...{ group, version, plural, kind, namespaced },
});

/** Everything that says how something is scaled, and what is scaled by it. Secrets are not among them. */
const importedResources: readonly Resource[] = [
  resources.deployments,
  resources.statefulSets,
  resources.horizontalPodAutoscalers,
  other('autoscaling.k8s.io', 'v1', 'verticalpodautoscalers', 'VerticalPodAutoscaler'),
  resources.scaledObjects,
  resources.scaledJobs,
  resources.triggerAuthentications,
  resources.clusterTriggerAuthentications,
  resources.httpScaledObjects,
  resources.interceptorRoutes,
  other('serving.knative.dev', 'v1', 'services', 'Service'),
  other('serving.kserve.io', 'v1beta1', 'inferenceservices', 'InferenceService'),
  other('karpenter.sh', 'v1', 'nodepools', 'NodePool', false),
  other('karpenter.k8s.aws', 'v1', 'ec2nodeclasses', 'EC2NodeClass', false),
];

/** An object as its user wrote it. */
export interface ReadObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** `Kind/name` of what made it; null: a user did. */
  readonly owner: string | null;
  /** Without status and what only the cluster writes. */
  readonly document: JsonObject;
}

export interface ReadCluster {
  readonly objects: readonly ReadObject[];
  /** Kinds that the cluster does not know, as `kind.group`. */
  readonly missing: readonly string[];
  /** Kinds that this user may not read, with the right that it takes. */
  readonly forbidden: readonly { readonly kind: string; readonly right: string }[];
}

/** Name of the ConfigMap that Cluster Autoscaler reads its priorities from. */
const priorities = 'cluster-autoscaler-priority-expander';

/** Reads what there is, each kind once. Changes nothing. A kind that is not there or may not be read is told and skipped. */
export async function readCluster(client: KubernetesClient, namespace: string | null): Promise<ReadCluster> {
  const objects: ReadObject[] = [];
  const missing: string[] = [];
  const forbidden: { kind: string; right: string }[] = [];
  for (const resource of importedResources) {
    const where = resource.namespaced ? namespace : null;
    try {
      const found = await client.list(resource, { namespace: where });
      objects.push(...found.objects.map(readObjectOf));
    } catch (error) {
      const named = nameOf(resource);
      if (isStatus(error, 404)) missing.push(named);
      else if (isStatus(error, 403)) {
        const scope = where === null ? 'in the whole cluster' : `in the namespace ${where}`;
        forbidden.push({ kind: named, right: `list ${resource.plural}${groupOf(resource)} ${scope}` });
      } else throw error;
    }
  }
  for (const { namespace: at } of objects.filter(isClusterAutoscaler)) {
    try {
      const found = await client.get(resources.configMaps, { namespace: at, name: priorities });
      if (found) objects.push(readObjectOf(found));
    } catch (error) {
      if (!isStatus(error, 403)) throw error;
      forbidden.push({ kind: `ConfigMap ${priorities}`, right: `get configmaps in the namespace ${at}` });
    }
  }
  return { objects, missing, forbidden };
}

/** The Deployment of Cluster Autoscaler, by the image that it runs. */
export function isClusterAutoscaler({ kind, document }: ReadObject): boolean {
  if (kind !== 'Deployment') return false;
  return listAt(document, 'spec', 'template', 'spec', 'containers').some((container) =>
    /(^|\/)cluster-autoscaler[^/]*$/.test(textAt(container, 'image') ?? ''),
  );
}

const clusterAnnotations = [
  'kubectl.kubernetes.io/last-applied-configuration',
  'deployment.kubernetes.io/revision',
  'autoscaling.alpha.kubernetes.io/conditions',
  'autoscaling.alpha.kubernetes.io/current-metrics',
];

function readObjectOf({ apiVersion, kind, namespace, name, body, labels, annotations }: KubernetesObject): ReadObject {
  const owner = listAt(body, 'metadata', 'ownerReferences').find(isObject);
  const kept = Object.fromEntries(Object.entries(annotations).filter(([key]) => !clusterAnnotations.includes(key)));
  const { status: _status, metadata: _metadata, apiVersion: _version, kind: _kind, ...rest } = body;
  const document = {
    ...{ apiVersion, kind },
    metadata: {
      name,
      ...(namespace === '' ? {} : { namespace }),
      ...(Object.keys(labels).length === 0 ? {} : { labels }),
      ...(Object.keys(kept).length === 0 ? {} : { annotations: kept }),
    },
    ...rest,
  };
  const made = owner ? `${textAt(owner, 'kind') ?? ''}/${textAt(owner, 'name') ?? ''}` : null;
  return { apiVersion, kind, namespace, name, owner: made, document };
}

/** Containers of a pod template, without the values of their variables: those stay in the cluster. */
export function templateOf(document: JsonObject): JsonObject {
  const spec = objectAt(document, 'spec', 'template', 'spec');
  const withoutValues = (container: unknown) => {
    if (!isObject(container)) return container;
    const { env: _env, envFrom: _from, ...rest } = container;
    return rest;
  };
  return {
    ...spec,
    ...(Array.isArray(spec.containers) ? { containers: spec.containers.map(withoutValues) } : {}),
  };
}

function nameOf(resource: Resource): string {
  return `${resource.kind}${groupOf(resource)}`;
}

function groupOf({ group }: Resource): string {
  return group === '' ? '' : `.${group}`;
}
