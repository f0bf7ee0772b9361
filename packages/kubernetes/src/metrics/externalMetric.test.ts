import type { ScaledObjectSpec, ScaledObjectStatus, TriggerStatus, WorkloadStatus } from '@ebb/documents';
import { expect, it } from 'vitest';
import { externalMetric, type MetricFacts } from './externalMetric.ts';

const trigger = (name: string, type: string, value: number | null, message = ''): TriggerStatus => ({
  ...{ name, type, value, message, target: 10, active: null, at: 5000 },
  state: value === null ? 'error' : 'ok',
});
const triggers = [
  trigger('load', 'cpu', 80),
  trigger('jobs', 'redis', 12.3456),
  trigger('lag', 'kafka', null, 'no broker'),
];

function facts(more: { triggers?: TriggerStatus[]; formula?: string; decided?: boolean } = {}): MetricFacts {
  const spec = more.formula === undefined ? null : { modifiers: { formula: more.formula } };
  const decision = more.decided === false ? null : {};
  return {
    nowMs: () => 9000,
    workload: ({ namespace, name }) =>
      namespace === 'shop' && name === 'web' ? ({ replicas: { wanted: 7 }, decision } as WorkloadStatus) : null,
    scaledObject: ({ namespace, name }) =>
      namespace === 'shop' && name === 'web' ? ({ triggers: more.triggers ?? triggers } as ScaledObjectStatus) : null,
    specOf: () => spec as ScaledObjectSpec | null,
  };
}

const ask = (metric: string, labels: Record<string, string>, more = {}) =>
  externalMetric(facts(more), { namespace: 'shop', metric, labels });
const keda = { 'scaledobject.keda.sh/name': 'web' };
const ebb = { 'ebb.dev/workload': 'web' };

it('is the number of replicas that Ebb would have', () => {
  expect(ask('ebb-replicas', ebb)).toEqual({ valueMilli: 7000, atMs: 9000 });
  expect(ask('ebb-replicas', { 'ebb.dev/workload': 'wbe' })).toMatchObject({ status: 404 });
  expect(ask('ebb-replicas', ebb, { decided: false })).toMatchObject({ status: 503 });
  expect(ask('ebb-replicas', keda)).toEqual({
    status: 400,
    message: 'ebb-replicas needs the label ebb.dev/workload in the selector',
  });
});

it("is a trigger's reading by KEDA's name, cut to thousandths as KEDA does", () => {
  expect(ask('s1-redis-jobs', keda)).toEqual({ valueMilli: 12_345, atMs: 5000 });
});

it('is refused and never zero where it cannot be told', () => {
  expect(ask('s2-kafka-topic', keda)).toEqual({ status: 503, message: 'trigger lag has no value: no broker' });
  expect(ask('s0-cpu', keda)).toMatchObject({ status: 404, message: expect.stringContaining('s1-redis, s2-kafka') });
  expect(ask('s9-redis', keda)).toMatchObject({ status: 404 });
  expect(ask('jobs', keda)).toMatchObject({ status: 404 });
  expect(ask('s1-redis-jobs', {})).toMatchObject({ status: 400 });
  expect(ask('s1-redis-jobs', { 'scaledobject.keda.sh/name': 'other' })).toMatchObject({ status: 404 });
});

it('is the value of a formula, where there is one and every trigger has a value', () => {
  const both = [trigger('a', 'redis', 3), trigger('b', 'kafka', 4.5)];
  expect(ask('composite-metric', keda, { triggers: both, formula: 'a * b' })).toEqual({
    valueMilli: 13_500,
    atMs: 5000,
  });
  expect(ask('composite-metric', keda, { formula: 'jobs + lag' })).toMatchObject({ status: 503 });
  expect(ask('composite-metric', keda)).toMatchObject({ status: 404 });
});
