import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chat, requestOf, workloadOf } from './dispatch.fixture.ts';
import { createDispatcher } from './dispatcher.ts';
import { NaiveDispatcher } from './naiveDispatcher.fixture.ts';
import type {
  CompletionOutcome,
  DeferredCounts,
  DispatchClass,
  DispatchEndpoint,
  DispatchEvent,
  DispatchRequest,
} from './types.ts';

const small = { name: 'small', accepts: { maxBodyBytes: null, maxTokens: 10, models: [], headers: {} } };
const named = { name: 'named', accepts: { maxBodyBytes: null, maxTokens: null, models: ['m'], headers: {} } };
const large = { name: 'large', accepts: null };
const classLists: DispatchClass[][] = [[large], [small, large], [small], [small, named, large], [named, small]];

type Call =
  | { type: 'arrive'; request: Partial<DispatchRequest>; deadlineInUs: number | null; deferForUs: number | null }
  | { type: 'end'; pick: number; outcome: CompletionOutcome }
  | { type: 'retry'; pick: number }
  | { type: 'endInFlight'; pick: number; outcome: CompletionOutcome }
  | { type: 'retryInFlight'; pick: number }
  | { type: 'endpoints'; endpoints: DispatchEndpoint[] }
  | { type: 'configure'; overrides: Parameters<typeof workloadOf>[0] }
  | { type: 'remove' | 'tick' | 'takePeaks' };

const outcome = fc.constantFrom<CompletionOutcome[]>('succeeded', 'failed', 'cancelled');
const arrive = fc.record({
  type: fc.constant('arrive' as const),
  request: fc.record({
    maxTokens: fc.constantFrom(null, 5, 20),
    model: fc.constantFrom(null, 'm'),
    bufferedBytes: fc.nat(60),
    affinityKey: fc.constantFrom(null, 's', 't'),
  }),
  deadlineInUs: fc.option(fc.integer({ min: 0, max: 4_000 }), { freq: 4 }),
  // Around the lead of a second: some are turned after a few steps, some at once, some never in such a history.
  deferForUs: fc.constantFrom(null, null, 0, 3_000, 1_000_001, 1_000_900, 1_003_000, 1_010_000, 3_010_000, 4_000_000),
});
const endpoints = fc.record({
  type: fc.constant('endpoints' as const),
  endpoints: fc.uniqueArray(
    fc.record({
      replica: fc.constantFrom('a', 'b', 'c', 'd'),
      class: fc.constantFrom('small', 'large', 'named'),
      slots: fc.constantFrom(0, 1, 1, 2, 3),
      draining: fc.constantFrom(false, false, false, true),
      drain: fc.integer({ min: 0, max: 2 }),
    }),
    { selector: ({ replica }) => replica },
  ),
});
const unavailable = { code: 'startup-budget', message: 'no', retryAfterMs: 5 };
const configure = fc.record({
  type: fc.constant('configure' as const),
  overrides: fc.record({
    classes: fc.constantFrom(...classLists),
    holdMs: fc.integer({ min: 1, max: 5 }),
    buffer: fc.record({
      maxRequests: fc.constantFrom(0, 2, 5, 20),
      maxBodyBytes: fc.constantFrom(30, 100),
      maxTotalBytes: fc.constantFrom(100, 1000),
    }),
    balancing: fc.constantFrom<NonNullable<Parameters<typeof workloadOf>[0]>['balancing'][]>(
      'leastConnections',
      'roundRobin',
      'random',
    ),
    affinity: fc.constantFrom(null, null, { header: 'x' }),
    unavailable: fc.constantFrom(null, null, null, unavailable),
    deferrable: fc.constantFrom(
      null,
      { maxDelayMs: 5, reserve: 0, maxRequests: 20 },
      { maxDelayMs: 1_004, reserve: 0.34, maxRequests: 2 },
      { maxDelayMs: 1_004, reserve: 0, maxRequests: 20 },
      { maxDelayMs: 5_000, reserve: 0, maxRequests: 20 },
      { maxDelayMs: 5_000, reserve: 0.1, maxRequests: 20 },
      { maxDelayMs: 5_000, reserve: 0.5, maxRequests: 3 },
      { maxDelayMs: 5_000, reserve: 1, maxRequests: 20 },
    ),
    coldStartMs: fc.constantFrom(0, 0, 0, 0, 1, 2_000),
    onTimeUs: fc.constantFrom(0, 7, 1_500, 5_000_000),
  }),
});
const pick = fc.nat(1_000);
const call: fc.Arbitrary<Call> = fc.oneof(
  { weight: 12, arbitrary: arrive },
  { weight: 5, arbitrary: fc.record({ type: fc.constant('endInFlight' as const), pick, outcome }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('retryInFlight' as const), pick }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('end' as const), pick, outcome }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('retry' as const), pick }) },
  { weight: 3, arbitrary: endpoints },
  { weight: 2, arbitrary: configure },
  { weight: 1, arbitrary: fc.constantFrom<Call[]>({ type: 'tick' }, { type: 'takePeaks' }, { type: 'remove' }) },
);
const afterUs = fc.oneof(
  { weight: 60, arbitrary: fc.constantFrom(0, 1, 7, 400, 1_500) },
  // Whoever should have asked in time was late by all that a deferral lasts.
  { weight: 1, arbitrary: fc.constant(1_100_000) },
);
const history = fc.record({
  seed: fc.integer(),
  start: fc.tuple(configure, endpoints),
  steps: fc.array(fc.record({ afterUs, call }), { maxLength: 120, size: 'max' }),
});

/** Slots, a little of everything that happens to requests, and no end of the workload. */
const calmHistory = fc.record({
  seed: fc.integer(),
  start: fc.tuple(
    fc.record({
      type: fc.constant('configure' as const),
      overrides: fc.record({
        classes: fc.constant<DispatchClass[]>([small, large]),
        holdMs: fc.constantFrom(3, 2_000),
        onTimeUs: fc.constantFrom(0, 1_000),
        deferrable: fc.constantFrom(
          { maxDelayMs: 5_000, reserve: 0, maxRequests: 50 },
          { maxDelayMs: 5_000, reserve: 0.3, maxRequests: 50 },
        ),
      }),
    }),
    endpoints,
  ),
  steps: fc.array(
    fc.record({
      afterUs: fc.constantFrom(0, 7, 400, 1_500, 3_000),
      call: fc.oneof(
        { weight: 8, arbitrary: arrive },
        { weight: 6, arbitrary: fc.record({ type: fc.constant('endInFlight' as const), pick, outcome }) },
        { weight: 1, arbitrary: fc.record({ type: fc.constant('retryInFlight' as const), pick }) },
        { weight: 1, arbitrary: fc.record({ type: fc.constant('end' as const), pick, outcome }) },
        { weight: 1, arbitrary: endpoints },
      ),
    }),
    { minLength: 40, maxLength: 120, size: 'max' },
  ),
});

interface History {
  seed: number;
  start: Call[];
  steps: { afterUs: number; call: Call }[];
}

/** Makes every call of a history on a real dispatcher, shows it to the naive one, and ends what is open at the end. */
function run({ seed, start, steps }: History): {
  events: DispatchEvent[];
  deferrals: DeferredCounts[];
  late: number;
} {
  const real = createDispatcher(seed);
  const naive = new NaiveDispatcher();
  const all: DispatchEvent[] = [];
  let nowUs = 0;
  let lastId = 0;
  const seen = (events: DispatchEvent[]) => {
    all.push(...events);
    return events;
  };
  const end = (id: number, how: CompletionOutcome) => {
    const events = how === 'cancelled' ? real.cancel(nowUs, id) : real.complete(nowUs, id, how);
    naive.end(nowUs, id, how, seen(events));
  };
  const make = (one: Call) => {
    switch (one.type) {
      case 'arrive': {
        const deadlineUs = one.deadlineInUs === null ? null : nowUs + one.deadlineInUs;
        const deferUntilUs = one.deferForUs === null ? null : nowUs + one.deferForUs;
        const request = requestOf(++lastId, { ...one.request, deadlineUs, deferUntilUs });
        return naive.arrive(nowUs, request, seen(real.arrive(nowUs, request)));
      }
      case 'end':
        return end(one.pick % (lastId + 2), one.outcome);
      case 'retry': {
        const id = one.pick % (lastId + 2);
        return naive.retry(nowUs, id, seen(real.retry(nowUs, id)));
      }
      case 'endInFlight':
      case 'retryInFlight': {
        const inFlight = naive.inFlight();
        const id = inFlight[one.pick % Math.max(1, inFlight.length)] ?? 0;
        if (one.type === 'endInFlight') return end(id, one.outcome);
        return naive.retry(nowUs, id, seen(real.retry(nowUs, id)));
      }
      case 'endpoints':
        return naive.setEndpoints(nowUs, one.endpoints, seen(real.setEndpoints(nowUs, chat, one.endpoints)));
      case 'configure': {
        const config = workloadOf(one.overrides);
        return naive.configure(nowUs, config, seen(real.configure(nowUs, config)));
      }
      case 'remove':
        return naive.remove(nowUs, seen(real.remove(nowUs, chat)));
      case 'tick':
        return naive.tick(nowUs, seen(real.tick(nowUs)));
      case 'takePeaks':
        real.takePeaks(chat);
        return naive.takePeaks();
    }
  };
  const deferrals: DeferredCounts[] = [];
  const check = () => {
    const { deferred } = naive.counts(nowUs) ?? {};
    if (deferred) deferrals.push(deferred);
    expect(real.counts(nowUs, chat)).toEqual(naive.counts(nowUs));
    expect(real.nextDeadlineUs()).toBe(naive.nextDeadlineUs());
  };
  for (const one of start) make(one);
  for (const { afterUs, call: one } of steps) {
    nowUs += afterUs;
    make(one);
    check();
  }
  for (let next = real.nextDeadlineUs(); next !== null; next = real.nextDeadlineUs()) {
    nowUs = Math.max(nowUs, next);
    make({ type: 'tick' });
  }
  for (const id of naive.inFlight()) end(id, 'succeeded');
  check();
  expect([...naive.outcomes.keys()].sort((left, right) => left - right)).toEqual(
    Array.from({ length: lastId }, (_, index) => index + 1),
  );
  const { classes = {} } = naive.counts(nowUs) ?? {};
  return { events: all, deferrals, late: Object.values(classes).reduce((sum, one) => sum + (one.late ?? 0), 0) };
}

describe('the dispatcher', () => {
  it('does what the naive one allows, in every history, to exactly one outcome for each request', () => {
    fc.assert(
      fc.property(history, (one) => {
        run(one);
      }),
      { numRuns: 400 },
    );
  });

  it('does so where much is deferrable and little is configured', () => {
    fc.assert(
      fc.property(calmHistory, (one) => {
        run(one);
      }),
      { numRuns: 200 },
    );
  });

  it('meets deferrable requests in every state in these histories', () => {
    const runs = fc.sample(calmHistory, { seed: 3, numRuns: 100 }).map((one) => run(one));
    const events = runs.flatMap((one) => one.events);
    const counts = runs.flatMap((one) => one.deferrals);
    const last = runs.flatMap((one) => one.deferrals.slice(-1));
    const sum = (of: (one: DeferredCounts) => number) => last.reduce((total, one) => total + of(one), 0);
    expect(events.filter(({ type }) => type === 'deferred').length).toBeGreaterThan(200);
    expect(events.filter((one) => one.type === 'assigned' && (one.deferredUs ?? 0) > 0).length).toBeGreaterThan(50);
    expect(counts.some(({ waiting, inFlight }) => waiting > 1 && inFlight > 1)).toBe(true);
    expect(sum(({ turned }) => turned)).toBeGreaterThan(50);
    expect(sum(({ begun }) => begun)).toBeGreaterThan(100);
    expect(runs.reduce((sum, { late }) => sum + late, 0)).toBeGreaterThan(100);
  });

  it('gives the same events for the same seed and calls', () => {
    fc.assert(
      fc.property(history, (one) => {
        expect(run(one).events).toEqual(run(one).events);
      }),
      { numRuns: 40 },
    );
  });

  it('releases thousands of held requests in their order, within one call', () => {
    const dispatcher = createDispatcher(1);
    const buffer = { maxRequests: 5_000, maxTotalBytes: 1e9 };
    dispatcher.configure(0, workloadOf({ buffer, classes: [small, large] }));
    for (let id = 1; id <= 5_000; id++) dispatcher.arrive(id, requestOf(id, { maxTokens: id % 3 === 0 ? 20 : 5 }));
    const fleet = Array.from({ length: 1_000 }, (_, index) => ({
      replica: `r${index}`,
      class: 'large',
      slots: 5,
      draining: false,
    }));
    const events = dispatcher.setEndpoints(6_000, chat, fleet);
    expect(events.map((event) => (event.type === 'assigned' ? event.id : 0))).toEqual(
      Array.from({ length: 5_000 }, (_, index) => index + 1),
    );
    expect(new Set(Object.values(dispatcher.counts(6_000, chat)?.replicas ?? {}))).toEqual(new Set([5]));
  });
});
