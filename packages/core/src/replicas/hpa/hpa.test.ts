import { describe, expect, it } from 'vitest';
import { decide } from '../decide.ts';
import type { Memory } from '../types.ts';
import { testObservation } from '../windows.fixture.ts';
import {
  defaultHpaController,
  type HpaBehavior,
  type HpaDecisionSpec,
  type HpaObservation,
  type HpaPod,
} from './types.ts';

const minute = 60_000;

function spec(more: Partial<HpaDecisionSpec> = {}): HpaDecisionSpec {
  return {
    policy: 'hpa',
    workload: 'local/default/w',
    minReplicas: 1,
    maxReplicas: 100,
    metrics: [{ type: 'Resource', name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } }],
    behavior: null,
    controller: { ...defaultHpaController },
    ...more,
  };
}

const runningPod = (name: string, more: Partial<HpaPod> = {}): HpaPod => ({
  name,
  phase: 'Running',
  startTimeMs: -60 * minute,
  ready: { status: 'True', lastTransitionMs: -50 * minute },
  containers: [{ name: 'main', requests: { cpu: 1000, memory: 1_000_000 } }],
  ...more,
});

const pods = (count: number, more: Partial<HpaPod> = {}) =>
  Array.from({ length: count }, (_, i) => runningPod(`p${i}`, more));
const samples = (values: number[]) => ({
  pods: values.map((valueMilli, i) => ({ name: `p${i}`, valueMilli, atMs: 0, windowMs: minute })),
});

const seen = (
  replicas: number,
  metrics: HpaObservation['metrics'],
  more: Partial<HpaObservation> = {},
): HpaObservation => ({
  specReplicas: replicas,
  statusReplicas: replicas,
  pods: pods(replicas),
  metrics,
  ...more,
});

function replicasOf(one: HpaDecisionSpec, hpa: HpaObservation, memory: Memory | null = null, nowMs = 0): number {
  return decide(one, memory, testObservation(nowMs, {}, { hpa })).decision.replicas;
}

function conditionsOf(one: HpaDecisionSpec, hpa: HpaObservation): string[] {
  const { reasons } = decide(one, null, testObservation(0, {}, { hpa })).decision;
  return reasons
    .filter((reason) => reason.code === 'hpa-condition')
    .map(({ data }) => `${data.type}=${data.status}/${data.reason}`);
}

describe('utilisation', () => {
  it.each([
    ['up in proportion', [700, 700], 3],
    ['within tolerance, at its edge', [550, 550], 2],
    ['the truncated percentage decides: 55.9 % counts as 55 %', [559, 559], 2],
    ['just above it', [560, 560], 3],
    ['at most twice the current count or four', [10_000, 10_000], 4],
  ])('%s', (_name, values, wanted) => {
    expect(replicasOf(spec(), seen(2, [samples(values)]))).toBe(wanted);
  });

  it('comes down once the history allows it', () => {
    const first = decide(spec(), null, testObservation(0, {}, { hpa: seen(4, [samples([100, 100, 100, 100])]) }));
    expect(first.decision.replicas).toBe(4);
    const later = seen(4, [samples([100, 100, 100, 100])]);
    expect(replicasOf(spec(), later, first.memory, 5 * minute)).toBe(4);
    expect(replicasOf(spec(), later, first.memory, 5 * minute + 1)).toBe(1);
  });

  it('counts missing pods as idle on the way up and as busy on the way down', () => {
    expect(replicasOf(spec(), seen(4, [samples([800, 800])]))).toBe(4);
    expect(replicasOf(spec(), seen(2, [samples([1200])]))).toBe(3);
    const down = spec({ controller: { ...defaultHpaController, downscaleStabilizationMs: 0 } });
    const first = decide(down, null, testObservation(-1, {}, { hpa: seen(4, [samples([100, 100, 100])]) }));
    expect(first.decision.replicas).toBe(4);
  });

  it('counts unready pods as idle on the way up only', () => {
    const young = runningPod('p2', { startTimeMs: -30_000, ready: { status: 'False', lastTransitionMs: -30_000 } });
    expect(replicasOf(spec(), seen(3, [samples([900, 900, 50])], { pods: [...pods(2), young] }))).toBe(4);
    expect(replicasOf(spec(), seen(3, [samples([600, 600, 5000])], { pods: [...pods(2), young] }))).toBe(3);
  });

  it('ignores failed and terminating pods, samples and all', () => {
    const gone = [runningPod('p2', { deleting: true }), runningPod('p3', { phase: 'Failed' })];
    expect(replicasOf(spec(), seen(2, [samples([700, 700, 9000, 9000])], { pods: [...pods(2), ...gone] }))).toBe(3);
  });

  it('fails when one container has no request', () => {
    const noRequest = runningPod('p1', { containers: [{ name: 'main', requests: {} }] });
    const hpa = seen(2, [samples([900, 900])], { pods: [runningPod('p0'), noRequest] });
    expect(replicasOf(spec(), hpa)).toBe(2);
    expect(conditionsOf(spec(), hpa)).toContain('ScalingActive=False/FailedGetResourceMetric');
  });
});

describe('other metrics', () => {
  const external = (target: HpaDecisionSpec['metrics'][number]['target'], more: Partial<HpaDecisionSpec> = {}) =>
    spec({ metrics: [{ type: 'External', name: 'queue', target }], ...more });

  it('External with an average value divides by the target, whatever the pods', () => {
    const one = external({ type: 'AverageValue', averageValueMilli: 5000 });
    expect(replicasOf(one, seen(3, [{ valuesMilli: [10_000, 9000] }]))).toBe(4);
    expect(replicasOf(one, seen(4, [{ valuesMilli: [20_100] }]))).toBe(4);
  });

  it('External with a value is in proportion to the ready pods', () => {
    const one = external({ type: 'Value', valueMilli: 10_000 });
    const half = [...pods(2), runningPod('p9', { ready: { status: 'False', lastTransitionMs: 0 } })];
    expect(replicasOf(one, seen(3, [{ valuesMilli: [25_000] }], { pods: half }))).toBe(5);
  });

  it('wakes from zero only where minReplicas is zero', () => {
    const target = { type: 'AverageValue', averageValueMilli: 5000 } as const;
    const zero = seen(0, [{ valuesMilli: [12_000] }]);
    expect(replicasOf(external(target, { minReplicas: 0 }), zero)).toBe(3);
    expect(replicasOf(external(target), zero)).toBe(0);
    expect(conditionsOf(external(target), zero)).toContain('ScalingActive=False/ScalingDisabled');
  });

  it('Pods average over the pods, truncated', () => {
    const one = spec({
      metrics: [{ type: 'Pods', name: 'rps', target: { type: 'AverageValue', averageValueMilli: 10_000 } }],
    });
    expect(replicasOf(one, seen(3, [samples([20_000, 10_000, 15_000])]))).toBe(5);
  });

  it('a failing metric lets the others scale up, never down', () => {
    const two = spec({
      metrics: [
        { type: 'Resource', name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
        { type: 'External', name: 'queue', target: { type: 'AverageValue', averageValueMilli: 1000 } },
      ],
    });
    expect(replicasOf(two, seen(3, [{ error: 'down' }, { valuesMilli: [5000] }]))).toBe(5);
    const down = seen(3, [{ error: 'down' }, { valuesMilli: [1000] }]);
    expect(replicasOf(two, down)).toBe(3);
    expect(conditionsOf(two, down)).toContain('ScalingActive=False/FailedGetResourceMetric');
  });

  it('does nothing with an ambiguous selector', () => {
    const selectorProblem = {
      reason: 'AmbiguousSelector' as const,
      message: 'pods by selector are controlled by multiple HPAs',
    };
    const hpa = seen(2, [samples([900, 900])], { selectorProblem });
    expect(replicasOf(spec(), hpa)).toBe(2);
    expect(conditionsOf(spec(), hpa)).toContain('ScalingActive=False/AmbiguousSelector');
  });
});

describe('behaviour', () => {
  const rules = (more: Partial<HpaBehavior['scaleUp']> = {}) => ({
    stabilizationMs: 0,
    selectPolicy: 'Max' as const,
    policies: [{ type: 'Pods' as const, value: 4, periodMs: 15_000 }],
    tolerance: null,
    ...more,
  });
  const demand = (replicas: number, wanted: number) => seen(replicas, [{ valuesMilli: [wanted * 1000] }]);
  const one = (behavior: HpaBehavior) =>
    spec({
      behavior,
      metrics: [{ type: 'External', name: 'q', target: { type: 'AverageValue', averageValueMilli: 1000 } }],
    });

  it('limits the rate, also truncating a percentage on the way down', () => {
    const behavior = {
      scaleUp: rules(),
      scaleDown: rules({ policies: [{ type: 'Percent', value: 33, periodMs: 15_000 }] }),
    };
    expect(replicasOf(one(behavior), demand(5, 50))).toBe(9);
    const first = decide(one(behavior), null, testObservation(0, {}, { hpa: demand(5, 1) }));
    expect(first.decision.replicas).toBe(3);
    expect(conditionsOf(one(behavior), demand(5, 1))).toContain('ScalingLimited=True/ScaleDownLimit');
  });

  it('counts earlier changes of the period', () => {
    const behavior = { scaleUp: rules(), scaleDown: rules() };
    const patient = one(behavior);
    patient.controller.syncPeriodMs = 5000;
    const first = decide(patient, null, testObservation(0, {}, { hpa: demand(5, 50) }));
    const second = decide(patient, first.memory, testObservation(5000, {}, { hpa: demand(9, 50) }));
    const third = decide(patient, second.memory, testObservation(15_000, {}, { hpa: demand(9, 50) }));
    expect([first, second, third].map((result) => result.decision.replicas)).toEqual([9, 9, 13]);
  });

  it('has a tolerance of its own in each direction', () => {
    const behavior = { scaleUp: rules({ tolerance: 0 }), scaleDown: rules({ tolerance: 0.5 }) };
    expect(replicasOf(one(behavior), demand(100, 101))).toBe(100);
    expect(replicasOf({ ...one(behavior), maxReplicas: 200 }, demand(100, 101))).toBe(101);
    expect(replicasOf(one(behavior), demand(100, 51))).toBe(100);
    expect(replicasOf(one(behavior), demand(100, 49))).toBe(96);
  });

  it('does not move in a disabled direction', () => {
    const behavior = { scaleUp: rules({ selectPolicy: 'Disabled' }), scaleDown: rules() };
    expect(replicasOf(one(behavior), demand(5, 50))).toBe(5);
  });
});

describe('bounds', () => {
  it('win without any metric being read', () => {
    expect(replicasOf(spec({ maxReplicas: 3 }), seen(9, [{ error: 'x' }]))).toBe(3);
    expect(replicasOf(spec({ minReplicas: 3 }), seen(1, [{ error: 'x' }]))).toBe(3);
  });
});

describe('the grid', () => {
  it('acts every sync period and repeats itself in between', () => {
    const first = decide(spec(), null, testObservation(0, {}, { hpa: seen(2, [samples([700, 700])]) }));
    const between = decide(
      spec(),
      first.memory,
      testObservation(14_999, {}, { hpa: seen(3, [samples([990, 990, 990])]) }),
    );
    expect(between.decision.replicas).toBe(3);
    expect(between.memory).toEqual(first.memory);
    expect(first.decision.revisitAtMs).toBe(15_000);
    const next = decide(
      spec(),
      first.memory,
      testObservation(15_000, {}, { hpa: seen(3, [samples([990, 990, 990])]) }),
    );
    expect(next.decision.replicas).toBe(6);
  });
});
