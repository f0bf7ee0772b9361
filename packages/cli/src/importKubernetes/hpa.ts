import { type HpaMetricDocumentSpec, resolveHpa } from '@ebb/documents';
import type { ReadObject } from '@ebb/kubernetes';
import { isRecord, recordAt } from '../importKeda/podSpecs.ts';
import { type Draft, leftAside, type Translated } from './translated.ts';

/**
 * An HPA that goes by cpu or memory becomes a ScaledObject with the same bounds, pace and targets: KEDA would make that
 * very HPA of it, and Ebb has its arithmetic. Any other metric has a source that the HPA does not name.
 */
export function translateHpa(object: ReadObject, pathOf: (kind: string, name: string) => string): Translated {
  if (object.owner?.startsWith('ScaledObject/')) {
    return leftAside(`KEDA made it for the ${object.owner.replace('/', ' ')}, which says the same`);
  }
  const spec = resolveHpa(object.document);
  const written = recordAt(object.document, 'spec') ?? {};
  const amounts = listOf(written.metrics).map(amountOf);
  const triggers = spec.metrics.map((metric, index) => triggerOf(metric, amounts[index] ?? ''));
  const known = triggers.filter((one) => one !== null);
  const inCluster = 'in the cluster ebb take-over works on it as it is';
  if (known.length < triggers.length) {
    const others = spec.metrics
      .filter((_metric, index) => triggers[index] === null)
      .map(({ type, name }) => `${type} ${name}`);
    const draft: Draft = {
      path: pathOf('HorizontalPodAutoscaler', object.name),
      comment: [],
      document: object.document,
    };
    const note =
      `${others.join(', ')}: an HPA does not say where such a metric comes from, so no trigger is made of it; write a ` +
      `ScaledObject with the trigger that reads its source; ${inCluster}`;
    return { fate: { result: 'taken', notes: [note] }, drafts: [draft] };
  }
  const behavior = written.behavior;
  const document = {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: { name: object.name, namespace: object.namespace },
    spec: {
      scaleTargetRef: {
        apiVersion: spec.target.apiVersion ?? 'apps/v1',
        kind: spec.target.kind,
        name: spec.target.name,
      },
      minReplicaCount: spec.minReplicas,
      maxReplicaCount: spec.maxReplicas,
      ...(behavior === undefined ? {} : { advanced: { horizontalPodAutoscalerConfig: { behavior } } }),
      triggers: known,
    },
  };
  const comment = [`Bounds, pace and targets of the HorizontalPodAutoscaler "${object.name}"; ${inCluster}.`];
  return {
    fate: { result: 'translated', notes: ["the arithmetic is the HPA's"] },
    drafts: [{ path: pathOf('ScaledObject', object.name), comment, document }],
  };
}

function triggerOf(metric: HpaMetricDocumentSpec, amount: string): object | null {
  if (metric.type !== 'Resource' && metric.type !== 'ContainerResource') return null;
  if (metric.name !== 'cpu' && metric.name !== 'memory') return null;
  const { target } = metric;
  if (target.type === 'Value') return null;
  const container = metric.type === 'ContainerResource' ? { containerName: metric.container } : {};
  const value = target.type === 'Utilization' ? String(target.averageUtilization) : amount;
  return { type: metric.name, metricType: target.type, metadata: { value, ...container } };
}

/** The mean for each pod as it is written. */
function amountOf(metric: unknown): string {
  const source = isRecord(metric) ? (recordAt(metric, 'resource') ?? recordAt(metric, 'containerResource')) : undefined;
  const amount = recordAt(source, 'target')?.averageValue;
  return typeof amount === 'string' || typeof amount === 'number' ? String(amount) : '';
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
