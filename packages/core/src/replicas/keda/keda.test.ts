import { describe, expect, it } from 'vitest';
import { defaultHpaController } from '../hpa/types.ts';
import type { Decision, Memory, Observation } from '../types.ts';
import { testObservation } from '../windows.fixture.ts';
import { decideByKeda } from './keda.ts';
import { toMilli } from './metrics.ts';
import { operatorStep } from './operatorStep.ts';
import type { KedaDecisionSpec, KedaObservation, KedaReading, KedaTrigger } from './types.ts';

const second = 1000;
const decide = decideByKeda((formula, values) => {
  const sum = Object.values(values).reduce<number>((total, value) => total + (value ?? 0), 0);
  if (formula === 'sum') return sum;
  if (formula === 'nil') return null;
  throw new Error(`no such formula in this test: ${formula}`);
});

const trigger = (more: Partial<KedaTrigger> = {}): KedaTrigger => ({
  name: 'queue',
  type: 'rabbitmq',
  metricType: 'AverageValue',
  target: 5,
  activationTarget: 0,
  resource: null,
  ...more,
});

const spec = (more: Partial<KedaDecisionSpec> = {}): KedaDecisionSpec => ({
  policy: 'keda',
  workload: 'local/default/w',
  minReplicas: 0,
  maxReplicas: 100,
  idleReplicas: null,
  cooldownMs: 300 * second,
  initialCooldownMs: 0,
  pollingIntervalMs: 30 * second,
  triggers: [trigger()],
  fallback: null,
  modifiers: null,
  pause: { paused: false, replicas: null, scaleIn: false, scaleOut: false },
  forceActivation: false,
  behavior: null,
  controller: { ...defaultHpaController },
  improvements: null,
  ...more,
});

function seen(
  nowMs: number,
  replicas: number,
  reading: KedaReading | Record<string, KedaReading>,
  more: Partial<KedaObservation> = {},
): Observation {
  const readings =
    'value' in reading || 'error' in reading
      ? { queue: reading as KedaReading }
      : (reading as Record<string, KedaReading>);
  const keda = {
    specReplicas: replicas,
    statusReplicas: replicas,
    readyReplicas: replicas,
    createdAtMs: 0,
    readings,
    ...more,
  };
  return testObservation(nowMs, {}, { keda });
}

/** Feeds observations; each is told the count that was decided before it. */
function run(
  one: KedaDecisionSpec,
  start: number,
  steps: [number, KedaReading][],
): { counts: number[]; decisions: Decision[]; memory: Memory | null } {
  let memory: Memory | null = null;
  let replicas = start;
  const decisions: Decision[] = [];
  for (const [nowMs, reading] of steps) {
    const result = decide(one, memory, seen(nowMs, replicas, reading));
    memory = result.memory;
    replicas = result.decision.replicas;
    decisions.push(result.decision);
  }
  return { counts: decisions.map((decision) => decision.replicas), decisions, memory };
}

it('polls by a shorter interval as soon as it has one', () => {
  const { memory } = decide(spec(), null, seen(0, 0, { value: 0 }));
  const shorter = spec({ pollingIntervalMs: second });
  const changed = decide(shorter, memory, seen(10, 0, { value: 0 }));
  expect(changed.decision.revisitAtMs).toBe(10 + second);
  expect(decide(shorter, changed.memory, seen(10 + second, 0, { value: 5 })).decision.replicas).toBe(1);
});

describe('the operator between 0 and 1', () => {
  const step = (
    one: KedaDecisionSpec,
    current: number,
    isActive: boolean,
    isError = false,
    lastActiveMs: number | null = null,
  ) => operatorStep(one, { nowMs: 1_000_000, current, isActive, isError, lastActiveMs, createdAtMs: 0 }).write;

  it.each<[string, Partial<KedaDecisionSpec>, number, boolean, number | null]>([
    ['wakes to one', {}, 0, true, 1],
    ['wakes to the minimum', { minReplicas: 3 }, 0, true, 3],
    ['leaves a count above zero to the HPA', { minReplicas: 3 }, 1, true, null],
    ['lifts from idle to the minimum', { minReplicas: 3, idleReplicas: 1 }, 1, true, 3],
    [
      'does not wake while scale-out is paused',
      { pause: { paused: false, replicas: null, scaleIn: false, scaleOut: true } },
      0,
      true,
      null,
    ],
    ['goes to zero when it was never active', {}, 7, false, 0],
    ['goes to idle', { minReplicas: 3, idleReplicas: 0 }, 7, false, 0],
    ['stays at a minimum above zero', { minReplicas: 3 }, 7, false, null],
    ['raises to the minimum at once', { minReplicas: 3 }, 1, false, 3],
    [
      'does not go down while scale-in is paused',
      { pause: { paused: false, replicas: null, scaleIn: true, scaleOut: false } },
      7,
      false,
      null,
    ],
    [
      'does nothing while paused',
      { pause: { paused: true, replicas: null, scaleIn: false, scaleOut: false } },
      0,
      true,
      null,
    ],
    ['goes to the paused count', { pause: { paused: true, replicas: 2, scaleIn: false, scaleOut: false } }, 7, true, 2],
    ['is woken by force', { forceActivation: true }, 0, false, 1],
  ])('%s', (_name, more, current, active, expected) => {
    expect(step(spec(more), current, active)).toBe(expected);
  });

  it('waits for the whole cool-down, strictly', () => {
    const at = (lastActiveMs: number) => step(spec(), 4, false, false, lastActiveMs);
    expect(at(700_000)).toBeNull();
    expect(at(699_999)).toBe(0);
    expect(step(spec({ initialCooldownMs: 1_000_000 }), 4, false)).toBeNull();
    expect(step(spec({ initialCooldownMs: 999_999 }), 4, false)).toBe(0);
  });

  it('does nothing with an error, unless the fallback is zero', () => {
    const fallback = (replicas: number) => ({
      fallback: { failureThreshold: 3, replicas, behavior: 'static' as const },
    });
    expect(step(spec(), 4, false, true)).toBeNull();
    expect(step(spec(fallback(5)), 0, false, true)).toBeNull();
    expect(step(spec(fallback(0)), 4, false, true)).toBe(0);
  });
});

describe('a ScaledObject', () => {
  it('activates strictly above the activation value, whatever the threshold says', () => {
    const one = spec({ triggers: [trigger({ target: 10, activationTarget: 50 })] });
    expect(run(one, 0, [[0, { value: 40 }]]).counts).toEqual([0]);
    expect(run(one, 0, [[0, { value: 50 }]]).counts).toEqual([0]);
    expect(run(one, 0, [[0, { value: 51 }]]).counts).toEqual([1]);
  });

  it('polls every 30 s at zero; the HPA goes on from one, every 15 s', () => {
    const { counts } = run(spec(), 0, [
      [0, { value: 0 }],
      [15 * second, { value: 40 }],
      [30 * second, { value: 40 }],
      [31 * second, { value: 40 }],
      [46 * second, { value: 40 }],
    ]);
    expect(counts).toEqual([0, 0, 1, 4, 8]);
  });

  it('goes from N to zero in one jump after the cool-down', () => {
    const one = spec({ cooldownMs: 60 * second });
    const { counts } = run(one, 7, [
      [0, { value: 35 }],
      [30 * second, { value: 0 }],
      [60 * second, { value: 0 }],
      [90 * second, { value: 0 }],
    ]);
    expect(counts).toEqual([7, 7, 7, 0]);
  });

  it('with a value target is in proportion to what is ready', () => {
    const one = spec({ triggers: [trigger({ metricType: 'Value', target: 10 })] });
    expect(run(one, 2, [[0, { value: 25 }]]).counts).toEqual([4]);
  });

  it('falls back after more failures than the threshold', () => {
    const one = spec({
      pollingIntervalMs: 15 * second,
      fallback: { failureThreshold: 2, replicas: 6, behavior: 'static' },
    });
    const failing = Array.from({ length: 4 }, (_, i): [number, KedaReading] => [i * 15 * second, { error: 'refused' }]);
    expect(run(one, 3, failing).counts).toEqual([3, 3, 6, 6]);
  });

  it.each([
    ['currentReplicas', 3],
    ['currentReplicasIfHigher', 6],
    ['currentReplicasIfLower', 3],
    ['static', 6],
  ] as const)('falls back with behavior %s', (behavior, expected) => {
    const one = spec({ fallback: { failureThreshold: 0, replicas: 6, behavior } });
    expect(run(one, 3, [[0, { error: 'refused' }]]).counts).toEqual([expected]);
  });

  it('stays at zero with a failing source, as upstream does; with the improvements it does not', () => {
    const fallback = { failureThreshold: 0, replicas: 4, behavior: 'static' as const };
    const steps: [number, KedaReading][] = [0, 30, 45].map((at) => [at * second, { error: 'refused' }]);
    expect(run(spec({ fallback }), 0, steps).counts).toEqual([0, 0, 0]);
    const improved = spec({ fallback, improvements: { lastValueMaxAgeMs: 0, stepwiseToZero: false } });
    expect(run(improved, 0, steps).counts).toEqual([1, 4, 4]);
  });

  it('keeps the last value of a lost source for a while, if asked to', () => {
    const improved = spec({ improvements: { lastValueMaxAgeMs: 60 * second, stepwiseToZero: false } });
    const { decisions } = run(improved, 2, [
      [0, { value: 20 }],
      [15 * second, { error: 'refused' }],
      [75 * second, { error: 'refused' }],
    ]);
    expect(decisions.map((decision) => decision.replicas)).toEqual([4, 4, 4]);
    expect(decisions[1]?.reasons.map((reason) => reason.code)).toContain('keda-last-value');
    expect(decisions[2]?.reasons.map((reason) => reason.code)).toContain('hpa-nothing-scaled');
  });

  it.each([false, true])('does not go to zero by the last value of a lost source (reactive: %s)', (isReactive) => {
    const improvements = { lastValueMaxAgeMs: 300 * second, stepwiseToZero: true, reactive: isReactive };
    const steps: [number, KedaReading][] = [
      [0, { value: 5 }],
      [30 * second, { value: 0 }],
      ...[60, 90, 120, 400].map((at): [number, KedaReading] => [at * second, { error: 'refused' }]),
      [430 * second, { value: 0 }],
    ];
    const { counts, decisions } = run(spec({ cooldownMs: 60 * second, improvements }), 1, steps);
    expect(counts).toEqual([1, 1, 1, 1, 1, 1, 0]);
    expect(decisions[4]?.reasons.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['keda-last-value', 'keda-error']),
    );
    // Asked for in so many words.
    const fallback = { failureThreshold: 0, replicas: 0, behavior: 'static' as const };
    expect(run(spec({ cooldownMs: 60 * second, improvements, fallback }), 1, steps.slice(0, 5)).counts.at(-1)).toBe(0);
  });
});

describe('the way to zero', () => {
  const behavior = {
    scaleUp: { stabilizationMs: 0, selectPolicy: 'Max' as const, policies: [], tolerance: null },
    scaleDown: {
      stabilizationMs: 0,
      selectPolicy: 'Max' as const,
      policies: [{ type: 'Pods' as const, value: 3, periodMs: 15 * second }],
      tolerance: null,
    },
  };

  it('with the improvements goes by the policies, and the last replica by the cool-down', () => {
    const improvements = { lastValueMaxAgeMs: 0, stepwiseToZero: true };
    const one = spec({ cooldownMs: 20 * second, pollingIntervalMs: 15 * second, behavior, improvements });
    const steps = Array.from({ length: 6 }, (_, i): [number, KedaReading] => [
      i * 15 * second,
      { value: i === 0 ? 35 : 0 },
    ]);
    expect(run(one, 7, steps).counts).toEqual([7, 4, 1, 0, 0, 0]);
  });
});

describe('scaling modifiers', () => {
  const modifiers = { formula: 'sum', target: 2.5, activationTarget: 0, metricType: 'AverageValue' as const };
  const triggers = [trigger({ name: 'a' }), trigger({ name: 'b' })];
  const one = (more: Partial<KedaDecisionSpec> = {}) => spec({ triggers, modifiers, ...more });
  const replicasWith = (what: KedaDecisionSpec, readings: Record<string, KedaReading>) =>
    decide(what, null, seen(0, 2, readings)).decision.replicas;

  it('make one metric of all triggers', () => {
    expect(replicasWith(one(), { a: { value: 5 }, b: { value: 2 } })).toBe(3);
  });

  it('with a fractional target have no fallback upstream, and one with the improvements', () => {
    const fallback = { failureThreshold: 0, replicas: 4, behavior: 'static' as const };
    const broken = { a: { error: 'refused' }, b: { value: 2 } };
    expect(replicasWith(one({ fallback }), broken)).toBe(2);
    expect(replicasWith(one({ fallback, improvements: { lastValueMaxAgeMs: 0, stepwiseToZero: false } }), broken)).toBe(
      4,
    );
    expect(replicasWith(one({ fallback, modifiers: { ...modifiers, target: 3 } }), broken)).toBe(4);
  });

  it('with the behaviour scalingModifiers give the failing trigger as nil', () => {
    const fallback = { failureThreshold: 0, replicas: 3, behavior: 'scalingModifiers' as const };
    expect(replicasWith(one({ fallback }), { a: { error: 'refused' }, b: { value: 10 } })).toBe(4);
    expect(
      replicasWith(one({ fallback, modifiers: { ...modifiers, formula: 'nil' } }), {
        a: { error: 'x' },
        b: { value: 1 },
      }),
    ).toBe(3);
  });
});

describe('thousandths', () => {
  it.each([
    [1.2346, 1235],
    [0.0004, 0],
    [-5, 0],
    [Number.NaN, 0],
    [Number.POSITIVE_INFINITY, 0],
    [2, 2000],
  ])('of %d are %d', (value, expected) => expect(toMilli(value)).toBe(expected));
});

describe('reactive, under the improvements', () => {
  const reactive = (more: Partial<KedaDecisionSpec> = {}) =>
    spec({
      improvements: { lastValueMaxAgeMs: 0, stepwiseToZero: true, reactive: true },
      controller: { ...defaultHpaController, syncPeriodMs: second },
      behavior: {
        scaleUp: {
          stabilizationMs: 0,
          selectPolicy: 'Max',
          policies: [{ type: 'Percent', value: 1_000_000, periodMs: 1000 }],
          tolerance: null,
        },
        scaleDown: {
          stabilizationMs: 10 * second,
          selectPolicy: 'Max',
          policies: [{ type: 'Percent', value: 100, periodMs: 15_000 }],
          tolerance: null,
        },
      },
      cooldownMs: 20 * second,
      ...more,
    });

  it('goes from zero to what the reading asks for in one decision, whenever it comes', () => {
    const idle = decide(reactive(), null, seen(0, 0, { value: 0 }));
    expect(idle.decision).toMatchObject({ replicas: 0, revisitAtMs: null });
    const woken = decide(reactive(), idle.memory, seen(40, 0, { value: 48 }));
    expect(woken.decision).toMatchObject({ replicas: 10, revisitAtMs: 1040 });
  });

  it('acts on more news at once, between two syncs of the HPA', () => {
    const first = decide(reactive(), null, seen(0, 0, { value: 1 }));
    const more = decide(reactive(), first.memory, seen(4, 1, { value: 48 }, { fresh: ['queue'] }));
    expect(more.decision.replicas).toBe(10);
    const same = decide(reactive(), more.memory, seen(8, 10, { value: 48 }, { fresh: [] }));
    expect(same.decision.reasons.map(({ code }) => code)).toContain('hpa-between-syncs');
    expect(same.decision.replicas).toBe(10);
  });

  it('follows within a second, and comes down by the policies, the last replica by the cool-down', () => {
    let { memory } = decide(reactive(), null, seen(0, 0, { value: 48 }));
    const more = decide(reactive(), memory, seen(second, 10, { value: 100 }));
    expect(more.decision.replicas).toBe(20);
    memory = more.memory;
    let replicas = 20;
    const path: number[] = [];
    for (let atMs = 2 * second; atMs <= 40 * second; atMs += second) {
      const next = decide(reactive(), memory, seen(atMs, replicas, { value: 0 }));
      memory = next.memory;
      if (next.decision.replicas !== replicas) path.push(next.decision.replicas);
      replicas = next.decision.replicas;
    }
    expect(path).toEqual([1, 0]);
  });

  it('counts a failure once, however often it is looked at', () => {
    const fallback = { failureThreshold: 2, replicas: 4, behavior: 'static' as const };
    const one = reactive({ fallback });
    let { memory, decision } = decide(one, null, seen(0, 0, { error: 'down' }, { fresh: ['queue'] }));
    for (let atMs = 10; atMs < 100; atMs += 10) {
      ({ memory, decision } = decide(one, memory, seen(atMs, 0, { error: 'down' }, { fresh: [] })));
      expect(decision.replicas).toBe(0);
    }
    ({ memory, decision } = decide(one, memory, seen(1000, 0, { error: 'down' }, { fresh: ['queue'] })));
    ({ memory, decision } = decide(one, memory, seen(2000, 0, { error: 'down' }, { fresh: ['queue'] })));
    expect(decision.replicas).toBe(4);
  });
});
