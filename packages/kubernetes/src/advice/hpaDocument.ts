import type { Reading, TriggerSet } from '@ebb/core';
import { type HpaMetricDocumentSpec, type HpaSpec, parseMilli, resolveHpa } from '@ebb/documents';
import type { KubernetesObject } from '../client/objects.ts';
import { listAt, numberAt, objectAt, textAt, valueText } from '../client/values.ts';
import { keptHpa } from './mode.ts';

const suffix = '.hpa';
/** The HPA's own pace: its controller asks every 15 s. */
const pollingSeconds = 15;

/** Name of the ScaledObject that an HPA is followed as. */
export function claimName(hpa: string): string {
  return `${hpa}${suffix}`;
}

/** Name of the HPA behind a ScaledObject that was made of one; null for any other. */
export function hpaOfClaim(name: string): string | null {
  return name.endsWith(suffix) ? name.slice(0, -suffix.length) : null;
}

/** An HPA as its user wrote it: of one that was taken over, with the bounds and pace that were kept. */
export function writtenHpa(object: KubernetesObject): HpaSpec {
  const { minReplicas, maxReplicas, behavior, ...rest } = objectAt(object.body, 'spec');
  const changed = Object.entries(keptHpa(object)?.spec ?? { minReplicas, maxReplicas, behavior });
  const { name, namespace, annotations, labels } = object;
  return resolveHpa({
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name, namespace, labels, annotations },
    spec: { ...rest, ...Object.fromEntries(changed.filter(([, value]) => value !== undefined && value !== null)) },
  });
}

/**
 * The ScaledObject that an HPA is followed as: the same bounds, pace and arithmetic, its metrics as triggers that are read
 * from the HPA's own status. Throws where the HPA is not valid.
 */
export function hpaAsScaledObject(object: KubernetesObject): KubernetesObject {
  const spec = writtenHpa(object);
  const written = keptHpa(object)?.spec ?? objectAt(object.body, 'spec');
  const behavior = objectAt(written, 'behavior');
  const body = {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: {},
    spec: {
      scaleTargetRef: {
        apiVersion: spec.target.apiVersion ?? 'apps/v1',
        kind: spec.target.kind,
        name: spec.target.name,
      },
      pollingInterval: pollingSeconds,
      minReplicaCount: spec.minReplicas,
      maxReplicaCount: spec.maxReplicas,
      ...(spec.behavior === null ? {} : { advanced: { horizontalPodAutoscalerConfig: { behavior } } }),
      triggers: spec.metrics.map((metric, index) => ({
        type: 'external',
        name: triggerName(metric, index),
        metadata: { scalerAddress: `HorizontalPodAutoscaler/${object.name}` },
        metricType: metric.target.type === 'Value' ? 'Value' : 'AverageValue',
      })),
    },
  };
  return { ...object, apiVersion: body.apiVersion, kind: body.kind, name: claimName(object.name), body };
}

/** What each trigger of such a ScaledObject aims at. */
export function hpaTargets({ metrics }: HpaSpec): TriggerSet['targets'] {
  return Object.fromEntries(
    metrics.map((metric, index) => [triggerName(metric, index), { target: targetOf(metric), activationTarget: 0 }]),
  );
}

/**
 * What the HPA's controller has read last, by its status. Means of pods are told as their sum, which the arithmetic for
 * external metrics divides again. A metric that its status does not have is an error, never zero.
 */
export function hpaReadings(object: KubernetesObject, { metrics }: HpaSpec, nowMs: number): Reading[] {
  const condition = listAt(object.body, 'status', 'conditions').find(
    (one) => textAt(one, 'type') === 'ScalingActive' && textAt(one, 'status') === 'False',
  );
  const replicas = numberAt(object.body, 'status', 'currentReplicas') ?? 0;
  return metrics.map((metric, index) => {
    const base = { trigger: triggerName(metric, index), class: null, peak: null, spanMs: 0, atMs: nowMs };
    const value = condition ? null : valueOf(object, metric, index, replicas);
    if (value !== null) return { ...base, value, state: 'ok' };
    const why = textAt(condition, 'message') ?? `the HPA tells nothing of ${metric.type} ${metric.name}`;
    return { ...base, value, state: 'error', message: why };
  });
}

function valueOf(object: KubernetesObject, metric: HpaMetricDocumentSpec, index: number, replicas: number) {
  const all = listAt(object.body, 'status', 'currentMetrics');
  const isOf = (one: unknown) => textAt(one, 'type') === metric.type && nameIn(one, metric) === metric.name;
  const found = isOf(all[index]) ? all[index] : all.find(isOf);
  const current = objectAt(found, fieldOf(metric), 'current');
  if (metric.target.type === 'Utilization') {
    const utilization = numberAt(current, 'averageUtilization');
    return utilization === null ? null : utilization * replicas;
  }
  if (metric.target.type === 'Value') return quantity(current.value);
  const average = quantity(current.averageValue);
  return average === null ? null : average * replicas;
}

function fieldOf({ type }: HpaMetricDocumentSpec): string {
  return `${type.charAt(0).toLowerCase()}${type.slice(1)}`;
}

function nameIn(status: unknown, metric: HpaMetricDocumentSpec): string | null {
  const source = objectAt(status, fieldOf(metric));
  return textAt(source, 'metric', 'name') ?? textAt(source, 'name');
}

/** A metric may be below zero, as no amount of a resource is. */
function quantity(written: unknown): number | null {
  const text = valueText(written) ?? '';
  const isNegative = text.startsWith('-');
  const parsed = parseMilli(isNegative ? text.slice(1) : text);
  if (!('value' in parsed)) return null;
  return (isNegative ? -parsed.value : parsed.value) / 1000;
}

function targetOf({ target }: HpaMetricDocumentSpec): number {
  if (target.type === 'Utilization') return target.averageUtilization;
  return (target.type === 'Value' ? target.valueMilli : target.averageValueMilli) / 1000;
}

function triggerName({ type, name }: HpaMetricDocumentSpec, index: number): string {
  return `${index}-${type.toLowerCase()}-${name}`;
}
