import type { Cause, DecisionSpec, FlowObservation, KpaObservation, Observation, Reading } from '@ebb/core';
import { type Before, countNames, countsOf } from './counts.ts';
import { alikePods, hpaObservation } from './hpaObservation.ts';
import { kedaObservation } from './kedaObservation.ts';
import { LineError } from './lineError.ts';
import { milliOfQuantity } from './quantity.ts';
import {
  checkNames,
  count,
  flag,
  integer,
  isRecord,
  type JsonRecord,
  listOf,
  number,
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
import { classNamesOf, triggerNamesOf } from './spec.ts';

const fields = [
  'nowMs',
  'afterMs',
  'causes',
  'replicas',
  ...countNames,
  'classes',
  'readings',
  'lastActiveAtMs',
  'countsKnown',
  'hpa',
  'keda',
  'kpa',
  'flow',
];

const causes = listOf(
  oneOf<Cause>('document', 'request-held', 'reading', 'replica', 'revisit', 'schedule', 'restart', 'grant'),
);
const kpa: Shape<KpaObservation> = (value, path) => {
  const given = record(value, path);
  checkNames(given, ['reachable', 'activatorAnswers'], path);
  const read: KpaObservation = {};
  if (given.reachable !== undefined) read.reachable = flag(given.reachable, `${path}.reachable`);
  if (given.activatorAnswers !== undefined) {
    read.activatorAnswers = flag(given.activatorAnswers, `${path}.activatorAnswers`);
  }
  return read;
};

const flow = object<FlowObservation>({
  spanMs: orElse(count, 0),
  arrivals: orElse(count, 0),
  answered: orElse(count, 0),
  serviceMs: orElse(count, 0),
  waitMs: orElse(count, 0),
  late: orElse(count, 0),
  peak: orElse(count, 0),
  inFlightWaitMs: orElse(count, 0),
  oldestHeldMs: orElse(count, 0),
  coldStartMs: orNull(count),
});

/** When nothing is said of time: 0, or this long after the step before. */
const assumedStepMs = 1000;

/**
 * An observation as a line or a file has it, with everything that is left out filled in (docs/reference/decide.md).
 * `atMs` is the time that the line gives for all of it.
 */
export function readObservation(
  spec: DecisionSpec,
  value: unknown,
  path: string,
  before: Before | null,
  atMs?: number,
): Observation {
  const given = record(value ?? {}, path);
  checkNames(given, fields, path);
  const nowMs = timeOf(given, path, before, atMs);
  const counts = countsOf(withDemand(spec, given), path, spec, before);
  const seen = Object.values(counts.classes);
  const sum = (name: (typeof countNames)[number]) => seen.reduce((total, one) => total + one[name], 0);
  const active = sum('inFlight') + sum('held') > 0;
  const observation: Observation = {
    nowMs,
    causes: orElse(causes, [])(given.causes, `${path}.causes`),
    readings: [],
    classes: counts.classes,
    lastActiveAtMs:
      given.lastActiveAtMs === undefined && active
        ? nowMs
        : orNull(integer)(given.lastActiveAtMs, `${path}.lastActiveAtMs`),
    countsKnown: orElse(flag, true)(given.countsKnown, `${path}.countsKnown`),
  };
  const pods = {
    ready: sum('ready'),
    starting: sum('starting'),
    failed: sum('failed'),
    replicas: counts.replicas,
  };
  const simple = isRecord(given.readings) ? given.readings : null;
  const readingsPath = `${path}.readings`;
  if (spec.policy === 'hpa') {
    observation.hpa =
      given.hpa === undefined
        ? alikePods(spec.metrics, simple ?? noList(given.readings, readingsPath), readingsPath, pods, nowMs)
        : hpaObservation(given.hpa, `${path}.hpa`, spec.metrics, counts.replicas, nowMs);
  } else if (spec.policy === 'keda') {
    const readings = simple ?? noList(given.readings, readingsPath);
    observation.keda = kedaObservation(spec, given.keda, `${path}.keda`, readings, pods, nowMs);
  } else {
    observation.readings = readingsOf(spec, given.readings, readingsPath, nowMs);
  }
  if (given.flow !== undefined) {
    const flows = record(given.flow, `${path}.flow`);
    checkNames(flows, classNamesOf(spec), `${path}.flow`, 'class');
    observation.flow = recordOf(flow)(flows, `${path}.flow`);
  }
  if (given.kpa !== undefined) observation.kpa = kpa(given.kpa, `${path}.kpa`);
  return observation;
}

/**
 * Simple readings say what there is to do, and a Workload's gate asks whether anybody is here: where the requests are
 * not given, as many as the concurrency reads (one for any other demand) are in flight, or held while nothing is ready.
 */
function withDemand(spec: DecisionSpec, given: JsonRecord): JsonRecord {
  const { readings, inFlight, held, classes, ready } = given;
  if (spec.policy === 'hpa' || spec.policy === 'keda' || !isRecord(readings)) return given;
  if (inFlight !== undefined || held !== undefined || classes !== undefined) return given;
  const concurrent = new Set(['concurrency']);
  if (spec.policy === 'windows') {
    for (const { name, type } of spec.scaling.triggers) if (type === 'concurrency') concurrent.add(name);
  }
  let demand = 0;
  for (const [name, value] of Object.entries(readings)) {
    const read = isRecord(value) ? value.value : value;
    if (typeof read !== 'number' || read <= 0 || name.includes(':') || spec.policy === 'slo') continue;
    demand = Math.max(demand, concurrent.has(name.split('/')[0] ?? '') ? Math.ceil(Math.min(read, mostAssumed)) : 1);
  }
  if (demand === 0) return given;
  return (ready ?? given.replicas ?? 0) === 0 ? { ...given, held: demand } : { ...given, inFlight: demand };
}

const mostAssumed = 1_000_000;

function noList(value: unknown, path: string): JsonRecord {
  if (value === undefined) return {};
  throw new LineError(`${path} of this document is an object of values by metric, not ${shown(value)}`);
}

function timeOf(given: JsonRecord, path: string, before: Before | null, atMs: number | undefined): number {
  if (given.nowMs !== undefined) return integer(given.nowMs, `${path}.nowMs`);
  const sinceMs = before === null ? 0 : before.nowMs;
  if (given.afterMs !== undefined && (atMs ?? sinceMs) !== null) {
    return (atMs ?? sinceMs ?? 0) + count(given.afterMs, `${path}.afterMs`);
  }
  if (atMs !== undefined) return atMs;
  if (sinceMs === null) throw new LineError('with a memory the time must be said: at, or nowMs of the observation');
  return before === null ? 0 : sinceMs + assumedStepMs;
}

/** A list of readings, or values by trigger: `{ "concurrency": 12, "requestRate/gpu": 3 }`. */
function readingsOf(spec: DecisionSpec, value: unknown, path: string, nowMs: number): Reading[] {
  if (value === undefined) return [];
  const names = triggerNamesOf(spec);
  if (!isRecord(value)) return listOf(reading(names, classNamesOf(spec), nowMs))(value, path);
  return Object.entries(value).map(([name, given]) => {
    const slash = name.indexOf('/');
    const trigger = slash < 0 ? name : name.slice(0, slash);
    const fields = isRecord(given) ? given : simpleFields(given, `${path}.${name}`);
    const named = { trigger, ...(slash < 0 ? {} : { class: name.slice(slash + 1) }), ...fields };
    return reading(names, classNamesOf(spec), nowMs)(named, `${path}.${name}`);
  });
}

function simpleFields(value: unknown, path: string): JsonRecord {
  if (value === 'error' || value === 'missing' || value === 'stale') return { state: value };
  if (typeof value !== 'string') return { value };
  const milli = milliOfQuantity(value);
  if (milli === null) throw new LineError(`${path} is a number, "error" or "missing", not ${shown(value)}`);
  return { value: milli / 1000 };
}

function reading(triggers: readonly string[], classes: readonly string[], nowMs: number): Shape<Reading> {
  const shape = object<Reading>({
    trigger: text,
    class: orNull(text),
    value: orNull(number),
    peak: orNull(number),
    spanMs: orElse(count, 0),
    atMs: orElse(integer, nowMs),
    state: orElse(oneOf('ok', 'stale', 'missing', 'error'), 'ok'),
    message: orElse(text, undefined),
    nextChangeMs: orElse(integer, undefined),
    active: orElse(flag, undefined),
    target: orElse(number, undefined),
  });
  return (value, path) => {
    const read = shape(value, path);
    checkNames({ [read.trigger]: 0 }, triggers, 'the document', 'trigger');
    if (read.class !== null) checkNames({ [read.class]: 0 }, classes, 'the document', 'class');
    if (read.value === null && read.state === 'ok') {
      throw new LineError(`${path}.value is missing; without a value the state is "missing" or "error"`);
    }
    return read;
  };
}
