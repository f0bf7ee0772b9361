import type { HpaContainer, HpaMetricReading, HpaMetricSpec, HpaObservation, HpaPod, HpaPodSample } from '@ebb/core';
import { LineError } from './lineError.ts';
import { milliOf, quantityMilli } from './quantity.ts';
import {
  checkNames,
  count,
  flag,
  integer,
  isRecord,
  type JsonRecord,
  listOf,
  object,
  oneOf,
  orElse,
  orNull,
  record,
  recordOf,
  type Shape,
  shown,
  text,
} from './shape.ts';

/** A pod of which nothing else is said has been running, and ready, for this long. */
export const assumedAgeMs = 3_600_000;

const container = object<HpaContainer>({ name: text, requests: recordOf(quantityMilli), sidecar: orElse(flag, false) });
const transition = object({ status: oneOf('True', 'False', 'Unknown'), lastTransitionMs: integer });
const podFields = ['name', 'phase', 'deleting', 'startTimeMs', 'ready', 'containers', 'requests', 'podRequests'];

/** A pod; `requests` is short for one container `main`, `ready: true` for ready since its start. */
function pod(value: unknown, path: string, index: number, nowMs: number): HpaPod {
  const given = record(value, path);
  checkNames(given, podFields, path);
  const startTimeMs =
    given.startTimeMs === undefined ? nowMs - assumedAgeMs : orNull(integer)(given.startTimeMs, `${path}.startTimeMs`);
  const read: HpaPod = {
    name: orElse(text, `pod-${index}`)(given.name, `${path}.name`),
    phase: orElse(oneOf('Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'), 'Running' as const)(
      given.phase,
      `${path}.phase`,
    ),
    deleting: orElse(flag, false)(given.deleting, `${path}.deleting`),
    startTimeMs,
    ready: readyOf(given.ready, `${path}.ready`, startTimeMs ?? 0),
  };
  if (given.requests !== undefined) {
    read.containers = [{ name: 'main', requests: recordOf(quantityMilli)(given.requests, `${path}.requests`) }];
  } else if (given.containers !== undefined) {
    read.containers = listOf(container)(given.containers, `${path}.containers`);
  }
  if (given.podRequests !== undefined)
    read.podRequests = recordOf(quantityMilli)(given.podRequests, `${path}.podRequests`);
  return read;
}

function readyOf(value: unknown, path: string, sinceMs: number): HpaPod['ready'] {
  if (value === undefined) return { status: 'True', lastTransitionMs: sinceMs };
  if (typeof value === 'boolean') return { status: value ? 'True' : 'False', lastTransitionMs: sinceMs };
  return value === null ? null : transition(value, path);
}

function sample(value: unknown, path: string, index: number): HpaPodSample {
  if (!isRecord(value)) return { name: `pod-${index}`, valueMilli: quantityMilli(value, path) };
  checkNames(value, ['name', 'value', 'valueMilli', 'atMs', 'windowMs'], path);
  const read: HpaPodSample = {
    name: orElse(text, `pod-${index}`)(value.name, `${path}.name`),
    valueMilli: milliOf(value, 'value', path),
  };
  if (value.atMs !== undefined) read.atMs = integer(value.atMs, `${path}.atMs`);
  if (value.windowMs !== undefined) read.windowMs = count(value.windowMs, `${path}.windowMs`);
  return read;
}

/** What a metrics API answered: `{ error }`, `{ pods: [samples] }`, `{ values: [quantities] }` or `{ valuesMilli }`. */
export const metricReading: Shape<HpaMetricReading> = (value, path) => {
  const given = record(value, path);
  checkNames(given, ['error', 'pods', 'value', 'values', 'valuesMilli'], path);
  if (given.error !== undefined) return { error: text(given.error, `${path}.error`) };
  if (given.pods !== undefined) {
    const samples = listOf((one) => one)(given.pods, `${path}.pods`);
    return { pods: samples.map((one, index) => sample(one, `${path}.pods[${index}]`, index)) };
  }
  if (given.value !== undefined) return { valuesMilli: [quantityMilli(given.value, `${path}.value`)] };
  if (given.values !== undefined) return { valuesMilli: listOf(quantityMilli)(given.values, `${path}.values`) };
  if (given.valuesMilli !== undefined)
    return { valuesMilli: listOf(integer)(given.valuesMilli, `${path}.valuesMilli`) };
  throw new LineError(`${path} needs pods (a sample a pod), values (one value, or one a series), or error`);
};

const selectorProblem = object({ reason: oneOf('InvalidSelector', 'AmbiguousSelector'), message: text });
const fieldsOfHpa = ['specReplicas', 'statusReplicas', 'pods', 'metrics', 'selectorProblem'];

/** `observation.hpa`; pods that are not listed are as many as `replicas`, all running and ready. */
export function hpaObservation(
  value: unknown,
  path: string,
  metrics: readonly HpaMetricSpec[],
  replicas: number,
  nowMs: number,
): HpaObservation {
  const given = record(value, path);
  checkNames(given, fieldsOfHpa, path);
  const specReplicas = orElse(count, replicas)(given.specReplicas, `${path}.specReplicas`);
  return {
    specReplicas,
    statusReplicas: orElse(count, specReplicas)(given.statusReplicas, `${path}.statusReplicas`),
    pods: podsOf(given.pods, `${path}.pods`, specReplicas, nowMs),
    metrics: metricsOf(given.metrics, `${path}.metrics`, metrics),
    selectorProblem: orNull(selectorProblem)(given.selectorProblem, `${path}.selectorProblem`),
  };
}

export function podsOf(value: unknown, path: string, assumed: number, nowMs: number): HpaPod[] {
  if (value === undefined || typeof value === 'number') {
    const many = orElse(count, assumed)(value, path);
    return Array.from({ length: Math.min(many, mostPods) }, (_, index) => pod({}, path, index, nowMs));
  }
  return listOf((one) => one)(value, path).map((one, index) => pod(one, `${path}[${index}]`, index, nowMs));
}

const mostPods = 100_000;

/** By position, as the document has them, or by name. */
function metricsOf(value: unknown, path: string, metrics: readonly HpaMetricSpec[]): HpaMetricReading[] {
  if (isRecord(value)) {
    const names = metrics.map(({ name }) => name);
    checkNames(value, names, path, 'metric');
    return names.map((name) => {
      const one = value[name];
      return one === undefined ? { error: `no reading of ${name} was given` } : metricReading(one, `${path}.${name}`);
    });
  }
  const read = listOf(metricReading)(value ?? [], path);
  if (read.length !== metrics.length) {
    throw new LineError(
      `${path} has ${read.length} readings and the spec ${metrics.length} metrics; give one for each`,
    );
  }
  return read;
}

/**
 * What simple readings by metric name mean for an HPA: pods that are all alike. A Utilization target takes a
 * percentage of the request (`"80%"`); per-pod averages and values take a quantity (`"500m"`).
 */
export function alikePods(
  metrics: readonly HpaMetricSpec[],
  readings: JsonRecord,
  path: string,
  pods: { ready: number; starting: number; failed: number; replicas: number },
  nowMs: number,
): HpaObservation {
  checkNames(
    readings,
    metrics.map(({ name }) => name),
    'the document',
    'metric',
  );
  const containers = containersOf(metrics);
  const seen: HpaPod[] = [];
  const add = (many: number, phase: HpaPod['phase'], isReady: boolean) => {
    for (let index = 0; index < Math.min(many, mostPods); index++) {
      const fields = { name: `pod-${seen.length}`, phase, ready: isReady };
      seen.push({ ...pod(fields, path, seen.length, nowMs), containers });
    }
  };
  add(pods.ready, 'Running', true);
  add(pods.starting, 'Pending', false);
  add(pods.failed, 'Failed', false);
  return {
    specReplicas: pods.replicas,
    statusReplicas: pods.replicas,
    pods: seen,
    metrics: metrics.map((metric) => {
      const value = readings[metric.name];
      if (value === undefined) return { error: `no reading of ${metric.name} was given` };
      return alikeReading(metric, value, `${path}.${metric.name}`, pods.ready, containers.length);
    }),
    selectorProblem: null,
  };
}

const assumedRequestMilli = 1000;

function containersOf(metrics: readonly HpaMetricSpec[]): HpaContainer[] {
  const names = new Set(metrics.flatMap((metric) => (metric.type === 'ContainerResource' ? [metric.container] : [])));
  if (names.size === 0) names.add('main');
  const requests = Object.fromEntries(metrics.map(({ name }) => [name, assumedRequestMilli]));
  return [...names].map((name) => ({ name, requests }));
}

function alikeReading(
  metric: HpaMetricSpec,
  value: unknown,
  path: string,
  ready: number,
  containers: number,
): HpaMetricReading {
  if (isRecord(value)) return metricReading(value, path);
  if (value === 'error' || value === 'missing') return { error: `${metric.name} could not be read` };
  const percent = typeof value === 'string' ? /^(\d+(?:\.\d+)?)\s*%$/.exec(value.trim()) : null;
  const isUtilization = metric.target.type === 'Utilization';
  if (isUtilization && !percent) {
    throw new LineError(`${path} is a percentage of the request such as "80%", not ${shown(value)}`);
  }
  if (!isUtilization && percent) {
    throw new LineError(
      `${path} is a quantity such as "500m" or 12, not ${shown(value)}: its target is no utilization`,
    );
  }
  const whole = metric.type === 'Resource' ? containers : 1;
  const milli = percent
    ? Math.round((Number(percent[1]) / 100) * assumedRequestMilli * whole)
    : quantityMilli(value, path);
  if (metric.type === 'Object' || metric.type === 'External') return { valuesMilli: [milli] };
  return { pods: Array.from({ length: ready }, (_, index) => ({ name: `pod-${index}`, valueMilli: milli })) };
}
