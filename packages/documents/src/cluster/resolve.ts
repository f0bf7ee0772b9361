import type { ObjectKey } from '../objectKey.ts';
import { readDocument } from '../parse/readDocument.ts';
import { type ClusterDocument, clusterKind } from './cluster.ts';

/** Bounds in the core's units; null: no limit. */
export interface ClusterLimits {
  maxReplicas: number | null;
  capacity: { cpuMilli: number | null; memoryBytes: number | null; gpuMilli: number | null };
  maxPricePerHourMicro: number | null;
}

export interface ClusterSpec {
  key: ObjectKey;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  type: ClusterDocument['spec']['type'];
  cloud: ClusterDocument['spec']['cloud'];
  region: string | null;
  limits: ClusterLimits;
}

/** A Cluster with defaults and core units. Throws `InvalidDocumentError` when the document is not valid. */
export function resolveCluster(document: unknown): ClusterSpec {
  const read = readDocument(clusterKind, document);
  const { metadata, spec } = read;
  return {
    key: clusterKind.keyOf(read),
    labels: metadata.labels,
    annotations: metadata.annotations,
    type: spec.type,
    cloud: spec.cloud,
    region: spec.region ?? null,
    limits: {
      maxReplicas: spec.limits.maxReplicas ?? null,
      capacity: {
        cpuMilli: spec.limits.cpu ?? null,
        memoryBytes: spec.limits.memory ?? null,
        gpuMilli: spec.limits.gpu ?? null,
      },
      maxPricePerHourMicro: spec.limits.maxPricePerHour ?? null,
    },
  };
}
