import { kubernetesKey } from '../kubernetes/document.ts';
import type { ObjectKey } from '../objectKey.ts';
import { readDocument } from '../parse/readDocument.ts';
import { type HpaBehaviorSpec, resolveBehavior } from './behavior.ts';
import { hpaKind } from './hpa.ts';
import { type HpaMetricDocumentSpec, resolveMetric } from './metrics.ts';

/** A HorizontalPodAutoscaler with Kubernetes' defaults, times in milliseconds and quantities in thousandths. */
export interface HpaSpec {
  key: ObjectKey;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  target: { apiVersion: string | null; kind: string; name: string };
  minReplicas: number;
  maxReplicas: number;
  /** At least one. */
  metrics: HpaMetricDocumentSpec[];
  /** Null: none was written, so the rules without one apply. */
  behavior: HpaBehaviorSpec | null;
}

const defaultMetric: HpaMetricDocumentSpec = {
  type: 'Resource',
  name: 'cpu',
  target: { type: 'Utilization', averageUtilization: 80 },
};

/** A HorizontalPodAutoscaler (v2 or v1) with its defaults. Throws `InvalidDocumentError` when it is not valid. */
export function resolveHpa(document: unknown): HpaSpec {
  const read = readDocument(hpaKind, document);
  const { metadata, spec } = read;
  const { apiVersion = null, kind, name } = spec.scaleTargetRef;
  const metrics = spec.metrics ?? [];
  return {
    key: kubernetesKey(read),
    labels: metadata.labels,
    annotations: metadata.annotations,
    target: { apiVersion, kind, name },
    minReplicas: spec.minReplicas ?? 1,
    maxReplicas: spec.maxReplicas,
    metrics: metrics.length > 0 ? metrics.map(resolveMetric) : [defaultMetric],
    behavior: resolveBehavior(spec.behavior),
  };
}
