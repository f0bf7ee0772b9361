import { resolveHpa } from '@ebb/documents';
import type { ReadObject } from '@ebb/kubernetes';
import { isRecord, recordAt } from '../importKeda/podSpecs.ts';
import { textsOf } from './beforeTakeOver.ts';
import { triggerOf } from './hpaTriggers.ts';
import { type Draft, leftAside, type Translated } from './translated.ts';

const carriedAnnotation = 'ebb.dev/improvements';

/**
 * An HPA becomes a ScaledObject with the same bounds, pace and targets: KEDA would make that very HPA of it, and Ebb has its
 * arithmetic. Its metrics become triggers that read the same; where one cannot, the HPA is kept as it is.
 */
export function translateHpa(
  object: ReadObject,
  pathOf: (kind: string, name: string) => string,
  objects: readonly ReadObject[],
): Translated {
  if (object.owner?.startsWith('ScaledObject/')) {
    return leftAside(`KEDA made it for the ${object.owner.replace('/', ' ')}, which says the same`);
  }
  const { document } = object;
  const annotations = textsOf(recordAt(recordAt(document, 'metadata'), 'annotations'));
  const spec = resolveHpa(document);
  const written = recordAt(document, 'spec') ?? {};
  const amounts = listOf(written.metrics).map(amountOf);
  const { kind, name } = spec.target;
  const target = objects.find((one) => one.kind === kind && one.name === name && one.namespace === object.namespace);
  const found = spec.metrics.map((metric, index) => ({
    metric,
    made: triggerOf(metric, { amount: amounts[index] ?? '', target }),
  }));
  const missing = found.flatMap(({ metric, made }) =>
    'missing' in made ? [`${metric.type} ${metric.name}: ${made.missing}`] : [],
  );
  const inCluster = 'in the cluster ebb take-over works on it as it is';
  if (missing.length > 0) {
    const draft: Draft = { path: pathOf('HorizontalPodAutoscaler', object.name), comment: [], document };
    const note =
      `no trigger reads the same, so it stays an HPA (${missing.join('; ')}); write a ScaledObject with the trigger that reads ` +
      `its source; ${inCluster}`;
    return { fate: { result: 'taken', notes: [note] }, drafts: [draft] };
  }
  const behavior = written.behavior;
  const improvements = annotations[carriedAnnotation];
  const scaledObject = {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: {
      name: object.name,
      namespace: object.namespace,
      ...(improvements === undefined ? {} : { annotations: { [carriedAnnotation]: improvements } }),
    },
    spec: {
      scaleTargetRef: { apiVersion: spec.target.apiVersion ?? 'apps/v1', kind, name },
      minReplicaCount: spec.minReplicas,
      maxReplicaCount: spec.maxReplicas,
      ...(behavior === undefined ? {} : { advanced: { horizontalPodAutoscalerConfig: { behavior } } }),
      triggers: found.flatMap(({ made }) => ('trigger' in made ? [made.trigger] : [])),
    },
  };
  const rights = found.flatMap(({ made }) => ('trigger' in made && made.right !== null ? [made.right] : []));
  const need = `the operator needs the right to ${rights.join(', and to ')} in ${object.namespace} (docs/kubernetes-metrics.md)`;
  const notes = [
    "the arithmetic is the HPA's",
    ...(rights.length > 0 ? [need] : []),
    ...(spec.metrics.some(({ type }) => type === 'Pods')
      ? ['of a Pods metric the sum counts, also of pods that are not ready']
      : []),
    ...(spec.minReplicas === 0
      ? ['the last replica goes after cooldownPeriod (300 s), and not by the stabilization window']
      : []),
  ];
  const comment = [
    `Bounds, pace and targets of the HorizontalPodAutoscaler "${object.name}"; ${inCluster}.`,
    ...(rights.length > 0 ? [`${need[0]?.toUpperCase()}${need.slice(1)}.`] : []),
  ];
  return {
    fate: { result: 'translated', notes },
    drafts: [{ path: pathOf('ScaledObject', object.name), comment, document: scaledObject }],
  };
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
