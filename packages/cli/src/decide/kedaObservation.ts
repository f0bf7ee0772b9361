import type { KedaDecisionSpec, KedaObservation, KedaReading } from '@ebb/core';
import { alikePods, metricReading, podsOf } from './hpaObservation.ts';
import { LineError } from './lineError.ts';
import {
  checkNames,
  count,
  flag,
  integer,
  isRecord,
  type JsonRecord,
  number,
  orElse,
  record,
  recordOf,
  type Shape,
  shown,
  text,
} from './shape.ts';

/** A ScaledObject of which nothing else is said was created this long before time 0. */
const assumedCreatedAtMs = -3_600_000;

const fieldsOfKeda = [
  'specReplicas',
  'statusReplicas',
  'readyReplicas',
  'createdAtMs',
  'readings',
  'pods',
  'resourceMetrics',
];

/** `40`, `{ value, active }`, `{ error }` or `"error"`. */
const reading: Shape<KedaReading> = (value, path) => {
  if (value === 'error' || value === 'missing') return { error: 'could not be read' };
  if (!isRecord(value)) {
    const parsed = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (typeof parsed === 'number' && Number.isFinite(parsed)) return { value: parsed };
    throw new LineError(`${path} is a number, {"value", "active"} or {"error"}, not ${shown(value)}`);
  }
  checkNames(value, ['value', 'active', 'error'], path);
  if (value.error !== undefined) return { error: text(value.error, `${path}.error`) };
  const read: KedaReading = { value: number(value.value, `${path}.value`) };
  if (value.active !== undefined) read.active = flag(value.active, `${path}.active`);
  return read;
};

/** `observation.keda`, with simple readings (`observation.readings` by trigger name) in place of its own where given. */
export function kedaObservation(
  spec: KedaDecisionSpec,
  given: unknown,
  path: string,
  simple: JsonRecord | null,
  pods: { ready: number; starting: number; failed: number; replicas: number },
  nowMs: number,
): KedaObservation {
  const keda = given === undefined ? {} : record(given, path);
  checkNames(keda, fieldsOfKeda, path);
  const resources = spec.triggers.filter((trigger) => trigger.resource !== null);
  const external = spec.triggers.filter((trigger) => trigger.resource === null);
  const specReplicas = orElse(count, pods.replicas)(keda.specReplicas, `${path}.specReplicas`);
  const readings = { ...(keda.readings === undefined ? {} : record(keda.readings, `${path}.readings`)), ...simple };
  checkNames(
    readings,
    spec.triggers.map(({ name }) => name),
    'the document',
    'trigger',
  );
  const isResource = (name: string) => resources.some((trigger) => trigger.name === name);
  const read: KedaObservation = {
    specReplicas,
    statusReplicas: orElse(count, specReplicas)(keda.statusReplicas, `${path}.statusReplicas`),
    readyReplicas: orElse(count, given === undefined ? pods.ready : specReplicas)(
      keda.readyReplicas,
      `${path}.readyReplicas`,
    ),
    createdAtMs: orElse(integer, assumedCreatedAtMs)(keda.createdAtMs, `${path}.createdAtMs`),
    readings: recordOf(reading)(
      Object.fromEntries(Object.entries(readings).filter(([name]) => !isResource(name))),
      external.length === 0 ? path : `${path}.readings`,
    ),
  };
  if (keda.pods !== undefined) read.pods = podsOf(keda.pods, `${path}.pods`, specReplicas, nowMs);
  if (keda.resourceMetrics !== undefined) {
    read.resourceMetrics = recordOf(metricReading)(keda.resourceMetrics, `${path}.resourceMetrics`);
  }
  const wanted = resources.filter(({ name }) => readings[name] !== undefined);
  if (wanted.length > 0) {
    const metrics = wanted.flatMap(({ name, resource }) => (resource ? [{ ...resource, name }] : []));
    const values = Object.fromEntries(wanted.map(({ name }) => [name, readings[name]]));
    const alike = alikePods(metrics, values, `${path}.readings`, pods, nowMs);
    // The pods' requests are by resource, not by trigger.
    const requests = Object.fromEntries(resources.map(({ resource }) => [resource?.name ?? '', 1000]));
    read.pods ??= alike.pods.map((one) => ({
      ...one,
      containers: (one.containers ?? []).map(({ name }) => ({ name, requests })),
    }));
    read.resourceMetrics = {
      ...read.resourceMetrics,
      ...Object.fromEntries(alike.metrics.map((metric, index) => [wanted[index]?.name ?? '', metric])),
    };
  }
  return read;
}
