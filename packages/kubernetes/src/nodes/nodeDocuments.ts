import { defaultNamespace, resolveCluster, resolveNodePool } from '@ebb/documents';
import type { ApplyInput } from '@ebb/engine';
import type { KubernetesObject } from '../client/objects.ts';
import { objectAt } from '../client/values.ts';
import { sharingLabels } from './devicePlugin.ts';

/**
 * A Cluster or NodePool of the API server as a document. Nodes of a pool get the labels by which NVIDIA's components share their GPUs.
 * Throws `InvalidDocumentError` where it is not valid.
 */
export function nodeDocument(object: KubernetesObject): ApplyInput {
  const { kind, apiVersion, name, labels, annotations } = object;
  const namespace = object.namespace === '' ? defaultNamespace : object.namespace;
  const document = {
    apiVersion,
    kind,
    metadata: { name, namespace, labels, annotations },
    spec: object.body.spec ?? {},
  };
  if (kind === 'Cluster') return { apiVersion, kind, key: resolveCluster(document).key, origin: null, document };
  const pool = resolveNodePool(document);
  const spec = objectAt(document, 'spec');
  const labelled = { ...spec, labels: { ...sharingLabels(pool), ...objectAt(spec, 'labels') } };
  return { apiVersion, kind, key: pool.key, origin: null, document: { ...document, spec: labelled } };
}
