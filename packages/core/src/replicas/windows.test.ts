import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from './decide.ts';
import type { DecideResult, Decision, Memory, Observation, Reading, WorkloadDecisionSpec } from './types.ts';
import { testObservation, testReading, testSpec } from './windows.fixture.ts';

const codes = (decision: Decision) => decision.reasons.map((reason) => reason.code);

/** Feeds observations one after the other. */
function run(spec: WorkloadDecisionSpec, observations: Observation[]): { decisions: Decision[]; memory: Memory } {
  let memory: Memory | null = null;
  const decisions = observations.map((observation) => {
    const result = decide(spec, memory, observation);
    memory = result.memory;
    return result.decision;
  });
  if (!memory) throw new Error('no observation');
  return { decisions, memory };
}

describe('0 → 1 → N → 0', () => {
  it('opens for the first waiting request and closes after exactly the keep-alive time', () => {
    const spec = testSpec();
    const idleSince = 2000;
    const { decisions } = run(spec, [
      testObservation(0),
      testObservation(1000, { held: 1 }),
      testObservation(1500, { ready: 1, inFlight: 1 }),
      testObservation(idleSince, { ready: 1 }, { lastActiveAtMs: idleSince }),
      testObservation(idleSince + 9999, { ready: 1 }, { lastActiveAtMs: idleSince }),
      testObservation(idleSince + 10_000, { ready: 1 }, { lastActiveAtMs: idleSince }),
    ]);
    expect(decisions.map((decision) => decision.replicas)).toEqual([0, 1, 1, 1, 1, 0]);
    expect(codes(decisions[1] as Decision)).toContain('gate-opens');
    expect(codes(decisions[5] as Decision)).toContain('gate-closes');
    expect(decisions[3]?.revisitAtMs).toBe(idleSince + 10_000);
    expect(decisions[5]?.revisitAtMs).toBeNull();
  });

  it('asks for as many as wait, bounded by the maximum', () => {
    expect(run(testSpec(), [testObservation(0, { held: 3 })]).decisions[0]?.replicas).toBe(3);
    const capped = run(testSpec(), [testObservation(0, { held: 30 })]).decisions[0] as Decision;
    expect(capped.replicas).toBe(5);
    expect(codes(capped)).toContain('capped-at-max');
    expect(run(testSpec({}, 10), [testObservation(0, { held: 30 })]).decisions[0]?.replicas).toBe(3);
  });

  it('is not woken again by what the windows remember', () => {
    const spec = testSpec();
    const readings = [testReading(1000, 4), testReading(2000, 4)];
    const { decisions } = run(spec, [
      testObservation(2000, { ready: 4, inFlight: 4 }, { readings }),
      testObservation(13_000, { ready: 4 }, { lastActiveAtMs: 2000 }),
      testObservation(14_000, {}, { lastActiveAtMs: 2000 }),
    ]);
    expect(decisions.map((decision) => decision.replicas)).toEqual([4, 0, 0]);
  });

  it('wakes to what waits, not to the burst of a while ago', () => {
    const readings = [testReading(1000, 9), testReading(2000, 9)];
    const { decisions } = run(testSpec({ maxReplicas: 20 }), [
      testObservation(2000, { ready: 2, inFlight: 2, held: 7 }, { readings }),
      testObservation(12_000, { ready: 9 }, { lastActiveAtMs: 2000 }),
      testObservation(13_000, { held: 1 }, { readings: [testReading(13_000, 0, { spanMs: 10_000 })] }),
    ]);
    expect(decisions.map((decision) => decision.replicas)).toEqual([9, 0, 1]);
  });

  it('starts nothing while nobody is here', () => {
    const { decisions } = run(testSpec(), [
      testObservation(2000, { ready: 1, inFlight: 1 }),
      testObservation(3000, { ready: 1 }, { readings: [testReading(3000, 4)], lastActiveAtMs: 2500 }),
    ]);
    expect(decisions.map((decision) => decision.replicas)).toEqual([1, 1]);
  });
});

describe('windows', () => {
  it('follow the mean over the stable window, and the short one in a burst', () => {
    const spec = testSpec({ maxReplicas: 100 }, 10);
    spec.scaling.triggers = [{ name: 'concurrency', type: 'concurrency', target: 10 }];
    const steady = Array.from({ length: 60 }, (_, i) =>
      testObservation((i + 1) * 1000, { ready: 2, inFlight: 15 }, { readings: [testReading((i + 1) * 1000, 15)] }),
    );
    expect(run(spec, steady).decisions.at(-1)?.replicas).toBe(2);
    const burst = Array.from({ length: 6 }, (_, i) =>
      testObservation(
        61_000 + i * 1000,
        { ready: 2, inFlight: 20, held: 60 },
        { readings: [testReading(61_000 + i * 1000, 80)] },
      ),
    );
    const after = run(spec, [...steady, ...burst]).decisions.at(-1) as Decision;
    expect(after.replicas).toBe(8);
    expect(codes(after)).toContain('panic-window');
  });

  it('do not let a busy replica go because a mean has fallen', () => {
    const { decisions } = run(testSpec(), [
      testObservation(0, { ready: 3, inFlight: 3 }),
      testObservation(
        100_000,
        { ready: 3, inFlight: 2 },
        { readings: [testReading(100_000, 0.1, { spanMs: 60_000 })] },
      ),
    ]);
    expect(decisions[1]?.replicas).toBe(2);
  });
});

describe('lost sources', () => {
  it('hold while the gateway is silent, and may still go up', () => {
    const { decisions } = run(testSpec(), [
      testObservation(0, { ready: 3, inFlight: 3 }),
      testObservation(60_000, { ready: 3 }, { countsKnown: false, lastActiveAtMs: 0 }),
      testObservation(61_000, { ready: 3, held: 5 }, { countsKnown: false }),
    ]);
    expect(decisions.map((decision) => decision.replicas)).toEqual([3, 3, 5]);
    expect(codes(decisions[1] as Decision)).toContain('counts-missing');
  });

  it.each<[string, Partial<Reading>]>([
    ['missing', { state: 'missing', value: null }],
    ['an error', { state: 'error', value: null, message: 'refused' }],
    ['stale', { state: 'stale' }],
    ['NaN', { value: Number.NaN }],
    ['infinite', { value: Number.POSITIVE_INFINITY }],
    ['absurd', { value: 1e308 }],
  ])('hold when a reading is %s', (_name, more) => {
    const { decisions } = run(testSpec(), [
      testObservation(0, { ready: 3, inFlight: 3 }),
      testObservation(60_000, { ready: 3 }, { readings: [testReading(60_000, 0, more)], lastActiveAtMs: 0 }),
      testObservation(61_000, { ready: 3 }, { readings: [testReading(61_000, 0)], lastActiveAtMs: 0 }),
    ]);
    expect(decisions.map((decision) => decision.replicas)).toEqual([3, 3, 0]);
  });
});

describe('bounds', () => {
  it('raise to the minimum and to a schedule that is on', () => {
    const spec = testSpec({
      minReplicas: 1,
      schedules: [{ name: 'office', timezone: 'UTC', start: '0 8 * * *', end: '0 18 * * *', minReplicas: 3 }],
    });
    const on = (value: number) =>
      testReading(0, value, { trigger: 'schedule:office', class: null, spanMs: 0, nextChangeMs: 5000 });
    const { decisions } = run(spec, [
      testObservation(0, {}, { readings: [on(3)] }),
      testObservation(5000, {}, { readings: [on(0)] }),
    ]);
    expect(decisions.map((decision) => decision.replicas)).toEqual([3, 1]);
    expect(decisions[0]?.revisitAtMs).toBe(5000);
  });

  it('follow dated events: more for the same demand, and a minimum', () => {
    const when = { timezone: 'UTC', from: '2026-12-24T00:00:00', to: '2026-12-27T00:00:00', leadMs: 0 };
    const spec = testSpec({ events: [{ name: 'sale', ...when, factor: 1.5, minReplicas: 1 }] });
    const on = (value: number) =>
      testReading(0, value, { trigger: 'event:sale', class: null, spanMs: 0, nextChangeMs: 9000 });
    const { decisions } = run(spec, [
      testObservation(0, {}, { readings: [on(1)] }),
      testObservation(1000, { ready: 1, inFlight: 1, held: 1 }),
      testObservation(2000, { ready: 2, inFlight: 2 }, { readings: [on(0)] }),
    ]);
    expect(decisions.map((decision) => decision.replicas)).toEqual([1, 3, 2]);
    expect(codes(decisions[1] as Decision)).toContain('event-factor');
    expect(decisions[0]?.revisitAtMs).toBe(9000);
  });

  it('hold what runs while paused, or what the pause names', () => {
    const running = testObservation(0, { ready: 2, inFlight: 2 });
    const busy = testObservation(1000, { ready: 2, inFlight: 2, held: 9 });
    expect(run(testSpec({ paused: { replicas: null } }), [running, busy]).decisions[1]?.replicas).toBe(2);
    expect(run(testSpec({ paused: { replicas: 0 } }), [running, busy]).decisions[1]?.replicas).toBe(0);
  });

  it('begin with initialReplicas and let them go when nobody comes', () => {
    const spec = testSpec({ initialReplicas: 2 });
    const { decisions } = run(spec, [testObservation(0), testObservation(9999), testObservation(10_000)]);
    expect(decisions.map((decision) => decision.replicas)).toEqual([1, 1, 0]);
  });
});

describe('behaviour', () => {
  it('keeps the largest count of the scale-down window', () => {
    const spec = testSpec({
      behavior: {
        scaleUp: { stabilizationMs: 0, selectPolicy: 'Max', policies: [] },
        scaleDown: { stabilizationMs: 30_000, selectPolicy: 'Max', policies: [] },
      },
    });
    const { decisions } = run(spec, [
      testObservation(0, { held: 4 }),
      testObservation(1000, { ready: 1, inFlight: 1 }),
      testObservation(30_999, { ready: 1, inFlight: 1 }),
      testObservation(31_000, { ready: 1, inFlight: 1 }),
    ]);
    expect(decisions.map((decision) => decision.replicas)).toEqual([4, 4, 4, 1]);
    expect(decisions[1]?.revisitAtMs).toBe(31_000);
  });

  it('goes to zero by the steps that the policies allow', () => {
    const spec = testSpec({
      keepAliveMs: 1000,
      behavior: {
        scaleUp: { stabilizationMs: 0, selectPolicy: 'Max', policies: [] },
        scaleDown: {
          stabilizationMs: 0,
          selectPolicy: 'Max',
          policies: [{ type: 'Pods', value: 2, periodMs: 10_000 }],
        },
      },
    });
    const idle = (nowMs: number) => testObservation(nowMs, { ready: 1 }, { lastActiveAtMs: 19_000 });
    const { decisions } = run(spec, [
      testObservation(0, { held: 5 }),
      idle(20_000),
      idle(29_999),
      idle(30_000),
      idle(40_000),
    ]);
    expect(decisions.map((decision) => decision.replicas)).toEqual([5, 3, 3, 1, 0]);
  });

  it('never moves up or down when a direction is disabled', () => {
    const disabled = { stabilizationMs: 0, selectPolicy: 'Disabled' as const, policies: [] };
    const free = { stabilizationMs: 0, selectPolicy: 'Max' as const, policies: [] };
    const steps = [
      testObservation(0, { ready: 2, inFlight: 2 }),
      testObservation(1000, { ready: 2, inFlight: 2, held: 3 }),
    ];
    expect(run(testSpec({ behavior: { scaleUp: disabled, scaleDown: free } }), steps).decisions[1]?.replicas).toBe(2);
    const idle = [steps[0] as Observation, testObservation(60_000, { ready: 2 }, { lastActiveAtMs: 0 })];
    expect(run(testSpec({ behavior: { scaleUp: free, scaleDown: disabled } }), idle).decisions[1]?.replicas).toBe(2);
  });
});

describe('classes', () => {
  it('each get what their own demand asks for, bounds cut the dearest first', () => {
    const spec = testSpec({ maxReplicas: 3 });
    spec.classes.push({ name: 'gpu', concurrency: 1, pricePerHourMicro: 900_000 });
    const held = (cheap: number, gpu: number): Observation => ({
      ...testObservation(0, { held: cheap }),
      classes: {
        default: { ready: 0, starting: 0, draining: 0, failed: 0, inFlight: 0, held: cheap },
        gpu: { ready: 0, starting: 0, draining: 0, failed: 0, inFlight: 0, held: gpu },
      },
      lastActiveAtMs: 0,
    });
    expect(run(spec, [held(1, 2)]).decisions[0]?.classes).toEqual({ default: 1, gpu: 2 });
    expect(run(spec, [held(2, 2)]).decisions[0]?.classes).toEqual({ default: 2, gpu: 1 });
    spec.scaling.minReplicas = 3;
    expect(run(spec, [held(0, 1)]).decisions[0]?.classes).toEqual({ default: 2, gpu: 1 });
  });
});

const anyNumber = fc.oneof(fc.double(), fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -1, 1e308, -0, 5e-324));
const step = fc.record({
  afterMs: fc.integer({ min: 0, max: 20_000 }),
  ready: fc.nat(6),
  inFlight: fc.nat(6),
  held: fc.nat(6),
  value: fc.option(anyNumber, { nil: null }),
  spanMs: anyNumber,
  state: fc.constantFrom('ok', 'ok', 'ok', 'missing', 'error', 'stale' as const),
  countsKnown: fc.boolean(),
});
const rules = fc.record({
  stabilizationMs: fc.constantFrom(0, 5000, 60_000),
  selectPolicy: fc.constantFrom('Max', 'Min', 'Disabled' as const),
  policies: fc.array(
    fc.record({
      type: fc.constantFrom('Pods', 'Percent' as const),
      value: fc.integer({ min: 1, max: 100 }),
      periodMs: fc.constantFrom(1000, 15_000),
    }),
    { maxLength: 2 },
  ),
});
const anySpec = fc
  .record({
    min: fc.nat(3),
    spread: fc.nat(5),
    concurrency: fc.nat(4),
    keepAliveMs: fc.integer({ min: 0, max: 30_000 }),
    behavior: fc.record({ scaleUp: rules, scaleDown: rules }),
  })
  .map(({ min, spread, concurrency, keepAliveMs, behavior }) =>
    testSpec({ minReplicas: min, maxReplicas: Math.max(1, min + spread), keepAliveMs, behavior }, concurrency),
  );

function observationsOf(steps: (typeof step extends fc.Arbitrary<infer T> ? T : never)[]): Observation[] {
  let nowMs = 1_700_000_000_000;
  let lastActiveAtMs: number | null = null;
  return steps.map(({ afterMs, ready, inFlight, held, value, spanMs, state, countsKnown }) => {
    nowMs += afterMs;
    if (inFlight + held > 0) lastActiveAtMs = nowMs;
    const readings = [testReading(nowMs, value, { spanMs, state })];
    return testObservation(nowMs, { ready, inFlight, held }, { readings, countsKnown, lastActiveAtMs });
  });
}

describe('whatever the readings', () => {
  it('stays within the bounds in whole replicas, with small JSON-safe memory, and the same again', () => {
    fc.assert(
      fc.property(anySpec, fc.array(step, { minLength: 1, maxLength: 40 }), (spec, steps) => {
        const observations = observationsOf(steps);
        let memory: Memory | null = null;
        for (const observation of observations) {
          const first: DecideResult = decide(spec, memory, observation);
          const again = decide(spec, JSON.parse(JSON.stringify(memory)) as Memory | null, observation);
          expect(again).toEqual(first);
          const { replicas, classes, revisitAtMs } = first.decision;
          expect(Number.isInteger(replicas)).toBe(true);
          expect(replicas).toBeGreaterThanOrEqual(spec.scaling.minReplicas);
          expect(replicas).toBeLessThanOrEqual(spec.scaling.maxReplicas);
          expect(Object.values(classes).reduce((a, b) => a + b, 0)).toBe(replicas);
          if (revisitAtMs !== null) expect(revisitAtMs).toBeGreaterThan(observation.nowMs);
          expect(JSON.parse(JSON.stringify(first.memory))).toEqual(first.memory);
          expect(JSON.stringify(first.memory).length).toBeLessThan(16_384);
          memory = first.memory;
        }
      }),
    );
  });

  it('does not shrink while a source is lost', () => {
    fc.assert(
      fc.property(anySpec, fc.array(step, { minLength: 2, maxLength: 20 }), (spec, steps) => {
        const observations = observationsOf(steps);
        let memory: Memory | null = null;
        let before = 0;
        for (const observation of observations) {
          const { decision, memory: next }: DecideResult = decide(spec, memory, observation);
          const lost = !observation.countsKnown || observation.readings.some((reading) => reading.state !== 'ok');
          if (lost && memory)
            expect(decision.replicas).toBeGreaterThanOrEqual(Math.min(before, spec.scaling.maxReplicas));
          memory = next;
          before = decision.replicas;
        }
      }),
    );
  });

  it('gives the same when asked only at revisitAtMs and on events as when asked every second', () => {
    fc.assert(
      fc.property(anySpec, fc.array(step, { minLength: 1, maxLength: 15 }), fc.nat(999), (spec, steps, phase) => {
        const events = observationsOf(steps.map((one) => ({ ...one, state: 'ok' as const, countsKnown: true })));
        expect(timeline(spec, events, 'sparse', phase)).toEqual(timeline(spec, events, 'everySecond', phase));
      }),
      { numRuns: 300 },
    );
  });

  it('does not oscillate under constant demand', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 40 }), (concurrency, demand) => {
        const spec = testSpec(
          { maxReplicas: 50, triggers: [{ name: 'concurrency', type: 'concurrency', target: concurrency }] },
          concurrency,
        );
        let memory: Memory | null = null;
        let ready = 0;
        const counts: number[] = [];
        for (let nowMs = 1000; nowMs <= 300_000; nowMs += 1000) {
          const inFlight = Math.min(demand, ready * concurrency);
          const observation = testObservation(
            nowMs,
            { ready, inFlight, held: demand - inFlight },
            { readings: [testReading(nowMs, demand)] },
          );
          const result: DecideResult = decide(spec, memory, observation);
          memory = result.memory;
          ready = result.decision.replicas;
          counts.push(ready);
        }
        expect(new Set(counts)).toEqual(new Set([Math.ceil(demand / concurrency)]));
      }),
    );
  });
});

/** Decided counts at every event and every whole second, when asked on events and at revisits, or also every second. */
function timeline(
  spec: WorkloadDecisionSpec,
  events: Observation[],
  mode: 'sparse' | 'everySecond',
  phaseMs: number,
): [number, number][] {
  const first = events[0] as Observation;
  const endMs = (events.at(-1) as Observation).nowMs + 90_000;
  let memory: Memory | null = null;
  let decision: Decision | null = null;
  let last = first;
  const ask = (observation: Observation) => {
    const result = decide(spec, memory, observation);
    memory = result.memory;
    decision = result.decision;
  };
  const seen: [number, number][] = [];
  const pending = [...events];
  for (let nowMs = first.nowMs; nowMs <= endMs; ) {
    const due = pending.filter((event) => event.nowMs === nowMs);
    for (const event of due) {
      ask(event);
      pending.shift();
      last = event;
    }
    const current = decision as Decision | null;
    const secondly = mode === 'everySecond' && (nowMs - first.nowMs) % 1000 === phaseMs;
    if (due.length === 0 && (secondly || current?.revisitAtMs === nowMs)) {
      const active = Object.values(last.classes).some((one) => one.inFlight + one.held > 0);
      ask({ ...last, nowMs, readings: [], lastActiveAtMs: active ? nowMs : last.lastActiveAtMs });
    }
    const after = decision as Decision | null;
    if (due.length > 0 || (nowMs - first.nowMs) % 1000 === phaseMs) seen.push([nowMs, after?.replicas ?? -1]);
    const nexts = [nowMs + ((phaseMs - ((nowMs - first.nowMs) % 1000) + 1000) % 1000 || 1000)];
    if (pending[0]) nexts.push(pending[0].nowMs);
    if (after?.revisitAtMs !== null && after?.revisitAtMs !== undefined) nexts.push(after.revisitAtMs);
    nowMs = Math.min(...nexts.filter((at) => at > nowMs));
  }
  return seen;
}
