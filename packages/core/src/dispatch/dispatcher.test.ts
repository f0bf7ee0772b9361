import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chat, requestOf, workloadOf } from './dispatch.fixture.ts';
import { createDispatcher } from './dispatcher.ts';
import { NaiveDispatcher } from './naiveDispatcher.fixture.ts';
import type { CompletionOutcome, DispatchClass, DispatchEndpoint, DispatchEvent, DispatchRequest } from './types.ts';

const small = { name: 'small', accepts: { maxBodyBytes: null, maxTokens: 10, models: [], headers: {} } };
const named = { name: 'named', accepts: { maxBodyBytes: null, maxTokens: null, models: ['m'], headers: {} } };
const large = { name: 'large', accepts: null };
const classLists: DispatchClass[][] = [[large], [small, large], [small], [small, named, large], [named, small]];

type Call =
  | { type: 'arrive'; request: Partial<DispatchRequest>; deadlineInUs: number | null }
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
});
const endpoints = fc.record({
  type: fc.constant('endpoints' as const),
  endpoints: fc.uniqueArray(
    fc.record({
      replica: fc.constantFrom('a', 'b', 'c', 'd'),
      class: fc.constantFrom('small', 'large', 'named'),
      slots: fc.constantFrom(0, 1, 1, 2, 3),
      draining: fc.constantFrom(false, false, false, true),
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
const history = fc.record({
  seed: fc.integer(),
  start: fc.tuple(configure, endpoints),
  steps: fc.array(fc.record({ afterUs: fc.constantFrom(0, 1, 7, 400, 1_500), call }), { maxLength: 120, size: 'max' }),
});

/** Makes every call of a history on a real dispatcher, shows it to the naive one, and ends what is open at the end. */
function run({ seed, start, steps }: typeof history extends fc.Arbitrary<infer History> ? History : never): {
  events: DispatchEvent[];
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
        const request = requestOf(++lastId, { ...one.request, deadlineUs });
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
  const check = () => {
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
  return { events: all };
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
