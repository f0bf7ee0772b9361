import { clouds } from '../cluster/cluster.ts';
import { apiVersion } from '../kind.ts';
import {
  clarifaiAnnotations,
  type Converted,
  hintList,
  metadataOf,
  sayIgnored,
  withoutUndefined,
} from './converted.ts';
import type { ComputeCluster } from './schemas.ts';

const ignored = {
  visibility: 'who may see an object is not part of documents here',
  metadata: 'it is not read; write annotations into the Cluster',
};

/** A Cluster of the same name. The key of Clarifai's cluster is never read. */
export function convertCluster(source: ComputeCluster): Converted {
  const { hints, say } = hintList('compute_cluster');
  const provider = source.cloud_provider.id;
  const isLocal = source.cluster_type === 'local-dev' || provider === 'local';
  const cloud = clouds.find((name) => name === provider) ?? (isLocal ? 'local' : 'on-prem');
  if (cloud !== provider && !(provider === 'kubernetes' && cloud === 'on-prem')) {
    say(
      ['cloud_provider', 'id'],
      `the cloud "${provider}" has no prices here and is read as ${cloud}; known are ${clouds.join(', ')}`,
    );
  }
  if (source.cluster_type === 'shared') {
    say(['cluster_type'], "shared clusters are Clarifai's own; this one is read as a cluster of yours");
  }
  if (source.managed_by === 'clarifai') {
    say(['managed_by'], 'managed_by clarifai is kept as an annotation: here you manage the cluster yourself');
  }
  if (source.key !== undefined) {
    say(
      ['key'],
      'key is not read, so that no token stands in a document: put it into a Secret and name that in spec.tokenSecretRef of the Cluster',
    );
  }
  sayIgnored(source, ignored, say);
  const annotations = {
    [clarifaiAnnotations.clusterType]: source.cluster_type,
    [clarifaiAnnotations.managedBy]: source.managed_by,
  };
  return {
    kind: 'Cluster',
    document: {
      apiVersion,
      kind: 'Cluster',
      metadata: metadataOf(source, annotations, say),
      spec: withoutUndefined({ type: isLocal ? 'local' : 'kubernetes', cloud, region: source.region }),
    },
    hints,
    origins: {
      'metadata.name': ['compute_cluster', 'id'],
      'spec.type': ['compute_cluster', 'cluster_type'],
      'spec.cloud': ['compute_cluster', 'cloud_provider', 'id'],
      'spec.region': ['compute_cluster', 'region'],
    },
  };
}
